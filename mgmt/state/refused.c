/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/refused.h"

#include "appliance/wire/reason.h"

/* Whether packets with this reason passed unjudged because of their conduit's setting. That is a
 * failure, but no refusal. */
static bool passes_unjudged(enum reason r)
{
	return r == R_DOWN_HELD || r == R_DOWN_OPEN || r == R_MIDSTREAM_WAIT;
}

static void add(json_t *list, const char *who, enum reason r, unsigned long long packets)
{
	if (packets > 0)
		(void)json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "who", who, "reason", reason_word(r),
							    "packets", (json_int_t)packets));
}

json_t *refused_list(const json_t *status, bool unjudged)
{
	const json_t *counters = json_object_get(json_object_get(status, "kernel"), "counters");
	const json_t *workers = ja(status, "workers");
	json_t *list = json_array();

	for (unsigned r = 0; r < REASON_COUNT; r++) {
		const char *word = reason_word((enum reason)r);
		unsigned long long worker = 0;

		for (size_t i = 0; i < json_array_size(workers); i++)
			worker += ju(json_object_get(json_array_get(workers, i), "reasons"), word);
		if (reason_kind((enum reason)r) == REASON_PASS || passes_unjudged((enum reason)r) != unjudged)
			continue;
		add(list, "kernel", (enum reason)r, ju(json_object_get(counters, word), "packets"));
		add(list, "workers", (enum reason)r, worker);
	}
	return list;
}
