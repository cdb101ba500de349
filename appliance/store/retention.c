/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/retention.h"

#include <stdio.h>

struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted)
{
	if (trial != 0 || !trusted)
		return (struct msg_retention){ .keep_days = 0 };
	return (struct msg_retention){ ir->keep_days, ir->delete_after_days };
}

static bool said(const json_t *journal, json_int_t *ret_keep, json_int_t *ret_delete)
{
	const json_t *keep = json_object_get(journal, "keep_days"),
		     *after = json_object_get(journal, "delete_after_days");

	*ret_keep = json_integer_value(keep);
	*ret_delete = json_integer_value(after);
	return json_is_integer(keep) && json_is_integer(after);
}

json_t *retention_json(const json_t *journal)
{
	json_int_t keep, after;

	if (!said(journal, &keep, &after))
		return json_null();
	return json_pack("{s:I, s:I}", "keep_days", keep, "delete_after_days", after);
}

static void words(json_int_t keep, json_int_t after, char out[RETENTION_TEXT])
{
	snprintf(out, RETENTION_TEXT, "keep_days %lld, delete_after_days %lld", (long long)keep, (long long)after);
}

bool retention_differs(const json_t *journal, const struct msg_retention *want, char ret_is[RETENTION_TEXT],
		       char ret_want[RETENTION_TEXT])
{
	json_int_t keep, after;

	if (!said(journal, &keep, &after) || (keep == want->keep_days && after == want->delete_after_days))
		return false;
	words(keep, after, ret_is);
	words(want->keep_days, want->delete_after_days, ret_want);
	return true;
}
