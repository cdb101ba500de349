/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap hears nothing while packets pass that the kernel was to tell it of. When that is an alarm, since when, and how many packets it was. Pure: counts in, an answer out.
 *
 * The kernel counts each such packet and tells of at most so many a second, so one that nobody heard says little: it may have been beyond that, or be among those just heard.
 * Two that lie further apart than that, with nothing heard between them nor soon after, are the alarm. A tap that does not run is said already as a role.
 */
#ifndef SEKISHO_SUPERVISE_DEAF_H
#define SEKISHO_SUPERVISE_DEAF_H

#include <stdbool.h>
#include <stdint.h>

#define DEAF_LOOK_NS 1000000000ull
#define DEAF_APART_NS 5000000000ull /* from the first packet to one that bears it out, ... */
#define DEAF_WAIT_NS 5000000000ull  /* ... and so long for both to be heard, by way of the tap's own pace */

/* Start from zero bytes. */
struct deaf {
	bool on;			      /* it is an alarm */
	uint64_t packets;		      /* since `since_wall_ns`, of an alarm or of what may become one */
	uint64_t since_wall_ns, last_wall_ns; /* 0 = nothing */
	uint64_t first_ns, again_ns;	      /* monotonic: the first packet, and the one that bears it out; 0 = none */
	uint64_t heard_ns;		      /* monotonic: when the tap last said that it hears; 0 = never */
};

enum deaf_change { DEAF_SAME, DEAF_BEGINS, DEAF_ENDS };

/* `packets`: so many more that it was to be told of; `heard`: it was told of some since the last look; `runs`: there is a tap. When it ends, `packets` is still of
 * what ended, until deaf_forget. */
enum deaf_change deaf_look(struct deaf *d, uint64_t packets, bool heard, bool runs, uint64_t now_ns, uint64_t wall_ns);
void deaf_forget(struct deaf *d);

#endif
