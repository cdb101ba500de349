/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a model of the rule IR, to answer questions. It has what lower.c put into the IR. */
#include <errno.h>

#include "appliance/wire/hours.h"
#include "policy/compile/compile.h"
#include "policy/compile/lower.h"
#include "policy/ir/moment.h"
#include "policy/ir/seal.h"

#define COPY(member) .member = from->member

struct raising {
	const struct ir *ir;
	struct arena *a;
	struct model *m;
};

/* Memory for n objects. Without memory their number is 0, and the arena has failed, which
 * policy_raise() checks at its end. */
static void *room(const struct raising *w, size_t n, size_t size, size_t *ret_n)
{
	void *list = arena_array(w->a, n, size);

	*ret_n = list != NULL ? n : 0;
	return list;
}

/* The interfaces get only their names. */
static void raise_ends(struct raising *w)
{
	const struct ir *ir = w->ir;
	struct model *m = w->m;

	m->box.interfaces = room(w, ir->n_interfaces, sizeof(*m->box.interfaces), &m->box.n_interfaces);
	for (uint32_t i = 0; i < m->box.n_interfaces; i++)
		m->box.interfaces[i].name = ir->interfaces[i].name;
	m->zones = room(w, ir->n_zones, sizeof(*m->zones), &m->n_zones);
	for (uint32_t i = 0; i < m->n_zones; i++) {
		const struct ir_zone *from = &ir->zones[i];
		struct model_zone *to = &m->zones[i];

		*to = (struct model_zone){ COPY(ranges), COPY(n_ranges), .index = i };
		ZONE_SAME(TAKE)
		to->interfaces = room(w, from->n_interfaces, sizeof(struct model_interface *), &to->n_interfaces);
		for (size_t k = 0; k < to->n_interfaces; k++)
			to->interfaces[k] = &m->box.interfaces[from->interfaces[k]];
	}
	m->assets = room(w, ir->n_assets, sizeof(*m->assets), &m->n_assets);
	for (uint32_t i = 0; i < m->n_assets; i++) {
		const struct ir_asset *from = &ir->assets[i];
		struct model_asset *to = &m->assets[i];

		*to = (struct model_asset){ COPY(ranges), COPY(n_ranges), .zone = &m->zones[from->zone] };
		ASSET_SAME(TAKE)
	}
	m->breaks = room(w, ir->n_breaks, sizeof(*m->breaks), &m->n_breaks);
	for (uint32_t i = 0; i < m->n_breaks; i++)
		m->breaks[i].asset = &m->assets[ir->breaks[i]];
}

static void raise_groups(struct raising *w)
{
	w->m->groups = room(w, w->ir->n_groups, sizeof(*w->m->groups), &w->m->n_groups);
	for (uint32_t i = 0; i < w->m->n_groups; i++) {
		const struct ir_group *from = &w->ir->groups[i];
		struct model_group *g = &w->m->groups[i];
		const char **zones = room(w, from->n_zones, sizeof(*zones), &g->n_zones),
			   **assets = room(w, from->n_assets, sizeof(*assets), &g->n_assets);

		for (uint32_t k = 0; k < g->n_zones; k++)
			zones[k] = w->ir->zones[from->zones[k]].name;
		for (uint32_t k = 0; k < g->n_assets; k++)
			assets[k] = w->ir->assets[from->assets[k]].name;
		g->name = from->name;
		g->zones = zones;
		g->assets = assets;
	}
}

static void raise_services(struct raising *w)
{
	w->m->rows.t = w->ir->table;
	w->m->services = room(w, w->ir->n_services, sizeof(*w->m->services), &w->m->n_services);
	for (uint32_t i = 0; i < w->m->n_services; i++) {
		const struct ir_service *from = &w->ir->services[i];
		struct model_service *to = &w->m->services[i];

		*to = (struct model_service){ COPY(ports), COPY(n_ports) };
		SERVICE_SAME(TAKE)
		to->allows = room(w, from->n_rows, sizeof(*to->allows), &to->n_allows);
		for (uint32_t k = 0; k < to->n_allows; k++) {
			const struct command_row *row = &w->ir->table.rows[from->first_row + k];

			to->allows[k] = (struct model_allow){ *row, { row->file, row->line, 1 } };
		}
	}
}

static void raise_hours(struct raising *w)
{
	struct model *m = w->m;

	m->time_zone = m->time_zone_said = w->ir->time_zone;
	/* unsealing has checked the rule; without one, `zone` stays 0 */
	if (time_zone_parse(m->time_zone, &m->zone))
		people_zone(m->time_zone);
	m->windows = room(w, w->ir->n_windows, sizeof(*m->windows), &m->n_windows);
	for (uint32_t i = 0; i < m->n_windows; i++) {
		const struct ir_conduit at_hours = { .window = i };

		m->windows[i].name = w->ir->windows[i].name;
		m->windows[i].label = w->ir->windows[i].label;
		(void)ir_times(w->ir, &at_hours, &m->windows[i].when);
	}
	m->doors = room(w, w->ir->n_doors, sizeof(*m->doors), &m->n_doors);
	for (uint32_t i = 0; i < m->n_doors; i++) {
		const struct ir_door *from = &w->ir->doors[i];

		m->doors[i] = (struct model_door){ COPY(name), COPY(label), COPY(at_most) };
	}
}

static void raise_conduits(struct raising *w)
{
	struct model *m = w->m;

	m->conduits = room(w, w->ir->n_conduits, sizeof(*m->conduits), &m->n_conduits);
	for (uint32_t i = 0; i < m->n_conduits; i++) {
		const struct ir_conduit *from = &w->ir->conduits[i];
		struct model_conduit *to = &m->conduits[i];

		*to = (struct model_conduit){
			COPY(sources),
			COPY(n_sources),
			COPY(destinations),
			COPY(n_destinations),
			.from = &m->zones[from->from],
			.to = &m->zones[from->to],
			.within = from->window != UINT32_MAX ? &m->windows[from->window] : NULL,
			.door = from->door != UINT32_MAX ? &m->doors[from->door] : NULL,
			.index = i,
			.at = { from->file, from->line, 1 },
		};
		CONDUIT_SAME(TAKE)
		to->services = room(w, from->n_services, sizeof(struct model_service *), &to->n_services);
		for (uint32_t k = 0; k < to->n_services; k++)
			to->services[k] = &m->services[from->services[k]];
	}
}

int policy_raise(struct compilation *c, struct bytes sealed, struct err *e)
{
	struct raising w = { .a = c->arena, .m = arena_alloc(c->arena, sizeof(*w.m)) };
	struct ir *ir = arena_alloc(c->arena, sizeof(*ir));
	int r = ir != NULL ? ir_unseal(sealed, c->arena, ir, e) : -ENOMEM;

	if (r < 0)
		return r;
	w.ir = ir;
	c->sources = room(&w, ir->n_sources, sizeof(*c->sources), &c->n_sources);
	for (uint32_t i = 0; i < c->n_sources; i++)
		c->sources[i] = (struct source_text){ ir->sources[i].name, ir->sources[i].text, ir->sources[i].size };
	if (w.m != NULL) {
		raise_ends(&w);
		raise_groups(&w);
		raise_services(&w);
		raise_hours(&w);
		raise_conduits(&w);
	}
	if (w.m == NULL || arena_failed(c->arena))
		return err_set(e, -ENOMEM, "generation");
	w.m->sources = c->sources;
	w.m->n_sources = c->n_sources;
	c->model = w.m;
	return 0;
}
