/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: how they begin, what happens when they are not or no longer live, and their limits. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* ---- limits of sessions ---------------------------------------------------------------------- */

/*
 * Limits how long a session may last or be idle, if its conduit says so. For each limit, the
 * session's id is put into a kernel set with a timeout. For the duration it is put there once, when
 * the session gets its label. For the idle time each packet renews the timeout. A limited session
 * that is not in its set is over. Bits of the label tell that the session was counted, and stay
 * when the policy changes. So neither a change of policy nor a restart of a process counts a
 * session twice.
 */

/* Begins a rule for sessions with this limit; the caller continues it. */
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

/*
 * Counts a session when it gets its label. The packet's mark is the session's former one, or that
 * of an interface: a session that was counted under another permit is not counted again. When the
 * set is full the session is refused, because its end would be unknown.
 */
static void put_counted(struct writer *w, enum ir_chain chain)
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

/* Used wherever a session may get a label. A session that was ended by its limits gets none, and
 * keeps the bits that say so. */
static void put_not_over(struct writer *w, enum ir_chain chain)
{
	for (int idle = 0; idle < 2; idle++) {
		put_rule(w, chain);
		put(w, IR_CTMARK, (idle ? MARK_IDLES : MARK_AGES) | MARK_PERMIT_MASK, idle ? MARK_IDLES : MARK_AGES);
		put_go(w, idle ? CHAIN_IDLED : CHAIN_AGED);
	}
}

/* Used after IR_LIVE, which marks packets of live sessions. A packet at a wrong interface keeps the
 * mark of that interface, which has neither FAST nor a lane, so it does not renew the session's
 * idle time. */
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

/* Ends a session that exceeded a limit. Both ends of a TCP session are told, as when a permit ends.
 * A datagram session keeps its label, which says that it is over. */
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

/* ---- sessions that begin --------------------------------------------------------------------- */

/* A session that begins: whether a cell allows it, how fast sessions may open, how many there may
 * be, and its lane. */

#define OPTION_MULTIPATH 30u

void new_rules(struct writer *w)
{
	/* A SYN without FIN, RST or ACK opens a session; several rules, because one cannot say "not
	 * equal" for several bits. */
	static const struct {
		uint8_t mask, value;
	} wrong[] = {
		{ TCP_SYN, 0 },
		{ TCP_ACK, TCP_ACK },
		{ TCP_RST, TCP_RST },
		{ TCP_FIN, TCP_FIN },
	};

	put_home_only(w, CHAIN_NEW);
	put_not_over(w, CHAIN_NEW);
	/* A datagram session stays new until it is answered, and may have been counted already. */
	put_rule(w, CHAIN_NEW);
	put(w, IR_CTMARK_NOT, MARK_LIMITS, 0);
	put(w, IR_COPY_MARK, 0, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put_rule(w, CHAIN_NEW);
		put(w, IR_L4PROTO, IPPROTO_TCP, 0);
		put(w, IR_TCP_FLAGS, wrong[i].mask, wrong[i].value);
		put_drop(w, R_TCP_FLAGS);
	}
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < cell_maps(w); i++)
			put_admitted(w, CHAIN_NEW, f == 1, cell_map(w, f == 1, i), KEY_PACKET, CHAIN_PACE);
	put_rule(w, CHAIN_NEW);
	put_drop(w, R_NO_CONDUIT);
}

/*
 * How fast sessions may open, by interface and lane, before any queue: a flood of new sessions must
 * not push live ones out of their lane's queue. A pair of hosts that opens few has a pace of its
 * own, so a flood of others does not affect it.
 */
static void in_pace(struct writer *w, enum ir_chain chain, enum ir_stmt_kind then, uint32_t where)
{
	for (uint32_t family = 4; family <= 6; family += 2) {
		put_rule(w, chain);
		put(w, IR_FAMILY, family, 0);
		put_paced(w, family == 4 ? SET_PACE4 : SET_PACE6, KEY_PACE_PAIR, IR_PAIR_RATE, IR_PAIR_BURST);
		put_paced(w, SET_PACE_FEW, KEY_PACE_ZONE, IR_FEW_RATE, IR_FEW_BURST);
		put(w, then, where, 0);
	}
	put_rule(w, chain);
	put_paced(w, SET_PACE_MANY, KEY_PACE_ZONE, IR_MANY_RATE, IR_MANY_BURST);
	put(w, then, where, 0);
	put_rule(w, chain);
	put_drop(w, R_PACE);
}

/*
 * Inspected sessions use one path: Multipath TCP spreads a stream over several connections, which
 * are seen one by one. The option is removed from the SYN, so neither end hears of an offer, and
 * both continue as plain TCP without delay. A SYN that would have joined becomes a connection of
 * its own, which its sender gives up. The kernel removes one such option; a second one is no
 * accident, so the packet is refused.
 */
static void one_path(struct writer *w, enum ir_chain chain)
{
	put_rule(w, chain);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	put(w, IR_TCP_STRIP, OPTION_MULTIPATH, 0);
	put_rule(w, chain);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	put(w, IR_TCP_OPTION, OPTION_MULTIPATH, 0);
	put_drop(w, R_MULTIPATH);
}

/* A flood of SYN-ACKs is as bad as one of SYNs. */
void take_rules(struct writer *w)
{
	in_pace(w, CHAIN_TAKEN, IR_GOTO, CHAIN_LOOKUP);
}

/*
 * How many sessions there are in each lane, by pair of hosts and by interface: a host that may ask
 * a name server must not fill connection tracking for all zones. The pair is checked first, so that
 * a greedy one is stopped before its side is full.
 */
void share_rules(struct writer *w)
{
	in_pace(w, CHAIN_PACE, IR_GOTO, CHAIN_SHARE);
	one_path(w, CHAIN_AGAIN);
	in_pace(w, CHAIN_AGAIN, IR_GOTO_LANE, 0);
	for (uint32_t family = 4; family <= 6; family += 2) {
		put_rule(w, CHAIN_SHARE);
		put(w, IR_FAMILY, family, 0);
		put_set(w, IR_CROWD, family == 4 ? SET_SHARE4 : SET_SHARE6, KEY_SHARE_PAIR);
		put_go(w, CHAIN_FULL_PAIR);
	}
	put_rule(w, CHAIN_SHARE);
	put_set(w, IR_CROWD, SET_SHARE_ZONE, KEY_SHARE_ZONE);
	put_go(w, CHAIN_FULL_ZONE);
	put_rule(w, CHAIN_SHARE);
	put_go(w, CHAIN_ADMIT);
	put_rule(w, CHAIN_FULL_PAIR);
	put_drop(w, R_SHARE_PAIR);
	put_rule(w, CHAIN_FULL_ZONE);
	put_drop(w, R_SHARE_ZONE);
}

/* Sends the packet of a session that has just got its label to the label's lane. */
void admit_rules(struct writer *w)
{
	/* Isolations are checked again here, because only now the permit is known. */
	put_apart(w, CHAIN_ADMIT, CHAIN_PARTED);
	put_counted(w, CHAIN_ADMIT);
	put_rule(w, CHAIN_ADMIT);
	put(w, IR_COPY_MARK, MARK_OUTCOME_MASK | MARK_LIMITS, 0);
	put_rule(w, CHAIN_ADMIT);
	put(w, IR_MARK, MARK_LANE_MASK, 0);
	put(w, IR_SET_MARK, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
	one_path(w, CHAIN_ADMIT);
	/* The first packet of a session that was looked up again may be an answer. */
	put_rule(w, CHAIN_ADMIT);
	put(w, IR_CT_DIRECTION, 1, 0);
	put(w, IR_ADD_MARK, MARK_REPLY, 0);
	put_rule(w, CHAIN_ADMIT);
	put(w, IR_GOTO_LANE, 0, 0);
	/* A lane without queues: no policy in force uses it. */
	put_rule(w, CHAIN_ADMIT);
	put_drop(w, R_STALE);
}

/* ---- sessions that are not live -------------------------------------------------------------- */

/* Sessions that are not live, or no longer: looked up again, and cut or refused when nothing allows
 * them. */

/* segments without a session that are answered, per second and direction of lookup */
#define STRAY_RATE 500u

/*
 * A tracked session that the map `live` does not have for this interface and direction. If its
 * permit is live, the packet came in at a wrong interface. That is checked first, before anything
 * is written to the session: a spoofed packet can neither relabel nor cut an allowed session.
 * Otherwise its permit has ended or was narrowed, and the session is looked up again. Only a packet
 * from its source's interface starts this: between a change of policy and the session's next packet
 * no stranger can act for it.
 */
void lapsed_rules(struct writer *w)
{
	put_home_only(w, CHAIN_LAPSED);
	put_rule(w, CHAIN_LAPSED);
	put_set(w, IR_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	put_drop(w, R_SPOOFED);
	put_rule(w, CHAIN_LAPSED);
	put_go(w, CHAIN_LOOKUP);
}

/*
 * A packet that a worker had while its session's permit changed or ended. It must not be lost, so
 * it is queued again, to be judged by the present permit.
 */
void renew_rules(struct writer *w)
{
	put_rule(w, CHAIN_RENEW);
	put_set(w, IR_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	put(w, IR_COPY_MARK, 0, 0);
	put_go(w, CHAIN_ADMIT);
	put_rule(w, CHAIN_RENEW);
	put_go(w, CHAIN_LOOKUP);
}

/* Looks up the session again by its original direction, and cuts it when nothing allows it now. The
 * packet mark carries the session's former state across the map, which writes a whole mark. */
void lookup_rules(struct writer *w)
{
	put_not_over(w, CHAIN_LOOKUP);
	put_rule(w, CHAIN_LOOKUP);
	put(w, IR_COPY_MARK, 0, 0);
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < cell_maps(w); i++)
			for (uint32_t direction = 0; direction < 2; direction++)
				put_admitted(w, CHAIN_LOOKUP, f == 1, cell_map(w, f == 1, i),
					     direction ? KEY_ORIGINAL_BACK : KEY_ORIGINAL, CHAIN_RELABEL);
	/* Without the isolation, a session under a lingering permit would go on. */
	put_apart(w, CHAIN_LOOKUP, CHAIN_PARTED);
	put_rule(w, CHAIN_LOOKUP);
	put_go(w, CHAIN_CUT);
}

/*
 * A session that was judged counts as judged under the new permit too, and `hold` lets it continue.
 * A confirmation belongs to the old permit; its worker repeats it when the new permit allows the
 * same protocols. A session without inspection has no outcome in its mark, as in the map `live`.
 */
void relabel_rules(struct writer *w)
{
	put_rule(w, CHAIN_RELABEL);
	put(w, IR_CTMARK, MARK_LANE_MASK, 0);
	put_go(w, CHAIN_ADMIT);
	put_rule(w, CHAIN_RELABEL);
	put(w, IR_MARK_NOT, MARK_OUTCOME_MASK, MARK_UNJUDGED << MARK_OUTCOME_SHIFT);
	put(w, IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0);
	put_rule(w, CHAIN_RELABEL);
	put_go(w, CHAIN_ADMIT);
}

/*
 * The worker uses the packet's sequence numbers to reset both ends; the packet itself is dropped.
 * The queue has no bypass: without a worker's answer, the packet is dropped too. The label of a
 * session that begins anew over a live one is removed here: resets need a session without a label,
 * and data that follow at once would pass by the label.
 */
void cut_rules(struct writer *w)
{
	put_rule(w, CHAIN_CUT);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK);
	put(w, IR_FORGET, MARK_PERMIT_MASK, 0);
	put_rule(w, CHAIN_CUT);
	put(w, IR_SET_MARK, mark_make(0, LANE_CUT, MARK_UNJUDGED), 0);
	put_rule(w, CHAIN_CUT);
	put(w, IR_CT_DIRECTION, 1, 0);
	put(w, IR_ADD_MARK, MARK_REPLY, 0);
	put_rule(w, CHAIN_CUT);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_COUNT, R_ENDED, 0);
	put(w, IR_QUEUE, LANE_CUT, 0);
	put_rule(w, CHAIN_CUT);
	put_drop(w, R_ENDED);
}

/* A TCP segment without a session is answered by a reset if some conduit allows its pair of hosts
 * and port, so that the peer reconnects. Other segments get no answer. */
void invalid_rules(struct writer *w)
{
	put_rule(w, CHAIN_INVALID);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_RST, TCP_RST);
	put_drop(w, R_INVALID);
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < cell_maps(w); i++)
			for (int back = 0; back < 2; back++) {
				put_rule(w, CHAIN_INVALID);
				put_transport(w, f ? 6 : 4, IPPROTO_TCP);
				put_set(w, IR_KNOWN, cell_map(w, f == 1, i), back ? KEY_PACKET_BACK : KEY_PACKET);
				put(w, IR_LIMIT, STRAY_RATE, STRAY_RATE);
				put(w, IR_SET_MARK, MARK_STRAY, 0);
				put(w, IR_COUNT, R_NO_SESSION, 0);
				put(w, IR_QUEUE, LANE_CUT, 0);
			}
	put_rule(w, CHAIN_INVALID);
	put_drop(w, R_INVALID);
}
