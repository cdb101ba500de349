/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people isolated passes no more, whatever else the rules say of it: asked by the ends of the
 * session as it was opened, so that answers and errors about it are meant too, and before anything
 * else. What an isolation keeps goes on by its permit; a session without one is asked as one that
 * goes on, and once more when it has got one (new.c).
 */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* `cuts`: its ends are told; else it is dropped where it stands. What belongs to no session is not
 * known to these sets, and passes nowhere. */
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
 * A live session of TCP loses its label, without which the reset of both ends may go out (own.c)
 * and nothing of it passes later unless the policy is asked once more. Only for a packet that comes
 * from where its source is, as anywhere (lapsed.c).
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
