/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: groups of queues that keep traffic of different weight and failure decision apart.
 *
 * A lane's number is its content: kind, criticality and the two failure decisions, so that the compiler, the
 * gate and the renderers never need a table to agree. Lane 0 is "no inspection", lane 63 is "cut".
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
#define LANE_SHARES (LANE_KINDS * CRITICALITIES) /* parts of a worker: number kind * CRITICALITIES + criticality */
/* Ordered from the strictest; joint settings take the smaller value. */
enum failure { FAIL_CLOSED = 0, FAIL_HOLD = 1, FAIL_OPEN = 2 };
enum midstream { MID_DROP = 0, MID_RESET = 1, MID_PICK_UP = 2 };

struct lane {
	enum lane_kind kind;
	enum criticality criticality;
	enum failure when_down;
	enum failure when_overloaded;
};

/* 1 to 54. */
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

/*
 * What the post-queue chain does with a packet that passed the queue unanswered. The kernel cannot see why:
 * a cause that is `closed` never lets a packet pass the queue, so the other cause speaks; when both may, the
 * stricter one does.
 */
static inline enum failure lane_unanswered(struct lane l)
{
	if (l.when_down == FAIL_CLOSED)
		return l.when_overloaded;
	if (l.when_overloaded == FAIL_CLOSED)
		return l.when_down;
	return l.when_down < l.when_overloaded ? l.when_down : l.when_overloaded;
}

#define WORKER_MAX 8u
#define QUEUE_BASE 1000u
/* NFQUEUE number of a lane at a worker; the queues of one lane are adjacent, as queue balancing needs. */
static inline uint16_t lane_queue(uint32_t lane, uint32_t worker)
{
	return (uint16_t)(QUEUE_BASE + lane * WORKER_MAX + worker);
}

#endif
