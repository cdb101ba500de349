/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: groups of queues that separate traffic by kind, criticality and failure decisions.
 *
 * A lane's number is computed from kind, criticality and the two failure decisions, so the
 * compiler, the gate and the renderers need no common table. Lane 0 is "no inspection", lane 63 is
 * "cut".
 */
#ifndef SEKISHO_WIRE_LANE_H
#define SEKISHO_WIRE_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/mark.h"

enum lane_kind { LANE_NAMING = 0, LANE_COMMANDS = 1 };
#define LANE_KINDS 2u
enum criticality { CRIT_SAFETY = 0, CRIT_CARGO = 1, CRIT_SUPPORT = 2 };
#define CRITICALITIES 3u
#define LANES_OF_KIND (CRITICALITIES * 3u * 3u)
/* Steps of the histogram of inspection times, in powers of two of microseconds, from
 * 2^LATENCY_FIRST on (worker/worker.h). */
#define LATENCY_FIRST 3u
#define LATENCY_TOLD 16u
/* shares of a worker, one for each kind and criticality: index kind * CRITICALITIES +
 * criticality */
#define LANE_SHARES (LANE_KINDS * CRITICALITIES)
/* The strictest comes first. Where several settings apply, the smallest value counts. */
enum failure { FAIL_CLOSED = 0, FAIL_HOLD = 1, FAIL_OPEN = 2 };
enum midstream { MID_DROP = 0, MID_RESET = 1, MID_PICK_UP = 2 };

struct lane {
	enum lane_kind kind;
	enum criticality criticality;
	enum failure when_down;
	enum failure when_overloaded;
};

/* The number of the lane: 1 to 54. */
static inline uint32_t lane_number(struct lane l)
{
	return 1u + (((uint32_t)l.kind * 3u + (uint32_t)l.criticality) * 3u + (uint32_t)l.when_down) * 3u +
	       (uint32_t)l.when_overloaded;
}

/* False for a number that is no inspected lane (0, 63, or 55 and above). */
static inline bool lane_of(uint32_t number, struct lane *ret)
{
	uint32_t n = number - 1u;

	if (number == 0 || number > 54)
		return false;
	ret->when_overloaded = (enum failure)(n % 3u);
	ret->when_down = (enum failure)(n / 3u % 3u);
	ret->criticality = (enum criticality)(n / 9u % 3u);
	ret->kind = (enum lane_kind)(n / 27u);
	return true;
}

/* Whether packets of this lane go on without a verdict when its worker or gate is gone. The kernel
 * then counts what happened to them. */
static inline bool lane_lets_on(uint32_t number)
{
	struct lane l;

	return lane_of(number, &l) && l.when_down != FAIL_CLOSED;
}

/*
 * What the chain after the queue does with a packet that passed the queue without a verdict,
 * because the worker was down or overloaded. The kernel cannot see which of the two was the cause.
 * If the decision for one cause is `closed`, packets never pass the queue for it, so the other
 * cause applies. If both decisions let packets pass, the stricter one applies.
 */
static inline enum failure lane_unanswered(struct lane l)
{
	if (l.when_down == FAIL_CLOSED)
		return l.when_overloaded;
	if (l.when_overloaded == FAIL_CLOSED)
		return l.when_down;
	return l.when_down < l.when_overloaded ? l.when_down : l.when_overloaded;
}

/* The kind of worker for a lane's packets. Packets of the cut lane belong to no permit; they go to
 * workers for commands, which follow sessions and can reset them. */
static inline enum lane_kind lane_kind_of(uint32_t number)
{
	struct lane l;

	return lane_of(number, &l) ? l.kind : LANE_COMMANDS;
}

/*
 * A lane has this many queues, called slots, whatever the number of workers. The kernel chooses the
 * slot by a hash of the addresses, and each slot belongs to one worker. When the number of workers
 * changes, slots move between workers, but no session moves between slots. The queues of one lane
 * are adjacent, as queue balancing needs.
 */
#define LANE_SLOTS 8u
#define QUEUE_BASE 1000u

static inline uint16_t lane_queue(uint32_t lane, uint32_t slot)
{
	return (uint16_t)(QUEUE_BASE + lane * LANE_SLOTS + slot);
}

/* The lane of a queue, LANE_COUNT when it is none of ours. */
static inline uint32_t queue_lane(uint16_t queue)
{
	uint32_t lane = (uint32_t)(queue - QUEUE_BASE) / LANE_SLOTS;

	return queue >= QUEUE_BASE && lane < LANE_COUNT ? lane : LANE_COUNT;
}

static inline uint32_t queue_slot(uint16_t queue)
{
	return (uint32_t)(queue - QUEUE_BASE) % LANE_SLOTS;
}

/*
 * The slot for sessions that must go to the same worker. It is the same in every lane, because a
 * session and the sessions that it opens can be in different lanes, if a stricter conduit applies
 * to one of their ports.
 */
#define LANE_SLOT_TOGETHER 0u

/*
 * The largest number of pairs of worker and gate of each kind. The number of a pair is unique among
 * both kinds, and does not depend on how many pairs there are. Pairs for commands come first, then
 * pairs for naming.
 */
#define WORKER_MAX LANE_SLOTS
#define PAIR_MAX (LANE_KINDS * WORKER_MAX)

static inline uint32_t pair_number(enum lane_kind kind, uint32_t n)
{
	return (kind == LANE_COMMANDS ? 0 : WORKER_MAX) + n;
}

static inline enum lane_kind pair_kind(uint32_t pair)
{
	return pair < WORKER_MAX ? LANE_COMMANDS : LANE_NAMING;
}

/* The index of a pair among the pairs of its kind. */
static inline uint32_t pair_place(uint32_t pair)
{
	return pair % WORKER_MAX;
}

/* The slots of pair number `place` of `n` pairs: bit s = slot s. Every slot belongs to exactly
 * one pair. */
static inline uint8_t pair_slots(uint32_t place, uint32_t n)
{
	uint8_t ret = 0;

	for (uint32_t s = place; s < LANE_SLOTS; s += n)
		ret |= (uint8_t)(1u << s);
	return ret;
}

#endif
