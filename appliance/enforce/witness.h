/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks whether the rules in the kernel do what the policy says. Packets at the edges of
 * everything that the policy and the rules name are judged by the policy's evaluator, and by a walk
 * through the table that was read. Each packet with different results is reported. Pure but for its
 * arena; deterministic for a seed.
 */
#ifndef SEKISHO_ENFORCE_WITNESS_H
#define SEKISHO_ENFORCE_WITNESS_H

#include "appliance/kernel/apart.h"
#include "appliance/kernel/ruleset.h"
#include "policy/ir/ir.h"

struct witness {
	const struct ir *ir;
	const uint32_t *ids;	    /* permit id per permit index */
	const uint32_t *interfaces; /* kernel index per interface; 0 = missing */
	uint64_t now;		    /* seconds since 1970 */
	uint64_t seed;
	uint64_t limit_ns; /* longest duration; 0 = no limit */
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

/* Tests that nothing passes between isolated pairs, whatever the policy says: from a random cell
 * on, for limit_ns as well. */
void witness_isolated(struct witness *w, const struct apart *apart, const struct apart *kept, const struct ruleset *r,
		      witness_each *each, void *ctx);

#endif
