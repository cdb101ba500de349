/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: how they begin, what happens when they are not or no longer live, and their limits. */
#include <netinet/in.h>

#include "appliance/wire/lasting.h"
#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/sessions.h"
#include "policy/ir/skeleton/writer.h"

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

	RULE(w, chain, DO(IR_CTMARK, bit, bit));
	if (!counted)
		PUT(w, DO(IR_MARK, bit, 0));
	PUT(w, DO_IN(IR_IN_SET, SET_LIMITED, KEY_LIMITED, limit, 0));
	return limit & IR_LIMIT_IDLE ? SET_IDLES : SET_AGES;
}

static void put_over(struct writer *w, enum ir_chain chain, uint32_t limit)
{
	enum ir_set set = put_limited(w, chain, limit, true);

	PUT(w, DO_SET(IR_NOT_IN_SET, set, KEY_SESSION), DO_GO(limit & IR_LIMIT_IDLE ? CHAIN_IDLED : CHAIN_AGED));
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

		PUT(w, DO_IN(IR_KEEP, set, KEY_SESSION, w->limits.list[i], 0));
		put_limited(w, chain, w->limits.list[i], false);
		PUT(w, DO_SET(IR_NOT_IN_SET, set, KEY_SESSION), DO_DROP(R_LIMIT_FULL));
		put_over(w, chain, w->limits.list[i]);
	}
}

/* Used wherever a session may get a label. A session that was ended by its limits gets none, and
 * keeps the bits that say so. */
static void put_not_over(struct writer *w, enum ir_chain chain)
{
	for (int idle = 0; idle < 2; idle++) {
		RULE(w, chain,
		     DO(IR_CTMARK, (idle ? MARK_IDLES : MARK_AGES) | MARK_PERMIT_MASK, idle ? MARK_IDLES : MARK_AGES),
		     DO_GO(idle ? CHAIN_IDLED : CHAIN_AGED));
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
		PUT(w, DO(IR_MARK_NOT, MARK_FAST | MARK_LANE_MASK, 0),
		    DO_IN(IR_KEEP, SET_IDLES, KEY_SESSION, w->limits.list[i], 0));
	}
	if (w->limits.n == 0)
		return;
	RULE(w, chain, DO(IR_MARK, MARK_FAST, MARK_FAST), DO_PASS);
}

/* Ends a session that exceeded a limit. Both ends of a TCP session are told, as when a permit ends.
 * A datagram session keeps its label, which says that it is over. */
void limits_rules(struct writer *w)
{
	for (int idle = 0; idle < 2; idle++) {
		enum ir_chain chain = idle ? CHAIN_IDLED : CHAIN_AGED;
		enum reason reason = idle ? R_LIMIT_IDLE : R_LIMIT_SESSION;

		put_home_only(w, chain);
		RULE(w, chain, DO(IR_CT_STATE, CT_RELATED, 0), DO_DROP(reason));
		RULE(w, chain, DO(IR_L4PROTO, IPPROTO_TCP, 0),
		     DO(IR_FORGET, MARK_PERMIT_MASK | (idle ? MARK_AGES : MARK_IDLES), 0),
		     DO(IR_SET_MARK, idle ? MARK_IDLED : MARK_AGED, 0));
		RULE(w, chain, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_CT_DIRECTION, 1, 0),
		     DO(IR_ADD_MARK, MARK_REPLY, 0));
		RULE(w, chain, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_COUNT, reason, 0), DO(IR_QUEUE, LANE_CUT, 0));
		RULE(w, chain, DO_DROP(reason));
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
	RULE(w, CHAIN_NEW, DO(IR_CTMARK_NOT, MARK_LIMITS, 0), DO(IR_COPY_MARK, 0, 0));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		RULE(w, CHAIN_NEW, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, wrong[i].mask, wrong[i].value),
		     DO_DROP(R_TCP_FLAGS));
	}
	put_cells(w, CHAIN_NEW, IR_ADMIT, (const enum ir_key[]){ KEY_PACKET, KEY_PACKET }, CHAIN_PACE);
	put_notices(w, CHAIN_NEW);
	/* the record must not name the permit of the other direction */
	if (w->lasting)
		RULE(w, CHAIN_NEW, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO(IR_ARRIVED, 0, 0));
	RULE(w, CHAIN_NEW, DO_DROP(R_NO_CONDUIT));
}

/*
 * How fast sessions may open, by interface and lane, before any queue: a flood of new sessions must
 * not push live ones out of their lane's queue. A pair of hosts that opens few has a pace of its
 * own, so a flood of others does not affect it.
 */
static void in_pace(struct writer *w, enum ir_chain chain, enum ir_stmt_kind then, uint32_t where)
{
	for (uint32_t family = 4; family <= 6; family += 2) {
		RULE(w, chain, DO(IR_FAMILY, family, 0),
		     DO_PACED(family == 4 ? SET_PACE4 : SET_PACE6, KEY_PACE_PAIR, IR_PAIR_RATE, IR_PAIR_BURST),
		     DO_PACED(SET_PACE_FEW, KEY_PACE_ZONE, IR_FEW_RATE, IR_FEW_BURST), DO(then, where, 0));
	}
	RULE(w, chain, DO_PACED(SET_PACE_MANY, KEY_PACE_ZONE, IR_MANY_RATE, IR_MANY_BURST), DO(then, where, 0));
	RULE(w, chain, DO_DROP(R_PACE));
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
	RULE(w, chain, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN, TCP_SYN),
	     DO(IR_TCP_STRIP, OPTION_MULTIPATH, 0));
	RULE(w, chain, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN, TCP_SYN),
	     DO(IR_TCP_OPTION, OPTION_MULTIPATH, 0), DO_DROP(R_MULTIPATH));
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
		RULE(w, CHAIN_SHARE, DO(IR_FAMILY, family, 0),
		     DO_IN(IR_CROWD, family == 4 ? SET_SHARE4 : SET_SHARE6, KEY_SHARE_PAIR, IR_PAIR_PART, 0),
		     DO_GO(CHAIN_FULL_PAIR));
	}
	RULE(w, CHAIN_SHARE, DO_IN(IR_CROWD, SET_SHARE_ZONE, KEY_SHARE_ZONE, IR_ZONE_PART, 0), DO_GO(CHAIN_FULL_ZONE));
	/* No other mark has these bits here: with an outcome, it has a limit, too. Such a session
	 * gets no label, so all of them count together, apart from lanes. */
	if (w->lasting)
		RULE(w, CHAIN_SHARE, DO(IR_MARK, MARK_LIMITS | MARK_OUTCOME_MASK, MARK_NOTICE),
		     DO_GO(CHAIN_TWIN_FOUND));
	RULE(w, CHAIN_SHARE, DO_GO(CHAIN_ADMIT));
	RULE(w, CHAIN_FULL_PAIR, DO_DROP(R_SHARE_PAIR));
	RULE(w, CHAIN_FULL_ZONE, DO_DROP(R_SHARE_ZONE));
}

/* Sends the packet of a session that has just got its label to the label's lane. */
void admit_rules(struct writer *w)
{
	/* Isolations are checked again here, because only now the permit is known. */
	put_apart(w, CHAIN_ADMIT, false, CHAIN_PARTED);
	put_counted(w, CHAIN_ADMIT);
	RULE(w, CHAIN_ADMIT, DO(IR_COPY_MARK, MARK_OUTCOME_MASK | MARK_LIMITS, 0));
	RULE(w, CHAIN_ADMIT, DO(IR_MARK, MARK_LANE_MASK, 0), DO(IR_SET_MARK, MARK_FAST, 0), DO_ACCEPT);
	one_path(w, CHAIN_ADMIT);
	/* The first packet of a session that was looked up again may be an answer. */
	RULE(w, CHAIN_ADMIT, DO(IR_CT_DIRECTION, 1, 0), DO(IR_ADD_MARK, MARK_REPLY, 0));
	RULE(w, CHAIN_ADMIT, DO(IR_GOTO_LANE, 0, 0));
	/* A lane without queues: no policy in force uses it. */
	RULE(w, CHAIN_ADMIT, DO_DROP(R_STALE));
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
	RULE(w, CHAIN_LAPSED, DO_SET(IR_IN_SET, SET_AGREE, KEY_CT_PERMIT), DO_DROP(R_SPOOFED));
	RULE(w, CHAIN_LAPSED, DO_GO(CHAIN_LOOKUP));
}

/*
 * A packet that a worker had while its session's permit changed or ended. It must not be lost, so
 * it is queued again, to be judged by the present permit.
 */
void renew_rules(struct writer *w)
{
	RULE(w, CHAIN_RENEW, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO_SET(IR_IN_SET, SET_AGREE, KEY_CT_PERMIT),
	     DO_GO(CHAIN_TWIN));
	RULE(w, CHAIN_RENEW, DO_SET(IR_IN_SET, SET_AGREE, KEY_CT_PERMIT), DO(IR_COPY_MARK, 0, 0), DO_GO(CHAIN_ADMIT));
	RULE(w, CHAIN_RENEW, DO_GO(CHAIN_LOOKUP));
}

/* Looks up the session again by its original direction, and cuts it when nothing allows it now. The
 * packet mark carries the session's former state across the map, which writes a whole mark. */
void lookup_rules(struct writer *w)
{
	put_not_over(w, CHAIN_LOOKUP);
	RULE(w, CHAIN_LOOKUP, DO(IR_COPY_MARK, 0, 0));
	put_cells(w, CHAIN_LOOKUP, IR_ADMIT, (const enum ir_key[]){ KEY_ORIGINAL, KEY_ORIGINAL_BACK }, CHAIN_RELABEL);
	/* What the other end may send by a conduit of its own goes on (twin.c). */
	RULE(w, CHAIN_LOOKUP, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO_GO(CHAIN_TWIN));
	/* Without the isolation, a session under a lingering permit would go on. */
	put_apart(w, CHAIN_LOOKUP, false, CHAIN_PARTED);
	RULE(w, CHAIN_LOOKUP, DO_GO(CHAIN_CUT));
}

/*
 * A session that was judged counts as judged under the new permit too, and `hold` lets it continue.
 * A confirmation belongs to the old permit; its worker, or enforce/relabel.c, repeats it when the
 * new permit allows the same protocols. A session without inspection has no outcome in its mark, as
 * in the map `live`.
 */
void relabel_rules(struct writer *w)
{
	RULE(w, CHAIN_RELABEL, DO(IR_CTMARK, MARK_LANE_MASK, 0), DO_GO(CHAIN_ADMIT));
	RULE(w, CHAIN_RELABEL, DO(IR_MARK_NOT, MARK_OUTCOME_MASK, MARK_UNJUDGED << MARK_OUTCOME_SHIFT),
	     DO(IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0));
	RULE(w, CHAIN_RELABEL, DO_GO(CHAIN_ADMIT));
}

/*
 * The worker uses the packet's sequence numbers to reset both ends; the packet itself is dropped.
 * The queue has no bypass: without a worker's answer, the packet is dropped too. The label of a
 * session that begins anew over a live one is removed here: resets need a session without a label,
 * and data that follow at once would pass by the label.
 */
void cut_rules(struct writer *w)
{
	RULE(w, CHAIN_CUT, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK),
	     DO(IR_FORGET, MARK_PERMIT_MASK, 0));
	RULE(w, CHAIN_CUT, DO(IR_SET_MARK, mark_make(0, LANE_CUT, MARK_UNJUDGED), 0));
	RULE(w, CHAIN_CUT, DO(IR_CT_DIRECTION, 1, 0), DO(IR_ADD_MARK, MARK_REPLY, 0));
	RULE(w, CHAIN_CUT, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_COUNT, R_ENDED, 0), DO(IR_QUEUE, LANE_CUT, 0));
	RULE(w, CHAIN_CUT, DO_DROP(R_ENDED));
}

/*
 * A TCP segment without a session is answered by a reset if some conduit allows its pair of hosts
 * and port, so that the peer reconnects. Other segments get no answer. Nor does a SYN|ACK: over a
 * slow or bad line it comes after the unanswered session was forgotten (box/sysctl.c). The client
 * still waits for it, and a reset would end its attempt; its next SYN gets another answer.
 */
void invalid_rules(struct writer *w)
{
	static const uint8_t unanswered[] = { TCP_RST, TCP_SYN | TCP_ACK };

	for (size_t i = 0; i < sizeof(unanswered); i++)
		RULE(w, CHAIN_INVALID, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, unanswered[i], unanswered[i]),
		     DO_DROP(R_INVALID));
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < cell_maps(w); i++)
			for (int back = 0; back < 2; back++) {
				RULE(w, CHAIN_INVALID, DO_TRANSPORT(f ? 6 : 4, IPPROTO_TCP),
				     DO_SET(IR_KNOWN, cell_map(w, f == 1, i), back ? KEY_PACKET_BACK : KEY_PACKET),
				     DO(IR_LIMIT, STRAY_RATE, STRAY_RATE), DO(IR_SET_MARK, MARK_STRAY, 0),
				     DO(IR_COUNT, R_NO_SESSION, 0), DO(IR_QUEUE, LANE_CUT, 0));
			}
	RULE(w, CHAIN_INVALID, DO_DROP(R_INVALID));
}
