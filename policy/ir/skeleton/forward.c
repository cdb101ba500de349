/* SPDX-License-Identifier: Apache-2.0 */
/* Where a packet that is forwarded goes: by what tracking says of it, live sessions first; and the
 * lanes to the workers. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* What no session that is live says for: by its state, if tracking has one. */
static void by_tracking(struct writer *w, enum ir_chain chain)
{
	put_rule(w, chain);
	put(w, IR_CT_STATE, CT_INVALID, 0);
	put_go(w, CHAIN_INVALID);
	put_rule(w, chain);
	put(w, IR_CT_STATE, CT_ESTABLISHED, 0);
	put_go(w, CHAIN_LAPSED);
	put_rule(w, chain);
	put(w, IR_CT_STATE, CT_NEW, 0);
	put_go(w, CHAIN_NEW);
	put_rule(w, chain);
	put_drop(w, R_NO_CONDUIT);
}

/*
 * A naming lane lets go of a session whose protocol is confirmed; a lane with commands never does,
 * whatever a worker said. Naming lanes are those of low numbers, asked for by their bits. `live`
 * has just written the packet's mark.
 */
static void let_go_rules(struct writer *w)
{
	static const struct {
		uint32_t mask, value;
	} naming[] = { { 0x30, 0x00 }, { 0x38, 0x10 }, { 0x3c, 0x18 } };

	_Static_assert(LANE_NAMING == 0 && LANES_OF_KIND == 27, "lanes 1 to 27 name");
	for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++) {
		put_rule(w, CHAIN_FORWARD);
		put(w, IR_CTMARK, MARK_OUTCOME_MASK | naming[i].mask << MARK_LANE_SHIFT,
		    MARK_CONFIRMED << MARK_OUTCOME_SHIFT | naming[i].value << MARK_LANE_SHIFT);
		put(w, IR_MARK_NOT, MARK_LANE_MASK, 0);
		put_pass(w);
	}
}

void forward_rules(struct writer *w)
{
	put_apart(w, CHAIN_FORWARD, true);
	/* Tracking may still hold another session of these addresses and ports. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	put_go(w, CHAIN_BEGUN);
	/* The hot path. A new packet carries conntrack mark 0 and an invalid one none at all: both
	 * miss. An error about such a session passes here too; the guard has left none but those
	 * that may. Whoever is live goes on with a mark that names its lane, others with none: it
	 * is not asked twice. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_LIVE, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
	put_limits(w, CHAIN_FORWARD);
	let_go_rules(w);
	/* No worker sees errors. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_CT_STATE, CT_RELATED, 0);
	put_go(w, CHAIN_RELATED);
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG, TCP_ACK);
	put(w, IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT);
	put_go(w, CHAIN_BARE);
	/* What a queue takes can afford a second look. */
	put_rule(w, CHAIN_FORWARD);
	put(w, IR_GOTO_LANE, 0, 0);
	by_tracking(w, CHAIN_FORWARD);
}

/*
 * TCP that begins, and answers to it. A session that begins anew over one that tracking still holds
 * is not that one: what was confirmed of it, what an earlier policy left it, says nothing of this
 * one. Only its server knows whether it begins, so nothing changes before that has answered; then
 * it is looked up like any other, and its lane, if it has one, reads it from there on. An answer
 * said once more, or one that a neighbour of the server forged, costs a live session no more than
 * another look: its worker knows it, and lets go of it again.
 */
void begun_rules(struct writer *w)
{
	put_rule(w, CHAIN_BEGUN);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK);
	put(w, IR_CT_DIRECTION, 1, 0);
	put(w, IR_LIVE, 0, 0);
	put_go(w, CHAIN_TAKEN);
	put_rule(w, CHAIN_BEGUN);
	put(w, IR_LIVE, MARK_FAST, 0);
	put(w, IR_ACCEPT, 0, 0);
	put_limits(w, CHAIN_BEGUN);
	/* The worker of a session that was let go of hears that one may begin, too; its
	 * label stays. */
	put_rule(w, CHAIN_BEGUN);
	put(w, IR_MARK_NOT, MARK_LANE_MASK, 0);
	put_go(w, CHAIN_AGAIN);
	by_tracking(w, CHAIN_BEGUN);
	/* Where nothing is queued there is no pace: connecting is paced already. */
	put_rule(w, CHAIN_TAKEN);
	put(w, IR_CTMARK, MARK_LANE_MASK, 0);
	put_go(w, CHAIN_LOOKUP);
	take_rules(w);
}

/*
 * An acknowledgement that carries nothing, of a session whose worker has said that it can do
 * without: a visit costs as much as that of a command. Without options, with time stamps, and with
 * those and one block of selective acknowledgement.
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

/* An error passes when the session that it speaks of is live and the error comes from that
 * session's side: its direction and mark are those of the session. The guard saw to its type
 * and source. */
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
		/* the hash takes in the transport: opener and companion would part */
		if (l.kind == LANE_COMMANDS) {
			put_rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
			put_set(w, IR_IN_SET, SET_TOGETHER, KEY_CT_PERMIT);
			put(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
			w->rule->stmts[w->rule->n - 1].c = 1;
		}
		put_rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
		put(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
	}
}
