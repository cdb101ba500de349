/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of signs of attacks.
 */
#ifndef SEKISHO_JOURNAL_ROLE_ATTACK_H
#define SEKISHO_JOURNAL_ROLE_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

struct journal_role;
struct msg_attacks;
struct msg_journal_status;

void role_attack_open(struct journal_role *j);
/* To be called when a generation was added to the names: its thresholds may differ. */
void role_attack_rule(struct journal_role *j);
/* Evaluates a record. If an alarm rings, this is recorded. */
void role_attack_heard(struct journal_role *j, const struct event *e);
/* Also ends silences, and runs the self-test. */
void role_attack_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_attack_due(const struct journal_role *j);
void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about alarms, and returns the answer. */
json_t *role_attack_order(struct journal_role *j, const struct msg *m, enum answer_status *ret);

#endif
