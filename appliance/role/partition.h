/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Divides memory and cores between processes that enforce the policy and processes that read
 * foreign data, by control groups (version 2) below the group that the service manager has
 * delegated to the daemon. The group "guard" has the supervisor, enforce, the gates and the
 * journal, without a limit. In "parsers", every other role has a group of its own with a limit
 * (sandbox_table.c), so that the kernel ends only a process that takes too much. The whole of
 * "parsers" has a limit as well.
 *
 * The groups are made once, before the supervisor's sandbox closes. Afterwards the supervisor has
 * descriptors by which a new process joins its group, but can neither make groups nor change
 * limits. Without delegation, no groups are made, and the roles run without them; no failure here
 * prevents a role from starting.
 */
#ifndef SEKISHO_ROLE_PARTITION_H
#define SEKISHO_ROLE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/slot.h"

enum partition_state {
	PARTITION_NO_GROUPS, /* the machine has no control groups of version 2 */
	/* our group is not delegated to us: the daemon was not started by its own unit */
	PARTITION_NOT_DELEGATED,
	PARTITION_NO_MEMORY, /* memory is divided by groups of version 1 */
	PARTITION_FAILED,
	PARTITION_STANDS,
};

struct partition {
	enum partition_state state;
	struct err failed; /* PARTITION_FAILED: the step that failed */
	bool cores;	   /* cores are divided as well */
	int guard;	   /* descriptors of the groups' folders, for reading; -1 = none */
	int parsers;
	/* descriptors to join the group of a slot; -1 = its processes stay in ours */
	int group[SLOTS];
	int score; /* our own oom_score_adj; -1 = cannot be set */
	int own_score;
};

/* Finds our group, moves this process into "guard", and opens the group of each slot that needs
 * one. */
void partition_open(struct partition *ret);
/* As partition_open, but makes the groups in `folder`, for a machine with `memory_bytes` of memory.
 * ret->state is the result. */
void partition_make(int folder, uint64_t memory_bytes, struct partition *ret);

/*
 * As fork(2), for the process of this slot. When it returns in the child, the child has its
 * oom_score_adj and is in its group. If the kernel refused that, the child runs without it.
 */
pid_t partition_fork(const struct partition *p, unsigned slot);

/* For status (docs/json.md); owned by the caller. */
json_t *partition_json(const struct partition *p);

#endif
