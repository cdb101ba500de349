/* SPDX-License-Identifier: Apache-2.0 */
/* Generations that are kept: what their records say, and the texts that were applied. */
#include <errno.h>
#include <stdlib.h>

#include "appliance/supervise/supervise.h"

#define SHOW_BUDGET (512u << 20)

static json_t *text_or_null(const char *text)
{
	return *text != 0 ? json_text(text) : json_null();
}

static json_t *number_or_null(uint64_t n)
{
	return n != 0 ? json_integer((json_int_t)n) : json_null();
}

json_t *json_record(const struct supervisor *s, const struct generation_record *g)
{
	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "number",
			 (json_int_t)g->number, "digest", json_hex(g->digest, 32), "applied", json_time(g->applied_ns),
			 "state", generation_state_name(g->state), "by", json_text(g->by), "in_force",
			 g->number == s->now->number, "comment", text_or_null(g->comment), "before",
			 number_or_null(g->before), "why", generation_why_name(g->why), "changed",
			 json_time(g->changed_ns), "changed_by", text_or_null(g->changed_by), "changed_comment",
			 text_or_null(g->changed_comment), "other", number_or_null(g->other));
}

static json_t *sources_json(const struct ir *ir)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_sources; i++)
		json_array_append_new(list, json_pack("{s:o,s:o}", "name", json_text(ir->sources[i].name), "text",
						      json_text(ir->sources[i].text)));
	return list;
}

/* The texts of a generation on disk; NULL when it cannot be read. Nothing of it comes near to being in force. */
static json_t *stored_sources(struct supervisor *s, uint64_t number, struct err *e)
{
	struct arena *a = arena_new(SHOW_BUDGET);
	json_t *list = NULL;
	uint8_t *sealed = NULL;
	struct ir ir;
	size_t n;

	if (a == NULL)
		err_set(e, -ENOMEM, "generation");
	else if (generation_load(&s->store, number, &sealed, &n, e) == 0 &&
		 ir_unseal(bytes_of(sealed, n), a, &ir, e) == 0)
		list = sources_json(&ir);
	free(sealed);
	arena_free(a);
	return list;
}

static json_t *failure(enum message m, ...)
{
	struct sentence why;
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	return json_pack("{s:o}", "error", sentence_json(&why));
}

json_t *json_kept(struct supervisor *s, const struct generation_record *g, struct err *e)
{
	json_t *texts = stored_sources(s, g->number, e);

	return texts != NULL ? json_pack("{s:o,s:o}", "generation", json_record(s, g), "sources", texts) : NULL;
}

void show_generation(struct supervisor *s, struct asker a, uint64_t number)
{
	const struct generation_record *g;
	struct err e = { 0 };
	json_t *texts, *before = NULL;

	if (number == 0)
		number = s->now->number;
	g = generation_find(&s->store, number);
	if (g == NULL) {
		if (number == 0)
			answer_json(s, a, ANSWER_CANNOT, failure(M_SHOW_NONE));
		else
			answer_json(s, a, ANSWER_INVALID, failure(M_OP_NO_SUCH, (unsigned long long)number));
		return;
	}
	texts = stored_sources(s, number, &e);
	if (texts == NULL) {
		answer_json(s, a, 3, failure(M_SHOW_UNREADABLE, (unsigned long long)number, e.text));
		return;
	}
	/* One that is not kept any more is no mistake: there is nothing to compare with. */
	if (g->before != 0)
		before = stored_sources(s, g->before, &e);
	answer_json(s, a, 0,
		    json_pack("{s:o,s:o,s:o}", "generation", json_record(s, g), "sources", texts, "before",
			      before != NULL
				      ? json_pack("{s:I,s:o}", "number", (json_int_t)g->before, "sources", before)
				      : json_null()));
}
