/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of time without a watch, the oldest first, at most USED_GAPS. When there are more, the two
 * oldest are merged, including the time between them. */
#ifndef SEKISHO_WIRE_SPANS_H
#define SEKISHO_WIRE_SPANS_H

#include <string.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct spans {
	struct msg_used_gap list[USED_GAPS];
	size_t n;
};

static inline void spans_add(struct spans *s, uint64_t from_ns, uint64_t until_ns)
{
	struct msg_used_gap *last = s->n > 0 ? &s->list[s->n - 1] : NULL;

	if (last != NULL && from_ns >= last->from_ns && from_ns <= last->until_ns) {
		last->until_ns = until_ns > last->until_ns ? until_ns : last->until_ns;
		return;
	}
	if (s->n == USED_GAPS) {
		s->list[1].from_ns = s->list[0].from_ns;
		memmove(&s->list[0], &s->list[1], --s->n * sizeof(s->list[0]));
	}
	s->list[s->n++] = (struct msg_used_gap){ from_ns, until_ns };
}

/* The spans that began at `since_ns` or later, as JSON. */
static inline json_t *spans_json(const struct spans *s, uint64_t since_ns)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].from_ns >= since_ns)
			(void)json_array_append_new(list, json_pack("{s:o,s:o}", "since", json_time(s->list[i].from_ns),
								    "until", json_time(s->list[i].until_ns)));
	return list;
}

#endif
