/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sessions there may be, how fast they may begin, and how long they may last or be idle.
 */
#ifndef SEKISHO_POLICY_IR_LIMITS_H
#define SEKISHO_POLICY_IR_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct ir;
struct ir_permit;

/*
 * Limits of tracked sessions per lane, for each interface and for each pair of hosts. The kernel
 * counts the sessions of an element by walking a list. So each limit is divided into parts, and a
 * new session is counted in a random part: its cost does not grow with the number of sessions.
 * Parts fill unevenly, because they are chosen at random. So a few sessions are refused before the
 * limit is reached; the comments below say how few.
 */
/* An interface: 40,960 sessions in a lane. At 24,000, as many as SYNs can fill
 * (docs/decisions/shares.md), one part in 20,000 is full. */
#define IR_ZONE_PART 64u
#define IR_ZONE_PARTS 640u
/* A pair of hosts: 8,192 sessions. At 3,300 one part in a thousand is full, at 4,096 one in a
 * hundred. */
#define IR_PAIR_PART 16u
#define IR_PAIR_PARTS 512u
#define IR_ZONE_SESSIONS (IR_ZONE_PART * IR_ZONE_PARTS)
#define IR_PAIR_SESSIONS (IR_PAIR_PART * IR_PAIR_PARTS)
/* New sessions per second of one pair of hosts. Up to this rate a pair does not compete with pairs
 * that open more. */
#define IR_PAIR_RATE 50u
#define IR_PAIR_BURST 100u
#define IR_FEW_RATE 4000u /* new sessions per second of all such pairs of an interface, in a lane */
#define IR_FEW_BURST 500u
#define IR_MANY_RATE 8000u /* of all other pairs */
#define IR_MANY_BURST 1000u
/* Neighbour solicitations per second for the box, of one interface. Each may create an entry in the
 * kernel's only neighbour table, which stays for at least five seconds. */
#define IR_LINK_RATE 1000u
#define IR_LINK_BURST 4000u
/* A session limit: bit 31 says whether it limits idle time or duration; the other bits are
 * seconds. */
#define IR_LIMIT_IDLE 0x80000000u
#define IR_LIMIT_S 0x7fffffffu
/* Different session limits of a generation, at most. For each one there is a rule against which
 * packets of limited conduits are tested. */
#define IR_LIMITS 16u
struct ir_limits {
	uint32_t list[IR_LIMITS]; /* ascending */
	uint32_t n;
	bool full; /* there were more */
};
void ir_limits_add(struct ir_limits *l, uint32_t limit); /* a limit of 0 seconds is not added */
void ir_limits_add_all(struct ir_limits *l, const struct ir *ir);
/* The conntrack mark of a session of this permit. */
uint32_t ir_label(const struct ir_permit *p, uint32_t id);

#endif
