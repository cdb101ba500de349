/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/commands_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

json_t *numbers_json(const struct command_table *t, const struct number_set *s, struct notation n)
{
	char *text = NULL, one[NOTATION_TEXT];
	size_t size;
	FILE *to;
	json_t *j;

	if (s->any)
		return json_string("any");
	to = open_memstream(&text, &size);
	for (uint32_t i = 0; i < s->n && to != NULL; i++) {
		notation_text(&n, t->ranges[s->first + i], one);
		fprintf(to, "%s%s", i > 0 ? "," : "", one);
	}
	j = json_text(to != NULL && fclose(to) == 0 ? text : NULL);
	free(text);
	return j;
}

void codes_json(json_t *list, struct number_range codes)
{
	if (codes.hi - codes.lo < 256) {
		for (uint64_t c = codes.lo; c <= codes.hi; c++)
			json_array_append_new(list, json_integer((json_int_t)c));
		return;
	}
	json_array_append_new(list, json_sprintf("%" PRIu64 "-%" PRIu64, codes.lo, codes.hi));
}

void spaces_json(json_t *o, const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	static const struct number_set any = { .any = true }, none = { 0 };

	for (unsigned s = 0; v != NULL && s < v->n_spaces; s++) {
		const struct number_set *set = r->spaces_any ? &any : row_space(t, r, (uint8_t)s);

		json_object_set_new(o, v->spaces[s].key,
				    numbers_json(t, set != NULL ? set : &none, notation_of_space(&v->spaces[s])));
	}
}

void targets_json(json_t *o, const uint32_t targets[TARGET_MAX], const struct vocabulary *v)
{
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		json_object_set_new(o, v->targets[i].one, json_integer(targets[i]));
}

json_t *place_json(const struct vocabulary *v, uint8_t space, uint64_t first, uint64_t count)
{
	struct number_range r = { first, first + (count > 0 ? count - 1u : 0) };
	struct notation n;
	char text[NOTATION_TEXT];

	if (space_key(v, space) == NULL)
		return json_null();
	n = notation_of_space(&v->spaces[space]);
	notation_text(&n, r, text);
	return json_string(text);
}

json_t *names_json(const struct command_table *t, const struct command_grant *g)
{
	struct bytes list = grant_names(t, g), name;
	json_t *j = list.left > 0 ? json_array() : NULL;

	while (list.left > 0 && names_next(&list, &name))
		(void)json_array_append_new(j, json_stringn((const char *)name.p, name.left));
	return j;
}

static const char *const words[LIMIT_WHAT_COUNT] = {
#define LIMIT(id, word) [id] = (word),
#include "appliance/wire/limit.def"
};

/* The name of the target that was outside the limit: "unit". */
static const char *what_word(const struct limit *l, const struct vocabulary *v)
{
	return l->what == LIMIT_TARGET && v != NULL && l->at < v->n_targets ? v->targets[l->at].one : words[l->what];
}

static struct notation notation_of_limit(const struct limit *l, const struct vocabulary *v, uint8_t space)
{
	if (l->what == LIMIT_TARGET && v != NULL && l->at < v->n_targets)
		return notation_of_target(&v->targets[l->at]);
	if (l->what == LIMIT_ADDRESS && space_key(v, space) != NULL)
		return notation_of_space(&v->spaces[space]);
	return notation_plain(INT64_MAX);
}

json_t *limit_json(const struct limit *l, const struct vocabulary *v, uint8_t space)
{
	struct notation n = notation_of_limit(l, v, space);
	char text[NOTATION_TEXT];
	json_t *o, *allowed;

	if (l->what == LIMIT_NONE || l->what >= LIMIT_WHAT_COUNT)
		return json_null();
	o = json_object();
	json_object_set_new(o, "what", json_string(what_word(l, v)));
	if (l->what == LIMIT_ADDRESS || l->what == LIMIT_VALUE) {
		json_object_set_new(o, "at", json_integer((json_int_t)l->at));
		json_object_set_new(o, "place", place_json(v, space, l->at, 1));
	}
	if (l->what == LIMIT_VALUE)
		json_object_set_new(o, "wrote", json_integer((json_int_t)l->wrote));
	if (l->what == LIMIT_ADDRESS_UNTOLD)
		return o;
	allowed = json_array();
	for (uint32_t i = 0; i < l->n && i < LIMIT_RANGES; i++) {
		notation_text(&n, (struct number_range){ l->allowed[i].lo, l->allowed[i].hi }, text);
		json_array_append_new(allowed, json_string(text));
	}
	json_object_set_new(o, "allowed", allowed);
	json_object_set_new(o, "more", json_integer(l->n > LIMIT_RANGES ? (json_int_t)(l->n - LIMIT_RANGES) : 0));
	return o;
}
