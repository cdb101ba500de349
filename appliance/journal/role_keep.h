/* SPDX-License-Identifier: Apache-2.0 */
/* Old files, and how full the disk is. */
#ifndef SEKISHO_JOURNAL_ROLE_KEEP_H
#define SEKISHO_JOURNAL_ROLE_KEEP_H

#include <stdint.h>

struct journal_role;
struct keep_rule;
struct msg_journal_status;

/* Makes one step for closed files when it is due: deletes, packs or indexes one. */
void role_keep(struct journal_role *j, uint64_t now);
/* Sets the rule that applies from now on. */
void role_keep_rule(struct journal_role *j, const struct keep_rule *rule);
/* When the next step is due; UINT64_MAX = none. */
uint64_t role_keep_due(const struct journal_role *j);

/* role_keep.c: how full the disk is. */
uint64_t role_disk_due(const struct journal_role *j); /* monotonic ns */
void role_disk(struct journal_role *j, uint64_t now);
void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret);

#endif
