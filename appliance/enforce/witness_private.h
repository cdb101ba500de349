/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by witness.c (sessions between zones), witness_box.c (the box itself, resets, errors) and
 * witness_edges.c (choice of packets). Nobody else includes it.
 */
#ifndef SEKISHO_ENFORCE_WITNESS_PRIVATE_H
#define SEKISHO_ENFORCE_WITNESS_PRIVATE_H

#include "appliance/enforce/walk.h"
#include "appliance/enforce/witness.h"

#define PROTO_TCP 6u
#define PROTO_UDP 17u
#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_ACK 16u
#define TIME_NEAR 3u	    /* seconds around an end in which either answer is right */
#define NO_PERMIT 0x3ffff0u /* an id that no permit in force has */

struct asking {
	struct witness *w;
	const struct ruleset *r;
	witness_each *each;
	void *ctx;
	uint64_t random, deadline;
	unsigned told;
};

/* One test: a tuple with its input and output interface (positions in the policy). */
struct tuple {
	uint32_t in, out;
	struct addr src, dst;
	uint8_t l4proto;
	uint16_t port;
};

bool witness_over(const struct asking *a); /* enough was reported, or time is over */
void witness_tell(struct asking *a, const struct tuple *t, const char *kind, const char *what,
		  const struct walk_result *r);
/* A packet that opens a session, after its routing. */
struct walk_packet witness_packet(const struct asking *a, const struct tuple *t);
/* The conntrack mark of a normal live session. */
uint32_t witness_live_mark(uint32_t id, uint32_t lane);
/* Whether the permit may already have ended by the kernel's clock. */
static inline bool witness_ends_soon(const struct asking *a, const struct ir_permit *p)
{
	return p->until != 0 && p->until <= a->w->now + TIME_NEAR;
}
/* Whether any packet of a permit comes in at this interface: in the original direction, or
 * (`reply`) as an answer. */
bool witness_comes_in(const struct ir *ir, uint32_t permit, uint32_t interface, bool reply);
/* The walk of a packet from the wire to its queue, or through all chains. */
struct walk_result witness_forward(const struct asking *a, struct walk_packet *p);

/* Tests one tuple against the policy and the rules, and reports differences. */
void witness_put(struct asking *a, const struct tuple *t);

/* witness_box.c: nobody can reach the box, and the box sends only what it should. */
void witness_box(struct asking *a);
void witness_resets(struct asking *a);
void witness_errors(struct asking *a);

#endif
