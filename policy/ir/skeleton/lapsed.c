/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that are not, or no longer, live: looked up once more, and cut or refused when nothing
 * allows them. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

#define STRAY_RATE 500u /* segments of no session that are answered, per second and way of lookup */

/*
 * A tracked session that the map `live` does not know for this interface and direction. If its
 * permit is live all the same, the packet came in at a wrong interface. That is asked first, and
 * nothing is written to the session before: a spoofed packet can neither relabel nor cut a session
 * that is allowed. Else its permit has ended or was narrowed, and it is looked up again; but only
 * for a packet that comes from where its source is, so that between a change of policy and a
 * session's next own packet no stranger speaks for it.
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
 * A packet that was with a worker while its session's permit changed or ended. It did nothing wrong
 * and must not be lost: it goes to the worker again, to be judged by what holds now. Whatever comes
 * out of the cut queue has permit 0 and ends here.
 */
void renew_rules(struct writer *w)
{
	put_rule(w, CHAIN_RENEW);
	put(w, IR_MARK, MARK_PERMIT_MASK, 0);
	put_drop(w, R_STALE);
	put_rule(w, CHAIN_RENEW);
	put_set(w, IR_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	put(w, IR_COPY_MARK, 0, 0);
	put_go(w, CHAIN_ADMIT);
	put_rule(w, CHAIN_RENEW);
	put_go(w, CHAIN_LOOKUP);
}

/* A session is looked up again as it was opened, and cut when nothing allows it now. The packet
 * mark keeps what was known of it over the map, which writes a whole mark. */
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
	put_rule(w, CHAIN_LOOKUP);
	put_go(w, CHAIN_CUT);
}

/* A live session stays one: `hold` lets it go on. That its protocol was confirmed is another
 * permit's word, and its worker says it again when the new one promises the same. Where nobody
 * looks inside there is no outcome, and `live` knows none. */
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
 * The packet's numbers serve to reset both ends; it goes no further itself. No bypass: unanswered
 * it is dropped. A session that begins anew over a live one brings its label here, and that must
 * not outlive this: resets are for sessions that have none, and bytes that follow at once would
 * pass by it.
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

/* TCP in the middle without a session is answered for pairs that some conduit allows, so that peers
 * reconnect; anybody else learns nothing. */
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
