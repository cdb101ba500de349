/* SPDX-License-Identifier: Apache-2.0 */
/* The chains of the same hook after the queues: for packets that workers have judged, and for
 * packets that left a queue without an answer. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/*
 * The rules of a base chain after the queues. A packet that was judged under a permit that its
 * session no longer has, or that is no longer live, is queued again the first time and dropped the
 * second time.
 */
static void judged_rules(struct writer *w, enum ir_chain chain)
{
	put_rule(w, chain);
	put(w, IR_MARK, UINT32_MAX, MARK_FAST);
	put(w, IR_ACCEPT, 0, 0);
	/* A packet that belongs to no session was queued as a stray. It does not pass, whatever
	 * mark it has got. */
	put_rule(w, chain);
	put(w, IR_CT_STATE, CT_INVALID, 0);
	put_drop(w, R_STALE);
	/* The packet's ends may have been isolated while a worker had it. */
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
	/* A packet may still wait in a queue when its session is confirmed. The packet's own
	 * outcome, good or quiet, must not replace the session's. */
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

/* Packets that left a queue without an answer. */
void failure_rules(struct writer *w)
{
	put_rule(w, CHAIN_UNANSWERED);
	put(w, IR_GOTO_UNANSWERED, 0, 0);
	put_rule(w, CHAIN_UNANSWERED);
	put_drop(w, R_DOWN_CLOSED);
	/* A SYN begins a new session, even if an old one with these addresses and ports is still
	 * tracked as judged. */
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
