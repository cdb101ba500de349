/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long records are kept: what the journal should do by the confirmed policy, and what it says that it does.
 */
#ifndef SEKISHO_STORE_RETENTION_H
#define SEKISHO_STORE_RETENTION_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

#define RETENTION_TEXT 64u

/* The rule for the journal now. What is deleted cannot be taken back: while a policy is on trial, or the clock is not trusted, nothing is. */
struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted);
/* By which it goes, out of its status: {"keep_days", "delete_after_days"}, both 0 when it deletes nothing; null without an answer. */
json_t *retention_json(const json_t *journal);
/* It answered, and goes by another than `want`; then both are told in words. */
bool retention_differs(const json_t *journal, const struct msg_retention *want, char ret_is[RETENTION_TEXT],
		       char ret_want[RETENTION_TEXT]);

#endif
