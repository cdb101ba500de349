/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a model of the rule IR, to answer questions. It has what lower.c put into the IR. */
#include <errno.h>

#include "policy/compile/compile.h"
#include "policy/ir/moment.h"

struct raising {
	const struct ir *ir;
	struct arena *a;
	struct model *m;
};

static bool room(struct raising *w)
{
	struct model *m = w->m;

	m->box.interfaces = arena_array(w->a, w->ir->n_interfaces, sizeof(*m->box.interfaces));
	m->zones = arena_array(w->a, w->ir->n_zones, sizeof(*m->zones));
	m->assets = arena_array(w->a, w->ir->n_assets, sizeof(*m->assets));
	m->groups = arena_array(w->a, w->ir->n_groups, sizeof(*m->groups));
	m->breaks = arena_array(w->a, w->ir->n_breaks, sizeof(*m->breaks));
	m->services = arena_array(w->a, w->ir->n_services, sizeof(*m->services));
	m->windows = arena_array(w->a, w->ir->n_windows, sizeof(*m->windows));
	m->doors = arena_array(w->a, w->ir->n_doors, sizeof(*m->doors));
	m->conduits = arena_array(w->a, w->ir->n_conduits, sizeof(*m->conduits));
	return !arena_failed(w->a);
}

/* The interfaces get only their names; each zone gets the list of its interfaces. */
static bool raise_interfaces(struct raising *w)
{
	struct model *m = w->m;

	for (uint32_t i = 0; i < w->ir->n_interfaces; i++)
		m->box.interfaces[m->box.n_interfaces++].name = w->ir->interfaces[i].name;
	for (uint32_t i = 0; i < w->ir->n_zones; i++) {
		const struct ir_zone *z = &w->ir->zones[i];
		const struct model_interface **list =
			arena_array(w->a, z->n_interfaces, sizeof(struct model_interface *));

		if (list == NULL)
			return false;
		for (uint32_t k = 0; k < z->n_interfaces; k++)
			list[k] = &m->box.interfaces[z->interfaces[k]];
		m->zones[i].interfaces = list;
	}
	return true;
}

static void raise_ends(struct raising *w)
{
	const struct ir *ir = w->ir;
	struct model *m = w->m;

	for (uint32_t i = 0; i < ir->n_zones; i++)
		m->zones[m->n_zones++] = (struct model_zone){ .name = ir->zones[i].name,
							      .label = ir->zones[i].label,
							      .class = (enum zone_class)ir->zones[i].class,
							      .n_interfaces = ir->zones[i].n_interfaces,
							      .ranges = ir->zones[i].ranges,
							      .n_ranges = ir->zones[i].n_ranges,
							      .index = i };
	for (uint32_t i = 0; i < ir->n_assets; i++)
		m->assets[m->n_assets++] = (struct model_asset){ .name = ir->assets[i].name,
								 .label = ir->assets[i].label,
								 .zone = &m->zones[ir->assets[i].zone],
								 .ranges = ir->assets[i].ranges,
								 .n_ranges = ir->assets[i].n_ranges };
	for (uint32_t i = 0; i < ir->n_breaks; i++)
		m->breaks[m->n_breaks++].asset = &m->assets[ir->breaks[i]];
}

static bool raise_groups(struct raising *w)
{
	for (uint32_t i = 0; i < w->ir->n_groups; i++) {
		const struct ir_group *from = &w->ir->groups[i];
		const char **zones = arena_array(w->a, from->n_zones, sizeof(*zones)),
			   **assets = arena_array(w->a, from->n_assets, sizeof(*assets));

		if (zones == NULL || assets == NULL)
			return false;
		for (uint32_t k = 0; k < from->n_zones; k++)
			zones[k] = w->ir->zones[from->zones[k]].name;
		for (uint32_t k = 0; k < from->n_assets; k++)
			assets[k] = w->ir->assets[from->assets[k]].name;
		w->m->groups[w->m->n_groups++] = (struct model_group){
			.name = from->name,
			.zones = zones,
			.assets = assets,
			.n_zones = from->n_zones,
			.n_assets = from->n_assets,
		};
	}
	return true;
}

static bool raise_services(struct raising *w)
{
	w->m->rows.t = w->ir->table;
	for (uint32_t i = 0; i < w->ir->n_services; i++) {
		const struct ir_service *from = &w->ir->services[i];
		struct model_port *ports = arena_array(w->a, from->n_ports, sizeof(*ports));
		struct model_allow *allows = arena_array(w->a, from->n_rows, sizeof(*allows));

		if (ports == NULL || allows == NULL)
			return false;
		for (uint32_t k = 0; k < from->n_ports; k++)
			ports[k] = (struct model_port){ from->ports[k].l4proto, from->ports[k].lo, from->ports[k].hi };
		for (uint32_t k = 0; k < from->n_rows; k++) {
			const struct command_row *row = &w->ir->table.rows[from->first_row + k];

			allows[k] = (struct model_allow){ *row, { row->file, row->line, 1 } };
		}
		w->m->services[w->m->n_services++] = (struct model_service){
			.name = from->name,
			.label = from->label,
			.protocol = (enum protocol)from->protocol,
			.ports = ports,
			.n_ports = from->n_ports,
			.whole = from->whole,
			.allows = allows,
			.n_allows = from->n_rows,
			.tunnel = from->tunnel,
			.lenient = from->lenient,
			.undecided_bytes = from->undecided_bytes,
		};
	}
	return true;
}

static bool raise_windows(struct raising *w)
{
	w->m->time_zone = w->ir->time_zone;
	w->m->n_windows = w->ir->n_windows;
	for (uint32_t i = 0; i < w->ir->n_windows; i++) {
		const struct ir_conduit at_hours = { .window = i };

		w->m->windows[i].name = w->ir->windows[i].name;
		w->m->windows[i].label = w->ir->windows[i].label;
		(void)ir_times(w->ir, &at_hours, &w->m->windows[i].when);
	}
	return w->ir->time_zone[0] == '\0' || time_zone_parse(w->ir->time_zone, &w->m->zone);
}

static void raise_doors(struct raising *w)
{
	for (uint32_t i = 0; i < w->ir->n_doors; i++)
		w->m->doors[w->m->n_doors++] = (struct model_door){ .name = w->ir->doors[i].name,
								    .label = w->ir->doors[i].label,
								    .at_most = w->ir->doors[i].at_most };
}

static bool raise_conduits(struct raising *w)
{
	struct model *m = w->m;

	for (uint32_t i = 0; i < w->ir->n_conduits; i++) {
		const struct ir_conduit *from = &w->ir->conduits[i];
		const struct model_service **services = arena_array(w->a, from->n_services, sizeof(void *));
		const char **names = arena_array(w->a, from->n_servers, sizeof(*names));

		if (services == NULL || names == NULL)
			return false;
		for (uint32_t k = 0; k < from->n_services; k++)
			services[k] = &m->services[from->services[k]];
		for (uint32_t k = 0; k < from->n_servers; k++)
			names[k] = from->servers[k].name;
		m->conduits[m->n_conduits++] = (struct model_conduit){
			.name = from->name,
			.label = from->label,
			.from = &m->zones[from->from],
			.to = &m->zones[from->to],
			.sources = from->sources,
			.n_sources = from->n_sources,
			.destinations = from->destinations,
			.n_destinations = from->n_destinations,
			.services = services,
			.n_services = from->n_services,
			.observe = from->observe,
			.shadow = from->shadow,
			.until = from->until,
			.starts = from->starts,
			.idle = from->idle,
			.session = from->session,
			.criticality = (enum criticality)from->criticality,
			.when_down = (enum failure)from->when_down,
			.when_overloaded = (enum failure)from->when_overloaded,
			.when_midstream = (enum midstream)from->when_midstream,
			.tighten_new_flows = from->tighten_new_flows,
			.deny_weak_tls = from->deny_weak_tls,
			.names = names,
			.n_names = from->n_servers,
			.within = from->window != UINT32_MAX ? &m->windows[from->window] : NULL,
			.door = from->door != UINT32_MAX ? &m->doors[from->door] : NULL,
			.purpose = from->purpose,
			.owner = from->owner,
			.approved_by = from->approved_by,
			.review_by = from->review_by,
			.index = i,
			.at = { from->file, from->line, 1 },
		};
	}
	return true;
}

int policy_raise(struct compilation *c, struct bytes sealed, struct err *e)
{
	struct raising w = { .a = c->arena, .m = arena_alloc(c->arena, sizeof(*w.m)) };
	struct ir *ir = arena_alloc(c->arena, sizeof(*ir));
	int r = ir != NULL ? ir_unseal(sealed, c->arena, ir, e) : -ENOMEM;

	if (r < 0)
		return r;
	w.ir = ir;
	c->sources = arena_array(c->arena, ir->n_sources, sizeof(*c->sources));
	if (c->sources == NULL || w.m == NULL || !room(&w))
		return err_set(e, -ENOMEM, "generation");
	for (uint32_t i = 0; i < ir->n_sources; i++)
		c->sources[c->n_sources++] =
			(struct source_text){ ir->sources[i].name, ir->sources[i].text, ir->sources[i].size };
	raise_ends(&w);
	raise_doors(&w);
	if (!raise_interfaces(&w) || !raise_groups(&w) || !raise_services(&w) || !raise_windows(&w) ||
	    !raise_conduits(&w))
		return err_set(e, -ENOMEM, "generation");
	w.m->sources = c->sources;
	w.m->n_sources = c->n_sources;
	c->model = w.m;
	return 0;
}
