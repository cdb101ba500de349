/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed rules around the maps. They are the same for every policy, except that the queue chains
 * depend on the lanes in use, the limit rules on the session limits in use, and the rules of
 * lasting.c on whether some permit allows lasting subscriptions. Together they are
 * all that the box does with a packet that it forwards, receives or sends, in the order of
 * chains.h:
 *
 *   guard     before tracking: drops what could only harm tracked sessions, including errors
 *             about them
 *   forward   isolated traffic is dropped first; then a packet goes on by its tracking state
 *             (chain sort), live sessions by one lookup
 *   post      the same hook, later: only packets pass that were accepted (FAST) or judged by the
 *             policy in force; a packet that was judged by an earlier policy goes to its worker
 *             once more
 *   last      the same hook, after post: packets that were judged a second time
 *   input     packets for the box itself, which has no listeners
 *   output    packets from the box itself: neighbour discovery, errors, echo replies, resets
 *
 * Every chain ends in a counted drop; the policy of the base chains is drop as well. Every path
 * from `forward` to `post` sets the packet mark, so a mark that a packet brings along has no
 * effect.
 */
#include "policy/ir/ir.h"
#include "policy/ir/lasting.h"
#include "policy/ir/limits.h"
#include "policy/ir/rules.h"
#include "policy/ir/sets.h"
#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/sessions.h"
#include "policy/ir/skeleton/writer.h"

size_t ir_skeleton(uint64_t lanes, struct ir_maps maps, const struct ir_limits *limits, struct arena *a,
		   struct ir_rule **ret)
{
	struct writer w = { .a = a, .maps = maps, .limits = *limits, .lasting = (lanes & LANES_LASTING) != 0 };

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
	twin_rules(&w);
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
