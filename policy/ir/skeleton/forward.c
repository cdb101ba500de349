/* SPDX-License-Identifier: Apache-2.0 */
/* Where a packet that is forwarded goes: by what tracking says of it, live sessions first; and the lanes to the workers. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

void forward_rules(struct writer *w)
{
	/* The hot path. A new packet carries conntrack mark 0 and an invalid one none at all: both miss. An error about
	 * such a session passes here too; the guard has left none but those that may. Whoever is live goes on with a mark that names
	 * its lane, others with none: it is not asked twice. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_LIVE, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
	/* No worker sees errors. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_CT_STATE, CT_RELATED, 0);
	put_go(w, CHAIN_RELATED);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG, TCP_ACK);
	put(w, IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT);
	put_go(w, CHAIN_BARE);
	/* What a queue takes can afford a second look. A SYN said again is as good for a flood as a new one. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	put(w, IR_MARK_NOT, MARK_LANE_MASK, 0);
	put_go(w, CHAIN_AGAIN);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_GOTO_LANE, 0, 0);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_CT_STATE, CT_INVALID, 0);
	put_go(w, CHAIN_INVALID);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_CT_STATE, CT_ESTABLISHED, 0);
	put_go(w, CHAIN_LAPSED);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_CT_STATE, CT_NEW, 0);
	put_go(w, CHAIN_NEW);
	put_rule(w, CHAIN_FORWARD);
	put_drop(w, R_NO_CONDUIT);
}

/*
 * An acknowledgement that carries nothing, of a session whose worker has said that it can do without: a visit costs as much as
 * that of a command. Without options, with time stamps, and with those and one block of selective acknowledgement.
 */
void bare_rules(struct writer *w)
{
	static const uint32_t words[] = { 5, 8, 11 };

	put_rule(w, CHAIN_BARE);
	put(w, IR_MARK, MARK_LANE_MASK, 0);
	put_go(w, CHAIN_LAPSED);
	for (uint32_t family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			put_rule(w, CHAIN_BARE);
			put(w, IR_PLAIN, family, IPPROTO_TCP);
			put(w, IR_TCP_BARE, family, words[i]);
			put_pass(w);
		}
	put_rule(w, CHAIN_BARE);
	put(w, IR_GOTO_LANE, 0, 0);
	put_rule(w, CHAIN_BARE);
	put_go(w, CHAIN_LAPSED);
}

/* An error passes when the session that it speaks of is live and the error comes from that session's side: its direction
 * and mark are those of the session. The guard saw to its type and source. */
void related_rules(struct writer *w)
{
	put_rule(w, CHAIN_RELATED);
	put(w, IR_LIVE, 0, 0);
	put(w, IR_SET_MARK, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
	put_rule(w, CHAIN_RELATED);
	put_drop(w, R_RELATED);
}

void lane_rules(struct writer *w, uint64_t lanes)
{
	for (uint32_t n = 1; n < LANE_CUT; n++) {
		struct lane l;

		if ((lanes >> n & 1) == 0 || !lane_of(n, &l))
			continue;
		if (l.kind == LANE_COMMANDS) { /* the hash takes in the transport: opener and companion would part */
			put_rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
			put_set(w, IR_IN_SET, SET_TOGETHER, KEY_CT_PERMIT);
			put(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
			w->rule->stmts[w->rule->n - 1].c = 1;
		}
		put_rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
		put(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
	}
}
