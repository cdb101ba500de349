/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/past_json.h"

static json_t *number_or_null(uint64_t n)
{
	return n != 0 ? json_integer((json_int_t)n) : json_null();
}

json_t *json_record(const struct generation_record *g, uint64_t in_force)
{
	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "number",
			 (json_int_t)g->number, "digest", json_hex(g->digest, 32), "applied", json_time(g->applied_ns),
			 "state", generation_state_name(g->state), "by", json_text(g->by), "in_force",
			 g->number == in_force, "comment", json_text_or_null(g->comment), "before",
			 number_or_null(g->before), "why", generation_why_name(g->why), "changed",
			 json_time(g->changed_ns), "changed_by", json_text_or_null(g->changed_by), "changed_comment",
			 json_text_or_null(g->changed_comment), "other", number_or_null(g->other), "meaning",
			 sentence_json(&g->meant));
}
