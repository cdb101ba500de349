/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and cores, divided between what keeps the boundary and what reads strangers' bytes: groups of processes (cgroups,
 * version 2) below the one that the service manager delegated to the daemon. "guard" holds the supervisor, enforce, the gates
 * and the journal, without a limit. In "parsers" every other role has a group of its own with a limit (sandbox_table.c), so that the
 * kernel ends who takes too much, and nobody else; all of them together have a limit as well.
 *
 * Made once, before the supervisor's sandbox closes: afterwards it has descriptors by which a new process joins its group,
 * and can neither make groups nor change a limit. Where nothing is delegated, nothing is made and the roles run as before; nothing
 * here ever keeps a role from starting.
 */
#ifndef SEKISHO_SUPERVISE_PARTITION_H
#define SEKISHO_SUPERVISE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/supervise/roles.h"

enum partition_state {
	PARTITION_NO_GROUPS,	 /* the machine has no groups of version 2 */
	PARTITION_NOT_DELEGATED, /* ours is not ours to divide: not started as a service, or by another one's unit */
	PARTITION_NO_MEMORY,	 /* memory is divided by groups of version 1 */
	PARTITION_FAILED,
	PARTITION_STANDS,
};

struct partition {
	enum partition_state state;
	struct err failed; /* PARTITION_FAILED: at what */
	bool cores;	   /* cores are divided as well */
	int guard;	   /* folders, to be read; -1 = none */
	int parsers;
	int score; /* our own oom_score_adj; -1 = cannot be set */
	int own_score;
};

/* Finds our group, moves us into "guard" and gives each slot that is to have a group the descriptor by which it joins. */
void partition_open(struct partition *ret, struct slot slots[SLOTS]);
/* The same within this folder, for a machine of so many bytes of memory; ret->state says what came of it. */
void partition_make(int folder, uint64_t memory_bytes, struct partition *ret, struct slot slots[SLOTS]);

/*
 * As fork(2), for this slot's process: the child has the score by which the kernel chooses whom to end when the machine has no
 * memory left, and is in its group when this returns there.
 */
pid_t partition_fork(const struct partition *p, const struct slot *sl);

/* For status (docs/json.md); owned by the caller. */
json_t *partition_json(const struct partition *p);

#endif
