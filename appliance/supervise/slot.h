/* SPDX-License-Identifier: Apache-2.0 */
/* A role: each process has a slot. */
#ifndef SEKISHO_SUPERVISE_SLOT_H
#define SEKISHO_SUPERVISE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/role.h"
#include "appliance/wire/slot.h"

struct slot {
	unsigned number; /* wire/slot.h */
	enum role role;
	uint32_t index;
	enum slot_state state;
	pid_t pid;
	int pidfd, chan, stat; /* -1 = none; stat: /proc/PID/stat */
	/* the event socket outlives every process of this role: records wait in it */
	int event_in, event_out;
	uint64_t started, restart_at; /* monotonic ns */
	uint64_t since_wall;	      /* wall ns of the last start */
	struct err failed;	      /* why the last start failed */
	uint32_t restarts, quick;     /* quick: deaths in a row soon after a start */
	uint32_t asked;		      /* id of the status question without an answer, 0 = none */
	/* other questions of control that it has not answered yet */
	uint32_t works;
	bool renewed;	    /* it was ended on purpose, to be started again */
	bool long_work;	    /* it does a long task, and is not asked for its status meanwhile */
	struct vigil vigil; /* measures the process since it was last heard */
	/* since its start, or since enforce was given its present task */
	struct vigil work;
	/* Monotonic ns: when it was last ready, answered, or began a long task; later by the time
	 * in which it had no core. */
	uint64_t heard;
};

#endif
