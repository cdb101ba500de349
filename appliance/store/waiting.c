/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/waiting.h"

/* Whether the conduit would be open if the clock were trusted. */
static bool concerns(const struct ir *ir, const struct ir_conduit *c, uint64_t now)
{
	return c->until > now || (c->until == 0 && (c->starts != 0 || c->window < ir->n_windows));
}

uint32_t waiting_count(const struct ir *ir, uint64_t now)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		n += concerns(ir, &ir->conduits[i], now);
	return n;
}

json_t *waiting_names(const struct ir *ir, uint64_t now)
{
	json_t *names = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (concerns(ir, &ir->conduits[i], now))
			json_array_append_new(names, json_text(ir->conduits[i].name));
	return names;
}

/* The waiting conduits as keys of an object, for quick look-up. */
static json_t *waiting_set(const struct ir *ir, uint64_t now)
{
	json_t *names = waiting_names(ir, now), *set = json_object(), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		(void)json_object_set_new(set, json_string_value(name), json_true());
	}
	json_decref(names);
	return set;
}

void waiting_mark(const struct ir *ir, uint64_t now, bool waits, json_t *list)
{
	json_t *set = waits ? waiting_set(ir, now) : NULL, *k;
	size_t n;

	json_array_foreach(list, n, k)
	{
		const char *name = json_string_value(json_object_get(k, "name"));

		json_object_set_new(k, "waits", json_boolean(name != NULL && json_object_get(set, name) != NULL));
	}
	json_decref(set);
}
