/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a forwarded packet, up to the queues and behind them. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/sessions.h"
#include "policy/ir/skeleton/writer.h"

/* ---- what people isolated -------------------------------------------------------------------- */

/*
 * Traffic that people isolated does not pass, whatever the other rules say. This is checked first.
 * The two ends of the session's original direction are compared, so that answers and errors are
 * covered too. An isolation can spare permits, and sessions of these pass.
 *
 * A session may have been silent while the policy changed, or while a conduit opened. Then its
 * label names no permit that is kept, although the conduit that allows it now is kept. So if the
 * isolation keeps anything between its ends, the session is looked up like a session that is not
 * live, and asked again with its present permit (sessions.c, chain `admit`).
 */
static void put_present_permit(struct writer *w)
{
	put_home_only(w, CHAIN_APART);
	/* What the other end may send by a conduit of its own can be kept (twin.c). */
	for (unsigned s = SET_KEPT4; s <= SET_KEPT6_NEXT; s++) {
		RULE(w, CHAIN_APART, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO(IR_CT_STATE, CT_ESTABLISHED, 0),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6 : SET_KEPT4, KEY_ENDS_ANY),
		     DO_SET(IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, KEY_ENDS_ANY),
		     DO_SET(IR_IN_SET, (enum ir_set)s, KEY_ENDS_ANY | KEY_TWIN), DO_GO(CHAIN_TWIN));
		if (w->lasting) {
			RULE(w, CHAIN_APART, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO(IR_CT_STATE, CT_NEW, 0),
			     DO_SET(IR_IN_SET, (enum ir_set)s, KEY_ENDS_ANY | KEY_TWIN), DO_GO(CHAIN_NEW));
		}
	}
	for (int six = 0; six < 2; six++) {
		RULE(w, CHAIN_APART, DO(IR_FAMILY, six ? 6 : 4, 0),
		     DO_SET(IR_NOT_IN_SET, six ? SET_KEPT6 : SET_KEPT4, KEY_ENDS_ANY),
		     DO_SET(IR_NOT_IN_SET, six ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, KEY_ENDS_ANY), DO_GO(CHAIN_PARTED));
	}
	RULE(w, CHAIN_APART, DO(IR_CT_STATE, CT_NEW, 0), DO_GO(CHAIN_NEW));
	RULE(w, CHAIN_APART, DO(IR_CT_STATE, CT_ESTABLISHED, 0), DO_GO(CHAIN_LOOKUP));
	RULE(w, CHAIN_APART, DO_GO(CHAIN_PARTED));
}

/*
 * Cuts an isolated session. A live TCP session loses its label. Then the resets for both ends may
 * leave (own.c), and later packets of the session are looked up in the policy again. Only a packet
 * that came in at the interface of its source gets here.
 */
void apart_rules(struct writer *w)
{
	put_present_permit(w);
	RULE(w, CHAIN_PARTED, DO(IR_CT_STATE, CT_NEW | CT_RELATED, 0), DO_DROP(R_ISOLATED));
	RULE(w, CHAIN_PARTED, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_FORGET, MARK_PERMIT_MASK | MARK_LIMITS, 0),
	     DO(IR_SET_MARK, mark_make(0, LANE_CUT, MARK_UNJUDGED), 0));
	RULE(w, CHAIN_PARTED, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_CT_DIRECTION, 1, 0),
	     DO(IR_ADD_MARK, MARK_REPLY, 0));
	RULE(w, CHAIN_PARTED, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_COUNT, R_ISOLATED, 0), DO(IR_QUEUE, LANE_CUT, 0));
	RULE(w, CHAIN_PARTED, DO_DROP(R_ISOLATED));
}

/* ---- where a packet goes --------------------------------------------------------------------- */

/* The chains for forwarded packets. They sort packets by their tracking state, live sessions first.
 * The lanes to the workers are here as well. */

/* Sorts packets without a live session by their tracking state. A packet without a state is
 * dropped. */
static void by_tracking(struct writer *w, enum ir_chain chain)
{
	RULE(w, chain, DO(IR_CT_STATE, CT_INVALID, 0), DO_GO(CHAIN_INVALID));
	RULE(w, chain, DO(IR_CT_STATE, CT_ESTABLISHED, 0), DO_GO(CHAIN_LAPSED));
	RULE(w, chain, DO(IR_CT_STATE, CT_NEW, 0), DO_GO(CHAIN_NEW));
	RULE(w, chain, DO_DROP(R_NO_CONDUIT));
}

/*
 * Once the protocol of a session in a naming lane is confirmed, its packets pass without the
 * worker. Packets in a command lane never do, whatever a worker said. Naming lanes have the low
 * numbers, so a few bits of a lane's number tell which kind it is. The map `live` has just set the
 * packet's mark.
 */
static void let_go_rules(struct writer *w)
{
	static const struct {
		uint32_t mask, value;
	} naming[] = { { 0x30, 0x00 }, { 0x38, 0x10 }, { 0x3c, 0x18 } };

	_Static_assert(LANE_NAMING == 0 && LANES_OF_KIND == 27, "lanes 1 to 27 name");
	for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++) {
		RULE(w, CHAIN_SORT,
		     DO(IR_CTMARK, MARK_OUTCOME_MASK | naming[i].mask << MARK_LANE_SHIFT,
			MARK_CONFIRMED << MARK_OUTCOME_SHIFT | naming[i].value << MARK_LANE_SHIFT),
		     DO(IR_MARK_NOT, MARK_LANE_MASK, 0), DO_PASS);
	}
}

void forward_rules(struct writer *w)
{
	/* Mostly nothing is isolated, and then one lookup says so. */
	RULE(w, CHAIN_FORWARD, DO_SET(IR_NOT_IN_SET, SET_PARTED, KEY_FAMILY), DO_GO(CHAIN_SORT));
	put_apart(w, CHAIN_FORWARD, false, CHAIN_APART);
	RULE(w, CHAIN_FORWARD, DO_GO(CHAIN_SORT));
	/* Connection tracking may still hold another session with these addresses and ports. */
	RULE(w, CHAIN_SORT, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN, TCP_SYN), DO_GO(CHAIN_BEGUN));
	/*
	 * The hot path: one lookup in the map `live`. A new packet has conntrack mark 0 and an
	 * invalid one has none, so neither is found. An ICMP error about a live session also passes
	 * here; the chain `guard` has let only permitted ones through. A packet of a live session
	 * gets a mark that names its lane, and others get none. So the map need not be asked again.
	 */
	RULE(w, CHAIN_SORT, DO(IR_LIVE, MARK_FAST, 0), DO_ACCEPT);
	put_limits(w, CHAIN_SORT);
	let_go_rules(w);
	/* Errors are not queued to workers. */
	RULE(w, CHAIN_SORT, DO(IR_CT_STATE, CT_RELATED, 0), DO_GO(CHAIN_RELATED));
	RULE(w, CHAIN_SORT, DO(IR_L4PROTO, IPPROTO_TCP, 0),
	     DO(IR_TCP_FLAGS, TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG, TCP_ACK),
	     DO(IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT), DO_GO(CHAIN_BARE));
	/* A second check costs little compared with a queue. */
	RULE(w, CHAIN_SORT, DO(IR_GOTO_LANE, 0, 0));
	by_tracking(w, CHAIN_SORT);
}

/*
 * Handles a TCP SYN and its answer. They may begin a new session on the ports of one that is still
 * tracked. Neither the confirmation nor the permit of the old session applies to the new one. Only
 * the server knows whether it accepts the SYN, so nothing changes before its answer. After that,
 * the new session is looked up like any other, and its lane, if any, inspects it. An answer that is
 * repeated, or forged by a neighbour of the server, only causes another look at the live session:
 * its worker knows the session, and lets it go again.
 */
void begun_rules(struct writer *w)
{
	RULE(w, CHAIN_BEGUN, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK),
	     DO(IR_CT_DIRECTION, 1, 0), DO(IR_LIVE, 0, 0), DO_GO(CHAIN_TAKEN));
	RULE(w, CHAIN_BEGUN, DO(IR_LIVE, MARK_FAST, 0), DO_ACCEPT);
	put_limits(w, CHAIN_BEGUN);
	/* The worker of a session that was let go still gets a new SYN. The label stays. */
	RULE(w, CHAIN_BEGUN, DO(IR_MARK_NOT, MARK_LANE_MASK, 0), DO_GO(CHAIN_AGAIN));
	by_tracking(w, CHAIN_BEGUN);
	/* A session without a lane needs no limit of pace here: new sessions have one already. */
	RULE(w, CHAIN_TAKEN, DO(IR_CTMARK, MARK_LANE_MASK, 0), DO_GO(CHAIN_LOOKUP));
	take_rules(w);
}

/*
 * Lets an acknowledgement without data pass if the session's worker does not need it, because the
 * worker would spend as much time on it as on a command. Matches headers without options, with
 * timestamps, and with timestamps and one SACK block.
 */
void bare_rules(struct writer *w)
{
	static const uint32_t words[] = { 5, 8, 11 };

	RULE(w, CHAIN_BARE, DO(IR_MARK, MARK_LANE_MASK, 0), DO_GO(CHAIN_LAPSED));
	for (uint32_t family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			RULE(w, CHAIN_BARE, DO(IR_PLAIN, family, IPPROTO_TCP), DO(IR_TCP_BARE, family, words[i]),
			     DO_PASS);
		}
	RULE(w, CHAIN_BARE, DO(IR_GOTO_LANE, 0, 0));
	RULE(w, CHAIN_BARE, DO_GO(CHAIN_LAPSED));
}

/* An error passes when its session is live and it comes from that session's side: it has the
 * session's direction and mark. The guard has checked its type and source. */
void related_rules(struct writer *w)
{
	RULE(w, CHAIN_RELATED, DO(IR_LIVE, 0, 0), DO(IR_SET_MARK, MARK_FAST, 0), DO_ACCEPT);
	RULE(w, CHAIN_RELATED, DO_DROP(R_RELATED));
}

void lane_rules(struct writer *w, uint64_t lanes)
{
	for (uint32_t n = 1; n < LANE_CUT; n++) {
		enum ir_chain chain = (enum ir_chain)(CHAIN_LANE_FIRST + n);
		struct lane l;

		if ((lanes >> n & 1) == 0 || !lane_of(n, &l))
			continue;
		RULE(w, chain, DO(IR_ONCE, l.kind, 0), DO_PASS);
		if (l.kind == LANE_COMMANDS) {
			/* the hash covers the transport, so TCP and its UDP companion would reach
			 * different workers */
			RULE(w, chain, DO_SET(IR_IN_SET, SET_TOGETHER, KEY_CT_PERMIT),
			     DO_3(IR_QUEUE, n, l.when_down != FAIL_CLOSED, 1));
		}
		RULE(w, chain, DO(IR_QUEUE, n, l.when_down != FAIL_CLOSED));
	}
}

/* ---- behind the queues ----------------------------------------------------------------------- */

/* The chains of the same hook after the queues: for packets that workers have judged, and for
 * packets that left a queue without an answer. */

/*
 * The rules of a base chain after the queues. If a packet was judged under a permit that is no
 * longer live, or no longer its session's, the packet is queued again the first time and dropped
 * the second time.
 */
static void judged_rules(struct writer *w, enum ir_chain chain)
{
	RULE(w, chain, DO(IR_MARK, UINT32_MAX, MARK_FAST), DO_ACCEPT);
	/* A packet without a session was queued only to be answered by a reset (sessions.c). It
	 * does not pass, whatever mark it has got. */
	RULE(w, chain, DO(IR_CT_STATE, CT_INVALID, 0), DO_DROP(R_STALE));
	/* Neither does a packet from the cut queue, which has permit 0. */
	RULE(w, chain, DO(IR_MARK, MARK_PERMIT_MASK, 0), DO_DROP(R_STALE));
	/* A datagram that was not judged under its session's permit may be its twin's. */
	RULE(w, chain, DO(IR_L4PROTO, IPPROTO_UDP, 0), DO_SET(IR_NOT_IN_SET, SET_AGREE, KEY_AGREE),
	     DO_GO(chain == CHAIN_LAST ? CHAIN_TWIN_LAST : CHAIN_TWIN_POST));
	/* The packet's ends may have been isolated while a worker had it. */
	put_apart(w, chain, false, chain == CHAIN_POST ? CHAIN_APART : chain);
	put_rule(w, chain);
	PUT(w, DO_SET(IR_NOT_IN_SET, SET_AGREE, KEY_AGREE));
	if (chain == CHAIN_LAST)
		PUT(w, DO_DROP(R_STALE));
	else
		PUT(w, DO_GO(CHAIN_RENEW));
	RULE(w, chain, DO(IR_GOTO_OUTCOME, 0, 0));
	RULE(w, chain, DO_DROP(R_STALE));
}

void post_rules(struct writer *w)
{
	judged_rules(w, CHAIN_POST);
	judged_rules(w, CHAIN_LAST);
	/* A packet may still wait in a queue when its session is confirmed. The packet's own
	 * outcome, good or quiet, must not replace the session's. */
	RULE(w, CHAIN_JUDGED_GOOD, DO(IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT),
	     DO(IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0), DO_PASS);
	RULE(w, CHAIN_JUDGED_GOOD, DO_PASS);
	RULE(w, CHAIN_JUDGED_QUIET, DO(IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT),
	     DO(IR_SET_OUTCOME, MARK_QUIET << MARK_OUTCOME_SHIFT, 0), DO_PASS);
	RULE(w, CHAIN_JUDGED_QUIET, DO_PASS);
	RULE(w, CHAIN_JUDGED_CONFIRMED, DO(IR_SET_OUTCOME, MARK_CONFIRMED << MARK_OUTCOME_SHIFT, 0), DO_PASS);
}

/* Packets that left a queue without an answer. */
void failure_rules(struct writer *w)
{
	RULE(w, CHAIN_UNANSWERED, DO(IR_GOTO_UNANSWERED, 0, 0));
	RULE(w, CHAIN_UNANSWERED, DO_DROP(R_DOWN_CLOSED));
	/* A SYN begins a new session, even if an old one with these addresses and ports is still
	 * tracked as judged. */
	RULE(w, CHAIN_HOLD, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN),
	     DO_DROP(R_DOWN_HOLD_NEW));
	RULE(w, CHAIN_HOLD, DO(IR_CTMARK_NOT, MARK_OUTCOME_MASK, 0), DO(IR_COUNT, R_DOWN_HELD, 0), DO_PASS);
	RULE(w, CHAIN_HOLD, DO_DROP(R_DOWN_HOLD_NEW));
	RULE(w, CHAIN_OPEN, DO(IR_COUNT, R_DOWN_OPEN, 0), DO(IR_LOG, R_DOWN_OPEN, LOG_RATE), DO_PASS);
}
