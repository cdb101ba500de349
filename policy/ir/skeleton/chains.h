/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that write the fixed rules, one for each chain, named after it. They are listed in
 * the order in which a packet meets the chains. */
#ifndef SEKISHO_POLICY_IR_SKELETON_CHAINS_H
#define SEKISHO_POLICY_IR_SKELETON_CHAINS_H

#include "policy/ir/ir.h"
#include "policy/ir/rules.h"
#include "policy/ir/skeleton/writer.h"

/* guard.c: before tracking */
void guard_rules(struct writer *w);

/* forward.c: where a packet goes, what people isolated, and what follows behind the queues */
void apart_rules(struct writer *w);
void forward_rules(struct writer *w);
void begun_rules(struct writer *w);
void bare_rules(struct writer *w);
void related_rules(struct writer *w);
void lane_rules(struct writer *w, uint64_t lanes);
void post_rules(struct writer *w);
void failure_rules(struct writer *w);

/* twin.c: datagrams where both ends may ask */
void twin_rules(struct writer *w);

/* lasting.c: what a server sends by itself, long after its client subscribed: datagrams that open a
 * session, and those of such a session whose server uses another port than the service's */
void put_notices(struct writer *w, enum ir_chain chain);
void put_noticed(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, enum ir_chain then);

/* own.c: packets to the box itself, and packets that it sends */
void input_rules(struct writer *w);
void output_rules(struct writer *w);
void answer_rules(struct writer *w);

/* The ICMP errors that live sessions need. Redirect and source quench are not among them, because
 * no session needs them. */
#define SKELETON_ERRORS 7u
extern const struct icmp_error {
	uint8_t family, l4proto, type;
} skeleton_errors[SKELETON_ERRORS];

#endif
