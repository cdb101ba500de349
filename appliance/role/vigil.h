/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a process that shall beat is hung, or merely has no core. Time alone does not tell: a worker behind a busy
 * real-time task beats as little as one in an endless loop. What counts is its own time: processor time that it had, and
 * time in which it wanted none. Time in which it waited for a core counts for nothing.
 *
 * The gate watches its worker with it, the supervisor the gates and all other roles. It owns nothing: the descriptor of
 * /proc/PID/stat is opened by the supervisor (vigil_open) and closed by whoever was given it. It never ends anybody.
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
	int stat;	     /* /proc/PID/stat; -1: nothing is known of it, and whoever does not run counts as idle */
	uint64_t seen_ns;    /* its processor time at the last look */
	uint64_t ran_ns;     /* since its last beat it had this much of it */
	uint64_t idle_ns;    /* since its last beat it wanted no core for this long */
	uint64_t starved_ns; /* over its whole life: it wanted one and had none while it was awaited */
};

/* A descriptor for `stat`, owned by the caller; negative errno. */
int vigil_open(pid_t pid, struct err *e);
void vigil_begin(struct vigil *v, pid_t pid, int stat);
/* It beat, or nothing is asked of it. */
void vigil_beat(struct vigil *v);
/*
 * It did not beat for another `passed_ns`, of which at most `most_ns` count: between two looks the watcher may have had no core
 * either, and where the whole machine stood still behind another one, the kernel may take that for processor time. True when it
 * had `limit_ns` of its own time since its last beat: it is hung.
 */
bool vigil_hung(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns);

/*
 * The same of one that does something long for somebody and answers when that is done: true when it did nothing at all for
 * `limit_ns` since its last beat, neither on a core nor inside the kernel.
 */
bool vigil_still(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns);

/* The letter of a process's state in the text of /proc/PID/stat, 0 when there is none. */
char vigil_state(struct bytes text);

#endif
