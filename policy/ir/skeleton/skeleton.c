/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed rules around the maps. They are the same for every policy; only the queue chains depend
 * on which lanes are in use, and what limits sessions on the limits that there are. Read in the
 * order of chains.h: this is all that the box does with a packet that it forwards, receives or
 * sends.
 *
 *   guard     before tracking: what could only harm the sessions that tracking knows, errors about
 *             them included
 *   forward   what people isolated first; then what tracking says of the packet decides where it
 *             goes, live sessions by one lookup
 *   post      the same hook, later: nothing leaves but what was let by (FAST) or judged by the
 *             policy now in force; what was judged by one that has changed since goes to its worker
 *             once more
 *   last      the same hook, after that: what was judged a second time
 *   input     packets for the box itself, where nothing listens
 *   output    packets of the box itself: neighbour discovery, errors, echo answers, resets
 *
 * Every chain ends in a counted drop; the base chains' policy is drop besides. Every path from
 * `forward` to `post` sets the packet mark, so a mark that a packet brings along never counts.
 */
#include "policy/ir/ir.h"
#include "policy/ir/skeleton/chains.h"

size_t ir_skeleton(uint64_t lanes, uint32_t layers, const struct ir_limits *limits, struct arena *a,
		   struct ir_rule **ret)
{
	struct writer w = { .a = a, .layers = layers < IR_LAYERS ? layers : IR_LAYERS, .limits = *limits };

	guard_rules(&w);
	forward_rules(&w);
	begun_rules(&w);
	related_rules(&w);
	bare_rules(&w);
	new_rules(&w);
	share_rules(&w);
	admit_rules(&w);
	lapsed_rules(&w);
	renew_rules(&w);
	lookup_rules(&w);
	relabel_rules(&w);
	cut_rules(&w);
	invalid_rules(&w);
	apart_rules(&w);
	limits_rules(&w);
	lane_rules(&w, lanes);
	post_rules(&w);
	failure_rules(&w);
	input_rules(&w);
	output_rules(&w);
	answer_rules(&w);
	*ret = w.rules;
	return arena_failed(a) ? 0 : w.n;
}

static bool has(const struct ir_rule *r, enum ir_stmt_kind kind, uint32_t a)
{
	for (uint32_t k = 0; k < r->n; k++)
		if (r->stmts[k].kind == kind && r->stmts[k].a == a)
			return true;
	return false;
}

bool ir_logged(const struct ir_rule *rules, size_t n, uint32_t reason)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!has(&rules[i], IR_COUNT, reason))
			continue;
		if (!has(&rules[i], IR_LOG, reason))
			return false;
		any = true;
	}
	return any;
}
