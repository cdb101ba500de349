/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic that people isolated does not pass, whatever the other rules say. It is checked first, by
 * the ends of the session in its original direction, so that answers and errors are covered too. A
 * session that an isolation spares goes on by its permit. A session without a permit is treated
 * like a spared one and checked again when it has got one (new.c).
 */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* `cuts`: goes on to CHAIN_APART, from which both ends of a TCP session get a reset. Otherwise only
 * drops the packet. Packets without a session match none of these sets, and pass nowhere. */
void put_apart(struct writer *w, enum ir_chain chain, bool cuts)
{
	for (unsigned s = SET_APART4; s <= SET_APART6_NEXT; s++) {
		put_rule(w, chain);
		put_set(w, IR_IN_SET, (enum ir_set)s, KEY_ENDS);
		put_set(w, IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6 : SET_KEPT4, KEY_ENDS_PERMIT);
		put_set(w, IR_NOT_IN_SET, ir_set_six(s) ? SET_KEPT6_NEXT : SET_KEPT4_NEXT, KEY_ENDS_PERMIT);
		if (cuts)
			put_go(w, CHAIN_APART);
		else
			put_drop(w, R_ISOLATED);
	}
}

/*
 * A live TCP session loses its label: the resets for both ends may then leave (own.c), and its
 * packets pass again only after a new look-up in the policy. Only a packet from its source's
 * interface does this, as elsewhere (lapsed.c).
 */
void apart_rules(struct writer *w)
{
	put_home_only(w, CHAIN_APART);
	put_rule(w, CHAIN_APART);
	put(w, IR_CT_STATE, CT_NEW | CT_RELATED, 0);
	put_drop(w, R_ISOLATED);
	put_rule(w, CHAIN_APART);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_FORGET, MARK_PERMIT_MASK, 0);
	put(w, IR_SET_MARK, mark_make(0, LANE_CUT, MARK_UNJUDGED), 0);
	put_rule(w, CHAIN_APART);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_CT_DIRECTION, 1, 0);
	put(w, IR_ADD_MARK, MARK_REPLY, 0);
	put_rule(w, CHAIN_APART);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_COUNT, R_ISOLATED, 0);
	put(w, IR_QUEUE, LANE_CUT, 0);
	put_rule(w, CHAIN_APART);
	put_drop(w, R_ISOLATED);
}
