/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/limit_json.h"

#include "appliance/wire/commands_json.h"

static const char *const words[LIMIT_WHAT_COUNT] = {
	[LIMIT_NONE] = "none",
	[LIMIT_TARGET] = "target",
	[LIMIT_ADDRESS] = "address",
	[LIMIT_VALUE] = "value",
	[LIMIT_ADDRESS_UNTOLD] = "address_untold",
	[LIMIT_VALUE_UNTOLD] = "value_untold",
	[LIMIT_WROTE] = "wrote",
};

/* The target's own word: "unit". */
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
