/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the checked model to the rule IR: proofs first, then cells, permits, commands. The IR shares the model's strings;
 * both live in the compilation's arena. Nothing here asks the machine or the clock: the same texts give the same IR.
 */
#include <string.h>

#include "policy/compile/commands.h"
#include "policy/compile/compile.h"
#include "policy/compile/permits.h"
#include "policy/space/cells.h"
#include "policy/space/prove.h"

struct lowering {
	const struct model *m;
	struct arena *a;
	struct ir *ir;
};

/* ---- broken statements become errors ------------------------------------------------------------------------------- */

static const char *file_of(const struct model *m, struct srcpos at)
{
	return at.file < m->n_sources ? m->sources[at.file].name : "";
}

static const char *packet_text(const struct counterexample *x, struct arena *a)
{
	const struct vocabulary *v = vocabulary_of(x->service->protocol);
	const struct function_info *f =
		v != NULL && x->function >= 0 ? function_by_code(v, (uint8_t)x->function) : NULL;
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	const char *where;

	addr_text(&x->source, src);
	addr_text(&x->destination, dst);
	if (x->l4proto == 1 || x->l4proto == 58)
		where = arena_printf(a, "%s -> %s icmp/%u", src, dst, (unsigned)x->port >> 8);
	else
		where = arena_printf(a, "%s -> %s %s/%u", src, dst, x->l4proto == 17 ? "udp" : "tcp",
				     (unsigned)x->port);
	if (where == NULL || x->function < 0)
		return where;
	return arena_printf(a, "%s, %s %d%s%s%s", where, protocol_info(x->service->protocol)->name, x->function,
			    f != NULL ? " (" : "", f != NULL ? f->name : "", f != NULL ? ")" : "");
}

static const char *chain_text(const struct model *m, const struct counterexample *x, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < x->n_hops && text != NULL; i++)
		text = arena_printf(a, "%s%s%s -[%s %s:%u]-> %s", text, i ? ", " : "", x->hops[i]->from->name,
				    x->hops[i]->name, file_of(m, x->hops[i]->at), x->hops[i]->at.line,
				    x->hops[i]->to->name);
	return text;
}

static void report_nevers(struct compilation *c)
{
	struct counterexample *list;
	size_t n = prove_nevers(c->model, c->arena, &list);

	for (size_t i = 0; i < n; i++) {
		const struct counterexample *x = &list[i];
		const char *packet = packet_text(x, c->arena), *chain = chain_text(c->model, x, c->arena);
		struct diag *g;

		if (packet == NULL || chain == NULL)
			return;
		if (x->unattended == FAIL_HOLD)
			continue; /* the usual decision where cranes work; `prove` tells */
		g = x->unattended == FAIL_OPEN
			    ? diag_add(&c->diags, SEV_WARNING, "policy.never_unattended", x->never->at,
				       M_NEVER_UNATTENDED, x->never->from->name, x->never->to->name, packet)
			    : diag_add(&c->diags, SEV_ERROR, "policy.never_broken", x->never->at, M_NEVER_BROKEN,
				       x->never->from->name, x->never->to->name, packet);
		g->also = x->hops[x->n_hops - 1]->at;
		if (x->observed)
			diag_hint(&c->diags, g, M_NEVER_OBSERVED, chain, x->hops[x->n_hops - 1]->name);
		else if (x->unattended == FAIL_OPEN)
			diag_hint(&c->diags, g, M_NEVER_OPEN, chain, x->hops[x->n_hops - 1]->name);
		else
			diag_hint(&c->diags, g, M_NEVER_CHAIN, chain);
	}
}

/* ---- copies of the model's tables ---------------------------------------------------------------------------------- */

static uint32_t interface_index(const struct lowering *w, const struct model_interface *i)
{
	return i != NULL ? (uint32_t)(i - w->m->box.interfaces) : UINT32_MAX;
}

static bool lower_box(struct lowering *w)
{
	const struct model_box *box = &w->m->box;
	struct ir *ir = w->ir;

	ir->workers = box->workers;
	ir->interfaces = arena_array(w->a, box->n_interfaces, sizeof(*ir->interfaces));
	ir->routes = arena_array(w->a, box->n_routes, sizeof(*ir->routes));
	if (ir->interfaces == NULL || ir->routes == NULL)
		return false;
	ir->n_interfaces = (uint32_t)box->n_interfaces;
	ir->n_routes = (uint32_t)box->n_routes;
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct model_interface *from = &box->interfaces[i];

		ir->interfaces[i] = (struct ir_interface){
			.name = from->name,
			.device = from->device,
			.admin = from->admin,
			.mtu = from->mtu,
			.addresses = from->addresses,
			.prefix_lengths = from->prefix_lengths,
			.n_addresses = (uint32_t)from->n_addresses,
		};
	}
	for (uint32_t i = 0; i < ir->n_routes; i++)
		ir->routes[i] = (struct ir_route){ .to = box->routes[i].to,
						   .via = box->routes[i].via,
						   .interface = interface_index(w, box->routes[i].interface) };
	return true;
}

static bool lower_zones(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->zones = arena_array(w->a, w->m->n_zones, sizeof(*ir->zones));
	if (ir->zones == NULL)
		return false;
	ir->n_zones = (uint32_t)w->m->n_zones;
	for (uint32_t i = 0; i < ir->n_zones; i++) {
		const struct model_zone *from = &w->m->zones[i];
		struct ir_zone *z = &ir->zones[i];

		*z = (struct ir_zone){ .name = from->name,
				       .label = from->label,
				       .class = (uint8_t)from->class,
				       .ranges = from->ranges,
				       .n_ranges = (uint32_t)from->n_ranges,
				       .n_interfaces = (uint32_t)from->n_interfaces };
		z->interfaces = arena_array(w->a, from->n_interfaces, sizeof(*z->interfaces));
		if (z->interfaces == NULL)
			return false;
		for (size_t k = 0; k < from->n_interfaces; k++)
			z->interfaces[k] = interface_index(w, from->interfaces[k]);
	}
	return true;
}

static bool lower_conduits(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->sources = arena_array(w->a, w->m->n_sources, sizeof(*ir->sources));
	ir->conduits = arena_array(w->a, w->m->n_conduits, sizeof(*ir->conduits));
	if (ir->sources == NULL || ir->conduits == NULL)
		return false;
	ir->n_sources = (uint32_t)w->m->n_sources;
	ir->n_conduits = (uint32_t)w->m->n_conduits;
	for (uint32_t i = 0; i < ir->n_sources; i++)
		ir->sources[i] = (struct ir_source){ .name = w->m->sources[i].name,
						     .text = w->m->sources[i].text,
						     .size = (uint32_t)w->m->sources[i].size };
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct model_conduit *from = &w->m->conduits[i];

		ir->conduits[i] = (struct ir_conduit){
			.name = from->name,
			.label = from->label,
			.purpose = from->purpose,
			.owner = from->owner,
			.approved_by = from->approved_by,
			.review_by = from->review_by,
			.from = from->from->index,
			.to = from->to->index,
			.file = from->at.file,
			.line = from->at.line,
			.observe = from->observe,
			.shadow = from->shadow,
			.until = from->until,
		};
	}
	return true;
}

/* The line of a cell is that of the first conduit that decides there: one that enforces, if any does. */
static const struct model_conduit *responsible(const struct lowering *w, const struct cells *cells,
					       const struct interned *set)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *c = &w->m->conduits[cells->pairs[set->values[i]].conduit];

		if (!c->observe)
			return c;
	}
	return &w->m->conduits[cells->pairs[set->values[0]].conduit];
}

static bool lower_cells(struct lowering *w, const struct cells *cells)
{
	struct ir *ir = w->ir;

	ir->cells = arena_array(w->a, cells->n, sizeof(*ir->cells));
	if (ir->cells == NULL)
		return false;
	ir->n_cells = (uint32_t)cells->n;
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct cell *from = &cells->list[i];
		const struct model_conduit *c = responsible(w, cells, &cells->sets[from->set]);

		ir->cells[i] = (struct ir_cell){
			.iif = from->iif,
			.oif = from->oif,
			.src = from->src,
			.dst = from->dst,
			.l4proto = from->l4proto,
			.lo = from->lo,
			.hi = from->hi,
			.permit = from->set,
			.layer = from->layer,
			.line = c->at.line,
			.file = c->at.file,
		};
	}
	return true;
}

bool policy_lower(struct compilation *c)
{
	struct lowering w = { .m = c->model, .a = c->arena };
	struct cells cells;

	c->ir = NULL;
	if (c->model == NULL || c->diags.errors > 0)
		return false;
	report_nevers(c);
	w.ir = arena_alloc(c->arena, sizeof(*w.ir));
	/* Permits are joined even when a statement is broken: all that is wrong is said in one run. */
	if (w.ir != NULL && cells_make(w.m, w.a, &c->diags, &cells) &&
	    permits_make(w.m, &cells, w.a, &c->diags, w.ir) && c->diags.errors == 0) {
		w.ir->site_name = w.m->site_name;
		w.ir->site_label = w.m->site_label;
		if (lower_box(&w) && lower_zones(&w) && lower_conduits(&w) && lower_cells(&w, &cells) &&
		    commands_make(w.m, &cells, w.a, w.ir) && permits_identify(w.ir, w.a))
			c->ir = w.ir;
	}
	if (c->ir == NULL && c->diags.errors == 0)
		diag_add(&c->diags, SEV_ERROR, "policy.memory", (struct srcpos){ 0, 0, 0 }, M_LOWER_MEMORY);
	return c->ir != NULL;
}
