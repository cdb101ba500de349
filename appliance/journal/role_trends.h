/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by hour, for charts over time.
 */
#ifndef SEKISHO_JOURNAL_ROLE_TRENDS_H
#define SEKISHO_JOURNAL_ROLE_TRENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/event.h"

struct journal_role;
struct msg_trends;

void role_trends_open(struct journal_role *j);
/* Takes any event. True: it exists only for these counts, and no record is made of it. */
bool role_trends_heard(struct journal_role *j, const struct event *e);
/* Takes an event of which a record is about to be written. */
void role_trends_put(struct journal_role *j, const struct event *e);
void role_trends_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_trends_due(const struct journal_role *j);
/* The answer to a question about trends. */
json_t *role_trends_json(struct journal_role *j, const struct msg *m, enum answer_status *ret);

#endif
