/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of the 32-bit mark, defined once.
 *
 * The conntrack mark stores for a session the permit that admitted it, the lane (group of queues)
 * that inspects it, and the last outcome. The packet mark carries permit and lane to the queue,
 * with the direction as connection tracking knows it, and brings permit and outcome back from the
 * worker. Compiler, enforce, gate, worker and renderers all take the layout from here.
 *
 *   bit 31     FAST    packet mark only: the forward chain let this packet pass without a queue;
 *                      with a lane (TWIN): a worker gets this datagram for the second time
 *   bit 30     REPLY   packet mark only: the packet's direction is not the one in which its session
 *                      was opened
 *   bits 30-31         conntrack mark only: the kernel watches idle time and age of the session
 *                      (policy/ir/skeleton/sessions.c)
 *   bits 24-29 lane    (6 bits; 0 = not inspected, 63 = cut)
 *   bits 22-23 outcome (2 bits)
 *   bits 0-21  permit  (22 bits; 0 = none)
 *
 * A worker may set outcome and permit, which are the three lower bytes, but not the upper byte. So
 * a form of a verdict leaves only the three lower bytes open (appliance/worker/form.h).
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
/* A datagram of a command lane that its worker did not judge (PERMIT_TWIN): now it is a packet of
 * the twin, the session that the other end would have opened. If no cell allows a twin, it comes
 * as before, for a final judgement. */
#define MARK_TWIN MARK_FAST

/* Conntrack mark only: the session has a limit of idle time, age or both; the conntrack label says
 * so, too. If the label is gone but these bits are set, the limit has ended the session. */
#define MARK_AGES 0x80000000u
#define MARK_IDLES 0x40000000u
#define MARK_LIMITS (MARK_AGES | MARK_IDLES)

#define PERMIT_MAX 0x003ffffeu /* highest permit id; 0 means "no permit" */
/* In a verdict on a datagram: its session does not allow it, but its twin may. The rules show the
 * datagram to the worker again; with this permit it never passes. */
#define PERMIT_TWIN 0x003fffffu

/* LANE_NONE: packets are not inspected. LANE_CUT: packets of sessions that no permit allows
 * any more; they are only answered by resets. */
#define LANE_NONE 0u
#define LANE_CUT 63u
#define LANE_COUNT 64u

/* Outcomes in a mark. The worker sets them, the chain after the queue enforces them. */
enum mark_outcome {
	MARK_UNJUDGED = 0, /* no worker has judged this flow yet */
	MARK_GOOD = 1,	   /* judged and passed; the flow stays in its lane */
	/* the protocol is confirmed: a naming lane need not inspect the flow any more */
	MARK_CONFIRMED = 2,
	/* as MARK_GOOD, and the worker does not need acknowledgements without data */
	MARK_QUIET = 3,
};

/* The packet mark of TCP segments without a session. They go to the cut lane; the outcome
 * distinguishes them from segments of sessions that lost their permit. */
#define MARK_STRAY (LANE_CUT << MARK_LANE_SHIFT | (uint32_t)MARK_GOOD << MARK_OUTCOME_SHIFT)

/* The packet mark in the cut lane of a session that a limit ended: by its age, or by its idle time.
 * Other packets in that lane have no outcome. */
#define MARK_AGED (LANE_CUT << MARK_LANE_SHIFT | (uint32_t)MARK_CONFIRMED << MARK_OUTCOME_SHIFT)
#define MARK_IDLED (LANE_CUT << MARK_LANE_SHIFT | (uint32_t)MARK_QUIET << MARK_OUTCOME_SHIFT)

static inline uint32_t mark_make(uint32_t permit, uint32_t lane, enum mark_outcome outcome)
{
	return (permit & MARK_PERMIT_MASK) | ((lane << MARK_LANE_SHIFT) & MARK_LANE_MASK) |
	       (((uint32_t)outcome << MARK_OUTCOME_SHIFT) & MARK_OUTCOME_MASK);
}

/* The packet mark of an arriving packet until the rules have decided: the kernel's number of its
 * interface, and zero in all other fields. The kernel's own answers (echo, errors) inherit the mark
 * of the packet that they answer, so they show at which interface that packet arrived. */
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
