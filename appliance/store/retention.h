/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long records are kept: the rule of the confirmed policy for the journal, and the rule that
 * the journal reports.
 */
#ifndef SEKISHO_STORE_RETENTION_H
#define SEKISHO_STORE_RETENTION_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

#define RETENTION_TEXT 64u

/* The rule for the journal now. A deletion cannot be undone, so nothing is deleted while a policy
 * is on trial or the clock is not trusted. */
struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted);
/* The rule that the journal follows, from its status: {"keep_days", "delete_after_days"}, both 0
 * when it deletes nothing; null without an answer. */
json_t *retention_json(const json_t *journal);
/* Whether the journal answered and follows another rule than `want`; then both are given
 * as text. */
bool retention_differs(const json_t *journal, const struct msg_retention *want, char ret_is[RETENTION_TEXT],
		       char ret_want[RETENTION_TEXT]);

#endif
