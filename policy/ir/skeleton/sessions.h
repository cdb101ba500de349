/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chains of sessions.c: how sessions begin, what happens to sessions that are not live, and
 * how long a session may last or be silent.
 */
#ifndef SEKISHO_POLICY_IR_SKELETON_SESSIONS_H
#define SEKISHO_POLICY_IR_SKELETON_SESSIONS_H

#include "policy/ir/rules.h"
#include "policy/ir/skeleton/writer.h"

void new_rules(struct writer *w);
void take_rules(struct writer *w);
void share_rules(struct writer *w);
void admit_rules(struct writer *w);
void lapsed_rules(struct writer *w);
void renew_rules(struct writer *w);
void lookup_rules(struct writer *w);
void relabel_rules(struct writer *w);
void cut_rules(struct writer *w);
void invalid_rules(struct writer *w);
void put_limits(struct writer *w, enum ir_chain chain);
void limits_rules(struct writer *w);

#endif
