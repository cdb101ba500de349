/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of servers with weak TLS.
 */
#ifndef SEKISHO_JOURNAL_ROLE_WEAK_H
#define SEKISHO_JOURNAL_ROLE_WEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/event.h"

struct journal_role;
struct msg_journal_status;

void role_weak_open(struct journal_role *j);
/* Takes an event about sessions with weak TLS. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Takes the event that a person has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_weak_due(const struct journal_role *j);
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

#endif
