/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that should have been inspected but were not, because a queue or a worker's socket had no
 * room, or because no worker answered. Decides when this is an alarm, since when, in which lanes,
 * and for how many packets. Pure.
 *
 * Lack of room is an alarm at once. Decisions of a gate in its worker's place are an alarm when
 * they last or are repeated. When a worker is replaced, at an apply or because it died, a gate
 * decides for a moment; that is recorded separately. Packets that passed a full queue without a
 * verdict (when_overloaded = "open" or "hold") are not counted by lane; the kernel counts them for
 * all lanes together, including those that gates handed back.
 */
#ifndef SEKISHO_CONTROL_UNSERVED_H
#define SEKISHO_CONTROL_UNSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/lane.h"

#define UNSERVED_LOOK_NS 1000000000ull
#define UNSERVED_QUIET_NS 60000000000ull /* the alarm ends after so long without such a packet */
#define UNSERVED_LASTS_NS 3000000000ull	 /* alarm when gates decide for so long */
#define UNSERVED_GAP_NS 1500000000ull	 /* longest pause within one spell */
/* so many spells are an alarm, unless UNSERVED_QUIET_NS passed between them without such a
 * packet */
#define UNSERVED_SPELLS 3u

enum unserved_cause {
	UNSERVED_FULL,	 /* the queue had no room */
	UNSERVED_UNREAD, /* the worker's socket had no room */
	UNSERVED_AWAY,	 /* a gate decided in the worker's place */
	UNSERVED_CAUSES
};

/* What happened to packets that passed their queue without a verdict, by the kernel's counters. */
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
	/* packets since `since_wall_ns`, when the alarm began, or what may become one */
	struct unserved_counts sum;
	uint64_t since_wall_ns, last_wall_ns, last_ns; /* 0 = nothing */
	/* monotonic ns: when the present spell of decisions by gates began, and its last
	 * decision */
	uint64_t spell_ns, away_ns;
	unsigned spells;
	/* number of checks in a row with more unanswered packets than gates handed back */
	unsigned beyond;
};

enum unserved_change { UNSERVED_SAME, UNSERVED_BEGINS, UNSERVED_ENDS };

/* `now` has counts since the start, which never decrease. When the alarm ends, `sum` stays
 * until unserved_forget. */
enum unserved_change unserved_look(struct unserved *u, const struct unserved_counts *now, uint64_t now_ns,
				   uint64_t wall_ns);
void unserved_forget(struct unserved *u);

/* Packets that were dropped, and that passed without inspection. */
uint64_t unserved_dropped(const struct unserved *u);
uint64_t unserved_passed(const struct unserved *u);
/* Whether any packet of that lane was affected, or may have been: for full queues that let packets
 * pass, the lane is not known. */
bool unserved_lane(const struct unserved *u, uint32_t lane);

/*
 * Decides when it is an alarm that the tap receives nothing while the kernel counts packets that it
 * should report; since when, and how many packets. Pure.
 *
 * The kernel counts every such packet, but reports only a limited number a second. So a single
 * count without a report proves nothing. The alarm needs two counts that are DEAF_APART_NS apart,
 * without a report in between or soon after. A tap that does not run is not this alarm: the status
 * shows it as a role that does not run.
 */

#define DEAF_APART_NS 5000000000ull /* least time between the two counts */
/* time after the second count in which a report may still come */
#define DEAF_WAIT_NS 5000000000ull

/* Start from zero bytes. */
struct deaf {
	bool on; /* it is an alarm */
	/* packets since `since_wall_ns`, when the alarm began, or what may become one */
	uint64_t packets;
	uint64_t since_wall_ns, last_wall_ns; /* 0 = nothing */
	/* monotonic ns: the first count, and the first that came DEAF_APART_NS or more after it;
	 * 0 = none */
	uint64_t first_ns, again_ns;
	/* monotonic: when the tap last said that it hears; 0 = never */
	uint64_t heard_ns;
};

enum deaf_change { DEAF_SAME, DEAF_BEGINS, DEAF_ENDS };

/* `packets`: packets since the last check that the kernel should have reported; `heard`: the tap
 * received some since then; `runs`: there is a tap. When the alarm ends, d->packets stays
 * until deaf_forget. */
enum deaf_change deaf_look(struct deaf *d, uint64_t packets, bool heard, bool runs, uint64_t now_ns, uint64_t wall_ns);
void deaf_forget(struct deaf *d);

#endif
