/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the rules in the kernel do what the policy says? Packets at the edges of everything that the
 * policy and the rules name are given both to the policy's evaluator and to a walk through the
 * table as it was read. Each packet for which the two differ is reported. Pure but for its arena;
 * deterministic for a seed.
 */
#ifndef SEKISHO_ENFORCE_WITNESS_H
#define SEKISHO_ENFORCE_WITNESS_H

#include "appliance/kernel/apart.h"
#include "appliance/kernel/ruleset.h"
#include "policy/ir/ir.h"

struct witness {
	const struct ir *ir;
	const uint32_t *ids;	    /* permit id per permit index */
	const uint32_t *interfaces; /* kernel index per interface; 0 = not there */
	uint64_t now;		    /* seconds since 1970 */
	uint64_t seed;
	uint64_t limit_ns; /* longest time to ask; 0 = no limit */
	/* called from time to time with the number of packets so far; may be NULL */
	void (*between)(void *ctx, uint64_t packets);
	/* true: stop, because nobody waits for the result any more; may be NULL */
	bool (*stopped)(void *ctx);
	void *between_ctx; /* of both */
	uint64_t packets;  /* filled: how many were asked */
};

/* `what`: "passes" (the policy refuses it), "refused" (it allows it), "otherwise" (another way than
 * the policy's). */
typedef void witness_each(void *ctx, const char *what, const char *packet);
void witness_ask(struct witness *w, const struct ruleset *r, witness_each *each, void *ctx);

/* Whatever the policy says, nothing passes between these: asked from a drawn cell on, for limit_ns
 * as well. */
void witness_isolated(struct witness *w, const struct apart *apart, const struct apart *kept, const struct ruleset *r,
		      witness_each *each, void *ctx);

#endif
