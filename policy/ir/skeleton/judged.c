/* SPDX-License-Identifier: Apache-2.0 */
/* The same hook behind the queues: what workers have judged, and what came through a queue without
 * an answer. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* What a base chain behind the queues lets by. Judged under a permit that the flow no longer has,
 * or that is no longer live: the first time that is asked the worker gets it again, the second time
 * it is dropped. */
static void judged_rules(struct writer *w, enum ir_chain chain)
{
	put_rule(w, chain);
	put(w, IR_MARK, UINT32_MAX, MARK_FAST);
	put(w, IR_ACCEPT, 0, 0);
	/* What was queued as a stray stays one, whatever mark it carries. */
	put_rule(w, chain);
	put(w, IR_CT_STATE, CT_INVALID, 0);
	put_drop(w, R_STALE);
	/* It was with a worker while its ends were isolated. */
	put_apart(w, chain, false);
	put_rule(w, chain);
	put_set(w, IR_NOT_IN_SET, SET_AGREE, KEY_AGREE);
	if (chain == CHAIN_LAST)
		put_drop(w, R_STALE);
	else
		put_go(w, CHAIN_RENEW);
	put_rule(w, chain);
	put(w, IR_GOTO_OUTCOME, 0, 0);
	put_rule(w, chain);
	put_drop(w, R_STALE);
}

void post_rules(struct writer *w)
{
	judged_rules(w, CHAIN_POST);
	judged_rules(w, CHAIN_LAST);
	/* A packet that waited while its flow was confirmed must not take that back. */
	put_rule(w, CHAIN_JUDGED_GOOD);
	put(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
	put(w, IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0);
	put_pass(w);
	put_rule(w, CHAIN_JUDGED_GOOD);
	put_pass(w);
	put_rule(w, CHAIN_JUDGED_QUIET);
	put(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
	put(w, IR_SET_OUTCOME, MARK_QUIET << MARK_OUTCOME_SHIFT, 0);
	put_pass(w);
	put_rule(w, CHAIN_JUDGED_QUIET);
	put_pass(w);
	put_rule(w, CHAIN_JUDGED_CONFIRMED);
	put(w, IR_SET_OUTCOME, MARK_CONFIRMED << MARK_OUTCOME_SHIFT, 0);
	put_pass(w);
}

/* Packets that passed a queue without an answer. */
void failure_rules(struct writer *w)
{
	put_rule(w, CHAIN_UNANSWERED);
	put(w, IR_GOTO_UNANSWERED, 0, 0);
	put_rule(w, CHAIN_UNANSWERED);
	put_drop(w, R_DOWN_CLOSED);
	/* One that begins is new, though tracking may still know its addresses and ports of one
	 * before, judged and left behind. */
	put_rule(w, CHAIN_HOLD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_TCP_FLAGS, TCP_SYN | TCP_ACK, TCP_SYN);
	put_drop(w, R_DOWN_HOLD_NEW);
	put_rule(w, CHAIN_HOLD);
	put(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, 0);
	put(w, IR_COUNT, R_DOWN_HELD, 0);
	put_pass(w);
	put_rule(w, CHAIN_HOLD);
	put_drop(w, R_DOWN_HOLD_NEW);
	put_rule(w, CHAIN_OPEN);
	put(w, IR_COUNT, R_DOWN_OPEN, 0);
	put(w, IR_LOG, R_DOWN_OPEN, LOG_RATE);
	put_pass(w);
}
