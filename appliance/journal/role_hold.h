/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legal holds, which keep files.
 */
#ifndef SEKISHO_JOURNAL_ROLE_HOLD_H
#define SEKISHO_JOURNAL_ROLE_HOLD_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct journal_role;
struct keep_file;
struct msg_hold;

void role_hold_open(struct journal_role *j);
/* True when one of the holds stands for a list that could not be read. */
bool role_hold_damaged(const struct journal_role *j);
/* Whether a hold keeps this file. */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f);
/* Carries out an order of a person about holds, and returns the answer. */
json_t *role_hold_order(struct journal_role *j, const struct msg *m, enum answer_status *ret);

#endif
