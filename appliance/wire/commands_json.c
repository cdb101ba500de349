/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/commands_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int range_text(char *to, size_t size, const struct number_range *r)
{
	return r->lo == r->hi ? snprintf(to, size, "%" PRIu64, r->lo)
			      : snprintf(to, size, "%" PRIu64 "-%" PRIu64, r->lo, r->hi);
}

json_t *numbers_json(const struct command_table *t, const struct number_set *s)
{
	size_t size = 42u * (size_t)s->n + 1, at = 0;
	char *text;
	json_t *j;

	if (s->any)
		return json_string("any");
	text = calloc(1, size);
	for (uint32_t i = 0; i < s->n && text != NULL; i++) {
		if (i > 0)
			text[at++] = ',';
		at += (size_t)range_text(text + at, size - at, &t->ranges[s->first + i]);
	}
	j = json_text(text);
	free(text);
	return j;
}

void codes_json(json_t *list, struct number_range codes)
{
	char text[48];

	if (codes.hi - codes.lo < 256) {
		for (uint64_t c = codes.lo; c <= codes.hi; c++)
			json_array_append_new(list, json_integer((json_int_t)c));
		return;
	}
	range_text(text, sizeof(text), &codes);
	json_array_append_new(list, json_string(text));
}

void spaces_json(json_t *o, const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	static const struct number_set any = { .any = true }, none = { 0 };

	for (unsigned s = 0; v != NULL && s < v->n_spaces; s++) {
		const struct number_set *set = r->spaces_any ? &any : row_space(t, r, (uint8_t)s);

		json_object_set_new(o, v->spaces[s].key, numbers_json(t, set != NULL ? set : &none));
	}
}
