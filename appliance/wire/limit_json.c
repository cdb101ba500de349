/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/limit_json.h"

#include <inttypes.h>

static const char *const words[LIMIT_WHAT_COUNT] = {
	[LIMIT_NONE] = "none",
	[LIMIT_UNIT] = "unit",
	[LIMIT_ADDRESS] = "address",
	[LIMIT_VALUE] = "value",
	[LIMIT_ADDRESS_UNTOLD] = "address_untold",
	[LIMIT_VALUE_UNTOLD] = "value_untold",
};

json_t *limit_json(const struct limit *l)
{
	json_t *o, *allowed;

	if (l->what == LIMIT_NONE || l->what >= LIMIT_WHAT_COUNT)
		return json_null();
	o = json_object();
	json_object_set_new(o, "what", json_string(words[l->what]));
	if (l->what == LIMIT_ADDRESS || l->what == LIMIT_VALUE)
		json_object_set_new(o, "at", json_integer((json_int_t)l->at));
	if (l->what == LIMIT_VALUE)
		json_object_set_new(o, "wrote", json_integer((json_int_t)l->wrote));
	if (l->what == LIMIT_ADDRESS_UNTOLD)
		return o;
	allowed = json_array();
	for (uint32_t i = 0; i < l->n && i < LIMIT_RANGES; i++)
		json_array_append_new(
			allowed, l->allowed[i].lo == l->allowed[i].hi
					 ? json_sprintf("%" PRIu64, l->allowed[i].lo)
					 : json_sprintf("%" PRIu64 "-%" PRIu64, l->allowed[i].lo, l->allowed[i].hi));
	json_object_set_new(o, "allowed", allowed);
	json_object_set_new(o, "more", json_integer(l->n > LIMIT_RANGES ? (json_int_t)(l->n - LIMIT_RANGES) : 0));
	return o;
}
