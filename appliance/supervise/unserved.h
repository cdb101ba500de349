/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that were to be inspected and were not: because a queue or a worker's socket had no room, or because no worker answered. When that is an alarm, since
 * when, in which lanes, and how many packets it was. Pure: counts in, an answer out.
 *
 * Want of room is one at once. That a gate decides in a worker's place is one when it lasts or comes again and again: a worker that is replaced, at an apply or
 * because it died, costs its packets a moment and is on record as that. What passed by a full queue without an answer (when_overloaded = "open" or "hold") no lane
 * counts; the kernel does, of all lanes together, and what gates handed back is among it.
 */
#ifndef SEKISHO_SUPERVISE_UNSERVED_H
#define SEKISHO_SUPERVISE_UNSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/lane.h"

#define UNSERVED_LOOK_NS 1000000000ull
#define UNSERVED_QUIET_NS 60000000000ull /* so long nothing more of it: then it is over */
#define UNSERVED_LASTS_NS 3000000000ull	 /* gates decide for so long, ... */
#define UNSERVED_GAP_NS 1500000000ull	 /* with no longer time in between, ... */
#define UNSERVED_SPELLS 3u		 /* or so often before it is quiet */

enum unserved_cause {
	UNSERVED_FULL,	 /* the queue had no room */
	UNSERVED_UNREAD, /* the worker's socket had none */
	UNSERVED_AWAY,	 /* decided in a worker's place */
	UNSERVED_CAUSES
};

/* What became of packets that passed their queue without an answer, by the kernel's counters. */
enum unserved_fate {
	UNSERVED_CLOSED,
	UNSERVED_HELD, /* passed */
	UNSERVED_HOLD_NEW,
	UNSERVED_OPEN, /* passed */
	UNSERVED_FATES
};

struct unserved_counts {
	uint64_t lanes[LANE_COUNT][UNSERVED_CAUSES];
	uint64_t fates[UNSERVED_FATES];
};

struct unserved {
	struct unserved_counts was; /* as last read */
	bool on;		    /* it is an alarm */
	struct unserved_counts sum; /* since `since_wall_ns`, of an alarm or of what may become one */
	uint64_t since_wall_ns, last_wall_ns, last_ns; /* 0 = nothing */
	uint64_t spell_ns, away_ns; /* monotonic: when this spell of decided packets began; its last one */
	unsigned spells;
	unsigned beyond; /* looks in a row with more unanswered packets than gates handed back */
};

enum unserved_change { UNSERVED_SAME, UNSERVED_BEGINS, UNSERVED_ENDS };

/* Counts since the start; none becomes smaller. When it ends, `sum` is still that of what ended,
 * until unserved_forget. */
enum unserved_change unserved_look(struct unserved *u, const struct unserved_counts *now, uint64_t now_ns,
				   uint64_t wall_ns);
void unserved_forget(struct unserved *u);

/* Packets that were dropped, and that passed without inspection. */
uint64_t unserved_dropped(const struct unserved *u);
uint64_t unserved_passed(const struct unserved *u);
/* Whether any packet of that lane was, or may have been: of a full queue that lets packets by it is not known which. */
bool unserved_lane(const struct unserved *u, uint32_t lane);

/*
 * The tap hears nothing while packets pass that the kernel was to tell it of. When that is an alarm, since when, and how many packets it was. Pure: counts in, an answer out.
 *
 * The kernel counts each such packet and tells of at most so many a second, so one that nobody heard says little: it may have been beyond that, or be among those just heard.
 * Two that lie further apart than that, with nothing heard between them nor soon after, are the alarm. A tap that does not run is said already as a role.
 */

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
