/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of the 32-bit mark, defined once.
 *
 * The conntrack mark remembers what a flow is: the permit that admitted it, the lane (queue group) that
 * inspects it, and the outcome that was last said of it. The packet mark carries permit and lane to the
 * queue, with the direction that tracking knows, and permit and outcome back from the worker. Everybody (compiler, enforce,
 * gate, worker, renderers) takes the layout from here.
 *
 *   bit 31     FAST    packet mark only: the forward chain let this packet by without a queue
 *   bit 30     REPLY   packet mark only: it goes against the direction in which its session was opened
 *   bits 24-29 lane    (6 bits; 0 = not inspected, 63 = cut)
 *   bits 22-23 outcome (2 bits)
 *   bits 0-21  permit  (22 bits; 0 = none)
 *
 * What a worker may say of a packet, outcome and permit, are the three lower bytes, and what it may not is the upper one: a
 * form of a verdict can leave the former blank (appliance/worker/form.h).
 */
#ifndef SEKISHO_WIRE_MARK_H
#define SEKISHO_WIRE_MARK_H

#include <stdint.h>

#define MARK_PERMIT_MASK 0x003fffffu
#define MARK_LANE_MASK 0x3f000000u
#define MARK_LANE_SHIFT 24
#define MARK_OUTCOME_MASK 0x00c00000u
#define MARK_OUTCOME_SHIFT 22
#define MARK_REPLY 0x40000000u
#define MARK_FAST 0x80000000u

#define PERMIT_MAX 0x003fffffu /* highest permit id; 0 means "no permit" */

/* The lane of packets whose flow is no longer permitted; they are answered only by resets. */
#define LANE_NONE 0u
#define LANE_CUT 63u
#define LANE_COUNT 64u

/* Outcomes as they stand in a mark. The worker says them, the post-queue chain enforces. */
enum mark_outcome {
	MARK_UNJUDGED = 0,  /* nobody has answered for this flow yet */
	MARK_GOOD = 1,	    /* judged and passed; the flow stays in its lane */
	MARK_CONFIRMED = 2, /* the promised protocol is known: a naming lane may let go of it */
	MARK_QUIET = 3,	    /* as MARK_GOOD, and its worker can do without acknowledgements that carry nothing */
};

/* The packet mark of TCP that belongs to no session: it goes the way of the cut lane, and an outcome tells it from
 * segments of sessions whose permission ended. */
#define MARK_STRAY (LANE_CUT << MARK_LANE_SHIFT | (uint32_t)MARK_GOOD << MARK_OUTCOME_SHIFT)

static inline uint32_t mark_make(uint32_t permit, uint32_t lane, enum mark_outcome outcome)
{
	return (permit & MARK_PERMIT_MASK) | ((lane << MARK_LANE_SHIFT) & MARK_LANE_MASK) |
	       (((uint32_t)outcome << MARK_OUTCOME_SHIFT) & MARK_OUTCOME_MASK);
}

/* The packet mark of what arrives, until the rules have decided: the kernel's number of its interface, and nothing in any
 * other field. The kernel's own answers (echo, errors) have the mark of what they answer, and so tell where that came from. */
static inline uint32_t mark_arrived(uint32_t interface)
{
	return interface;
}

static inline uint32_t mark_permit(uint32_t mark)
{
	return mark & MARK_PERMIT_MASK;
}

static inline uint32_t mark_lane(uint32_t mark)
{
	return (mark & MARK_LANE_MASK) >> MARK_LANE_SHIFT;
}

static inline uint32_t mark_outcome(uint32_t mark)
{
	return (mark & MARK_OUTCOME_MASK) >> MARK_OUTCOME_SHIFT;
}

#endif
