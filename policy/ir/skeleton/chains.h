/* SPDX-License-Identifier: Apache-2.0 */
/* The chains, by what they are for; each function writes those of its name. In the order in which a packet meets them. */
#ifndef SEKISHO_POLICY_IR_SKELETON_CHAINS_H
#define SEKISHO_POLICY_IR_SKELETON_CHAINS_H

#include "policy/ir/skeleton/write.h"

/* guard.c: before tracking */
void guard_rules(struct writer *w);

/* forward.c: where a packet goes */
void forward_rules(struct writer *w);
void begun_rules(struct writer *w);
void bare_rules(struct writer *w);
void related_rules(struct writer *w);
void lane_rules(struct writer *w, uint64_t lanes);

/* new.c: sessions that begin */
void new_rules(struct writer *w);
void take_rules(struct writer *w);
void share_rules(struct writer *w);
void admit_rules(struct writer *w);

/* lapsed.c: sessions that are not, or no longer, live */
void lapsed_rules(struct writer *w);
void renew_rules(struct writer *w);
void lookup_rules(struct writer *w);
void relabel_rules(struct writer *w);
void cut_rules(struct writer *w);
void invalid_rules(struct writer *w);

/* apart.c: what people isolated */
void put_apart(struct writer *w, enum ir_chain chain, bool cuts);
void apart_rules(struct writer *w);

/* judged.c: behind the queues */
void post_rules(struct writer *w);
void failure_rules(struct writer *w);

/* own.c: for the box itself, and of it */
void input_rules(struct writer *w);
void output_rules(struct writer *w);
void answer_rules(struct writer *w);

/* The ICMP errors that live sessions need, and no others: a redirect or a quench is nobody's need. */
#define SKELETON_ERRORS 7u
extern const struct icmp_error {
	uint8_t family, l4proto, type;
} skeleton_errors[SKELETON_ERRORS];

#endif
