/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a process that shall beat is hung, or merely has no core. Time alone does not tell: a worker behind a busy
 * real-time task beats as little as one in an endless loop. What counts is its own time: processor time that it had, and
 * time in which it wanted none. Time in which it waited for a core counts for nothing.
 *
 * Nor does time in which its core itself stood still, because the machine is one of several on the same hardware and another
 * one had it. Seen from another core, the kernel goes on counting processor time of the process that it thinks is running
 * there; but the ticks of that core stop, and with them what /proc/stat says that it did. So who is on another core than the
 * one watched shows `cores`, and nobody is taken to have run longer than its core worked.
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
	int stat;	    /* /proc/PID/stat; -1: nothing is known of it, and whoever does not run counts as idle */
	int cores;	    /* /proc/stat; -1: what its core did is not asked */
	uint64_t seen_ns;   /* its processor time at the last look */
	uint64_t ran_ns;    /* since its last beat it had this much of it */
	uint64_t idle_ns;   /* since its last beat it wanted no core for this long */
	uint64_t core_ns;   /* since its last beat its core worked for this long */
	uint64_t worked_ns; /* what `core` had worked at the last look, since the start of the machine */
	int core;	    /* on which it was at the last look since its last beat; -1: not looked yet, or not known */
	uint64_t starved_ns; /* over its whole life: it wanted one and had none while it was awaited */
};

/* A descriptor for `stat`, owned by the caller; negative errno. */
int vigil_open(pid_t pid, struct err *e);
void vigil_begin(struct vigil *v, pid_t pid, int stat, int cores);
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
/* The core on which it runs or ran last, from the same text; -1 when that is not there. */
int vigil_core(struct bytes text);
/* For how long a core has done anything, in the text of /proc/stat; false when the core is not there. */
bool vigil_worked(struct bytes text, int core, uint64_t *ns);

#endif
