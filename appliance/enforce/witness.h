/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks whether the rules in the kernel do what the policy says. Packets at the edges of
 * everything that the policy and the rules name are judged by the policy's evaluator, and by a walk
 * through the table that was read. Each packet for which the two differ is reported. Pure but for
 * its arena; deterministic for a seed.
 */
#ifndef SEKISHO_ENFORCE_WITNESS_H
#define SEKISHO_ENFORCE_WITNESS_H

#include "appliance/base/addr.h"
#include "appliance/kernel/apart.h"
#include "appliance/kernel/ruleset.h"
#include "policy/ir/ir.h"

struct witness {
	const struct ir *ir;
	const uint32_t *ids;	    /* permit id per permit index */
	const uint32_t *interfaces; /* kernel index per interface; 0 = missing */
	uint64_t now;		    /* seconds since 1970 */
	uint64_t seed;
	uint64_t limit_ns; /* longest duration in ns; 0 = no limit */
	/* called from time to time with the number of packets so far; may be NULL */
	void (*between)(void *ctx, uint64_t packets);
	/* true: stop, because nobody waits for the result any more; may be NULL */
	bool (*stopped)(void *ctx);
	void *between_ctx; /* context of both callbacks */
	uint64_t packets;  /* result: number of tested packets */
};

/* `what`: "passes" (the policy refuses it), "refused" (the policy allows it), "otherwise" (it takes
 * another way than the policy says). */
typedef void witness_each(void *ctx, const char *what, const char *packet);
void witness_ask(struct witness *w, const struct ruleset *r, witness_each *each, void *ctx);

/* Tests that nothing passes between isolated pairs, whatever the policy says. Begins at a random
 * cell, and also takes at most limit_ns. */
void witness_isolated(struct witness *w, const struct apart *apart, const struct apart *kept, const struct ruleset *r,
		      witness_each *each, void *ctx);

/* ---- enforce/walk.c -------------------------------------------------------------------------- */

/*
 * The way of one packet through a table that was read from the kernel, step by step as in the
 * kernel: chains by hook and priority, registers, lookups, marks. It knows nothing of the rules'
 * purpose. Pure. It assumes a box at rest: no rate limit is reached and no share is full.
 */

enum walk_state { WALK_NEW, WALK_ESTABLISHED, WALK_RELATED, WALK_INVALID };

struct walk_packet {
	uint32_t iif, oif; /* kernel indexes */
	struct addr src, dst;
	uint8_t l4proto;
	uint16_t sport, dport; /* ICMP: dport is type << 8 | code */
	uint8_t tcp_flags;
	uint16_t payload; /* bytes of data after the TCP header */
	uint8_t words;	  /* length of the TCP header in 32-bit words; 0 stands for 5 */
	uint8_t hop_limit;
	bool options; /* IPv4 options, or an IPv6 extension header */
	bool routed;  /* the source is routed through the input interface */
	enum walk_state state;
	bool reply;
	struct addr first_src, first_dst; /* addresses of the session's original direction */
	uint16_t first_port;
	uint32_t mark, ct_mark; /* rules may change both */
};

enum walk_end { WALK_ACCEPT, WALK_DROP, WALK_QUEUE, WALK_UNKNOWN };

struct walk_result {
	enum walk_end end;
	uint16_t queue, queues; /* WALK_QUEUE */
	bool bypass;
	/* priority of the base chain that ended the walk; a queued packet continues after it */
	int32_t priority;
	const char *chain; /* where it ended */
};

/* Walks through the base chains of `hook` with a priority above `after` (INT32_MIN: all of
 * them). */
struct walk_result walk_hook(const struct ruleset *r, uint32_t hook, int32_t after, struct walk_packet *p);

/* ---- witness.c (sessions between zones), witness_box.c (the box itself, resets, errors) and
 * witness_edges.c (choice of packets) among themselves ----------------------------------------- */

#define WALK_TCP 6u
#define WALK_UDP 17u
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
