/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a session may last or be idle, if its conduit limits that. The session's id is an
 * element with a timeout in a kernel set: added once, with its label, for the duration; renewed by
 * each packet for the idle time. A limited session that is not in its set is over. Bits of the
 * label tell that it was counted, and stay with it from policy to policy: so no change of policy,
 * and no restart of a process, counts a session twice.
 */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* Matches a session with this limit and continues with the rule. */
static enum ir_set put_limited(struct writer *w, enum ir_chain chain, uint32_t limit, bool counted)
{
	uint32_t bit = limit & IR_LIMIT_IDLE ? MARK_IDLES : MARK_AGES;

	put_rule(w, chain);
	put(w, IR_CTMARK, bit, bit);
	if (!counted)
		put(w, IR_MARK, bit, 0);
	put_set(w, IR_IN_SET, SET_LIMITED, KEY_LIMITED);
	w->rule->stmts[w->rule->n - 1].b = limit;
	return limit & IR_LIMIT_IDLE ? SET_IDLES : SET_AGES;
}

static void put_keep(struct writer *w, enum ir_set set, uint32_t limit)
{
	put_set(w, IR_KEEP, set, KEY_SESSION);
	w->rule->stmts[w->rule->n - 1].b = limit;
}

static void put_over(struct writer *w, enum ir_chain chain, uint32_t limit)
{
	enum ir_set set = put_limited(w, chain, limit, true);

	put_set(w, IR_NOT_IN_SET, set, KEY_SESSION);
	put_go(w, limit & IR_LIMIT_IDLE ? CHAIN_IDLED : CHAIN_AGED);
}

/* Used behind IR_LIVE, which marks packets of the session. A packet at a wrong interface keeps the
 * mark of that interface, without FAST or lane, and does not count for the session. */
void put_limits(struct writer *w, enum ir_chain chain)
{
	for (uint32_t i = 0; i < w->limits.n; i++) {
		put_over(w, chain, w->limits.list[i]);
		if ((w->limits.list[i] & IR_LIMIT_IDLE) == 0)
			continue;
		put_limited(w, chain, w->limits.list[i], true);
		put(w, IR_MARK_NOT, MARK_FAST | MARK_LANE_MASK, 0);
		put_keep(w, SET_IDLES, w->limits.list[i]);
	}
	if (w->limits.n == 0)
		return;
	put_rule(w, chain);
	put(w, IR_MARK, MARK_FAST, MARK_FAST);
	put_pass(w);
}

/*
 * Counts a session when it gets its label. The packet's mark is the session's former one, or that
 * of an interface: a session that was counted under another permit is not counted again. When the
 * set is full the session is refused, because its end would be unknown.
 */
void put_counted(struct writer *w, enum ir_chain chain)
{
	for (uint32_t i = 0; i < w->limits.n; i++) {
		enum ir_set set = put_limited(w, chain, w->limits.list[i], false);

		put_keep(w, set, w->limits.list[i]);
		put_limited(w, chain, w->limits.list[i], false);
		put_set(w, IR_NOT_IN_SET, set, KEY_SESSION);
		put_drop(w, R_LIMIT_FULL);
		put_over(w, chain, w->limits.list[i]);
	}
}

/* Used wherever a session may get a label: an ended session gets none, and the bits by which it was
 * counted are kept. */
void put_not_over(struct writer *w, enum ir_chain chain)
{
	for (int idle = 0; idle < 2; idle++) {
		put_rule(w, chain);
		put(w, IR_CTMARK, (idle ? MARK_IDLES : MARK_AGES) | MARK_PERMIT_MASK, idle ? MARK_IDLES : MARK_AGES);
		put_go(w, idle ? CHAIN_IDLED : CHAIN_AGED);
	}
}

/* Tells both ends, as when a permit ends (lapsed.c). A datagram session keeps its label, which says
 * that it is over. */
void limits_rules(struct writer *w)
{
	for (int idle = 0; idle < 2; idle++) {
		enum ir_chain chain = idle ? CHAIN_IDLED : CHAIN_AGED;
		enum reason reason = idle ? R_LIMIT_IDLE : R_LIMIT_SESSION;

		put_home_only(w, chain);
		put_rule(w, chain);
		put(w, IR_CT_STATE, CT_RELATED, 0);
		put_drop(w, reason);
		put_rule(w, chain);
		put(w, IR_L4PROTO, IPPROTO_TCP, 0);
		put(w, IR_FORGET, MARK_PERMIT_MASK | (idle ? MARK_AGES : MARK_IDLES), 0);
		put(w, IR_SET_MARK, idle ? MARK_IDLED : MARK_AGED, 0);
		put_rule(w, chain);
		put(w, IR_L4PROTO, IPPROTO_TCP, 0);
		put(w, IR_CT_DIRECTION, 1, 0);
		put(w, IR_ADD_MARK, MARK_REPLY, 0);
		put_rule(w, chain);
		put(w, IR_L4PROTO, IPPROTO_TCP, 0);
		put(w, IR_COUNT, reason, 0);
		put(w, IR_QUEUE, LANE_CUT, 0);
		put_rule(w, chain);
		put_drop(w, reason);
	}
}
