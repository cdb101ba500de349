/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/home.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/was.h"
#include "appliance/kernel/home_rules.h"
#include "appliance/store/kept.h"

#define MOST 1024u /* names: no policy has as many interfaces */

struct names {
	const char *list[MOST]; /* borrowed */
	size_t n;
	bool full;
};

static void add(struct names *x, const char *name)
{
	size_t i = 0;

	while (name != NULL && i < x->n && strcmp(x->list[i], name) != 0)
		i++;
	if (name == NULL || *name == '\0' || i < x->n)
		return;
	if (x->n < MOST)
		x->list[x->n++] = name;
	else
		x->full = true;
}

static const char *text(const json_t *link, const char *key)
{
	return json_string_value(json_object_get(link, key));
}

/* The device, and what ends with it: a VLAN of it, not the bridge that it is a port of, which has others. */
static void add_links(struct names *x, const json_t *links)
{
	const json_t *link, *other;
	size_t i, k;

	json_array_foreach(links, i, link)
	{
		const char *name = text(link, "name");
		bool has_ports = false;

		json_array_foreach(links, k, other)
		{
			const char *master = text(other, "master");

			has_ports |= name != NULL && master != NULL && strcmp(master, name) == 0;
		}
		if (!has_ports)
			add(x, name);
	}
}

int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e)
{
	struct names x = { .n = 0 };
	json_t *record;
	const char *device;

	json_object_foreach(json_object_get(kept, "devices"), device, record)
	{
		if (kept_mark(record) == KEPT_RELEASED)
			continue;
		add(&x, device);
		add_links(&x, json_object_get(json_object_get(record, "picture"), "links"));
	}
	for (uint32_t i = 0; ir != NULL && i < ir->n_interfaces; i++) {
		device = ir_card(&ir->interfaces[i]);
		if (kept_find(kept, device) == NULL && !box_has(spaces, device))
			add(&x, device);
	}
	if (home_rules_set(x.list, x.n, e) < 0)
		return e->code;
	return x.full ? err_set(e, -E2BIG, "more than %u cards", MOST) : 0;
}
