/* SPDX-License-Identifier: Apache-2.0 */
/* A session that begins: whether a cell allows it, how fast sessions may open, how many there may
 * be, and its lane. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

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

/* The session has its label; the packet goes to the label's lane. */
void admit_rules(struct writer *w)
{
	/* Only now is the permit known. */
	put_apart(w, CHAIN_ADMIT, true);
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
