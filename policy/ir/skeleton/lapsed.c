/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that are not live, or no longer: looked up again, and cut or refused when nothing allows
 * them. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

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
 * it is queued again, to be judged by the present permit. Packets from the cut queue have permit 0
 * and end here.
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

/* A TCP segment without a session is answered for pairs that some conduit allows, so that peers
 * reconnect. Others get no answer. */
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
