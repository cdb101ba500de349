/* SPDX-License-Identifier: Apache-2.0 */
/* Servers with weak TLS. */
#ifndef SEKISHO_JOURNAL_ROLE_WEAK_H
#define SEKISHO_JOURNAL_ROLE_WEAK_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct journal_role;
struct msg_journal_status;

/* Reads the list of servers. If it cannot be read, this is recorded. */
void role_weak_open(struct journal_role *j);
/* Takes an event about sessions with weak TLS. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Takes the event that a person has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
/* Saves the list when that is due; `all`: at the end of the process, whatever is not saved. */
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_weak_write is next due; UINT64_MAX = never. */
uint64_t role_weak_due(const struct journal_role *j);
/* Fills in the part about weak TLS. */
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

#endif
