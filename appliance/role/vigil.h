/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides whether a process without heartbeats hangs, or only gets no core. The clock alone does
 * not show this: a worker behind a busy real-time task makes as few beats as one in an endless
 * loop. So the process's own time counts: processor time that it used, and time in which it needed
 * none. Time in which it waited for a core does not count.
 *
 * The gate watches its worker with this module, and the supervisor watches the gates and all other
 * roles. The module never ends a process and owns nothing: the supervisor opens the descriptor of
 * /proc/PID/stat (vigil_open), and whoever was given it closes it.
 */
#ifndef SEKISHO_ROLE_VIGIL_H
#define SEKISHO_ROLE_VIGIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"

struct vigil {
	pid_t pid;
	/* /proc/PID/stat; -1: nothing is known, and a process that does not run counts as idle */
	int stat;
	uint64_t seen_ns; /* the process's processor time at the last look */
	uint64_t ran_ns;  /* processor time since its last beat */
	uint64_t idle_ns; /* time since its last beat in which it wanted no core */
	/* over its whole life: time in which a beat was due, and it waited for a core */
	uint64_t starved_ns;
};

/* A descriptor for `stat`, owned by the caller; negative errno. */
int vigil_open(pid_t pid, struct err *e);
void vigil_begin(struct vigil *v, pid_t pid, int stat);
/* The process has beaten, or no beat is due. */
void vigil_beat(struct vigil *v);
/*
 * The process made no beat for another `passed_ns`. At most `most_ns` of that time counts, because
 * the watcher may have had no core either, and the kernel may count a pause of the whole virtual
 * machine as processor time. True when the process has had `limit_ns` of its own time since its
 * last beat: it hangs.
 */
bool vigil_hung(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns);

/*
 * As vigil_hung, for a process in a long task, which beats only at the end of the task. True when
 * the process did nothing for `limit_ns`, neither on a core nor inside the kernel.
 */
bool vigil_still(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns);

/* The letter of a process's state in the text of /proc/PID/stat, 0 when there is none. */
char vigil_state(struct bytes text);

#endif
