/* SPDX-License-Identifier: Apache-2.0 */
/* A record that comes in: its time, merging, sums. */
#ifndef SEKISHO_JOURNAL_ROLE_TAKE_H
#define SEKISHO_JOURNAL_ROLE_TAKE_H

#include <stdbool.h>

#include "appliance/wire/role.h"

struct event;
struct journal_role;

/* Takes a record of a role: checks its time, then merges it, adds it to a sum, or writes it. */
void role_take(struct journal_role *j, const struct event *e, enum role from);
/* Writes sums and merged records that are due; with `all`, all of them. */
void role_write_merged(struct journal_role *j, bool all);

#endif
