/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of how long conduits that observe had nothing to refuse.
 */
#ifndef SEKISHO_JOURNAL_ROLE_CLEAN_H
#define SEKISHO_JOURNAL_ROLE_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

struct journal_role;

void role_clean_open(struct journal_role *j);
/* Takes any event, and counts what an observing conduit would have refused. */
void role_clean_heard(struct journal_role *j, const struct event *e, enum role from);
/* To be called when a generation was added to the names. */
void role_clean_rule(struct journal_role *j);
void role_clean_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_clean_due(const struct journal_role *j);
/* How long each conduit has been clean, for people. */
json_t *role_clean_json(struct journal_role *j);

#endif
