/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared isolations for the box, and contradictions in them. Traffic that is kept passes by its
 * permit, which can join several conduits. So if a conduit is kept, all conduits that allow some of
 * the same packets must be kept, too.
 */
#include "policy/compile/lower.h"

#include "appliance/wire/evaluate.h"
#include "policy/ir/isolation.h"
#include "policy/space/prove.h"

static bool service_reads(const struct model *m, const struct model_service *s)
{
	const struct vocabulary *v = vocabulary_of(s->protocol);
	const struct number_range every = { 0, UINT32_MAX };
	uint32_t code;

	if (v == NULL || s->whole || s->tunnel || s->undecided_bytes > 0)
		return false;
	for (size_t i = 0; i < s->n_allows; i++)
		if (evaluate_passes(&m->rows.t, &s->allows[i].row, v, every, CLASS_ALL & ~CLASS_READ, &code))
			return false;
	return true;
}

static bool conduit_reads(const struct model *m, const struct model_conduit *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		if (!service_reads(m, c->services[i]))
			return false;
	return !c->observe && c->n_services > 0;
}

static const char *always_text(const struct model_always *w, struct arena *a)
{
	char from[NEVER_END_TEXT], to[NEVER_END_TEXT];
	const char *text;

	never_end_text(w->from, &w->sources, from, sizeof(from));
	never_end_text(w->to, &w->destinations, to, sizeof(to));
	text = arena_printf(a, "%s -> %s", from, to);
	for (size_t i = 0; i < w->n_services && text != NULL; i++)
		text = arena_printf(a, "%s%s %s", text, i > 0 ? "," : ":", w->services[i]->name);
	return text != NULL && w->purpose[0] != '\0' ? arena_printf(a, "%s (%s)", text, w->purpose) : text;
}

static bool lower_always(const struct model *m, struct ir *ir, struct arena *a)
{
	ir->always = arena_array(a, m->n_always, sizeof(*ir->always));
	for (size_t i = 0; ir->always != NULL && i < m->n_always; i++) {
		const struct model_always *w = &m->always[i];
		const struct always_ends ends = always_ends(w);
		struct ir_always *to = &ir->always[ir->n_always++];

		to->what = always_text(w, a);
		to->sources = ends.src;
		to->n_sources = (uint32_t)ends.n_src;
		to->destinations = ends.dst;
		to->n_destinations = (uint32_t)ends.n_dst;
		to->conduits = arena_array(a, m->n_conduits, sizeof(*to->conduits));
		for (uint32_t k = 0; to->conduits != NULL && k < m->n_conduits; k++)
			if (always_carried(m, &m->conduits[k], w))
				to->conduits[to->n_conduits++] = k;
	}
	return !arena_failed(a);
}

static bool lower_isolations(const struct model *m, struct ir *ir, struct arena *a)
{
	ir->isolations = arena_array(a, m->n_isolations, sizeof(*ir->isolations));
	for (size_t i = 0; ir->isolations != NULL && i < m->n_isolations; i++) {
		const struct model_isolation *from = &m->isolations[i];
		struct ir_isolation *to = &ir->isolations[ir->n_isolations++];

		to->name = from->name;
		to->label = from->label;
		to->on_alarm = from->on_alarm;
		to->cuts = from->cuts;
		to->n_cuts = (uint32_t)from->n_cuts;
		to->keep = arena_array(a, m->n_conduits, sizeof(*to->keep));
		for (uint32_t k = 0; from->keep != NULL && to->keep != NULL && k < m->n_conduits; k++)
			if (from->keep[k])
				to->keep[to->n_keep++] = k;
	}
	return !arena_failed(a);
}

/* ---- contradictions -------------------------------------------------------------------------- */

struct cutting {
	struct arena *a;
	struct ir_cut_range *list;
	size_t n, room;
};

static void note(void *ctx, const struct addr_range *source, const struct addr_range *destination)
{
	struct cutting *x = ctx;
	struct ir_cut_range *slot = arena_grow(x->a, (void **)&x->list, &x->n, &x->room, sizeof(*slot));

	if (slot != NULL)
		*slot = (struct ir_cut_range){ *source, *destination };
}

/* A cut may name the box itself, or zones of different address families. */
static void note_cuts(struct compilation *c, const struct ir *ir, const struct model_isolation *of, struct cutting *x)
{
	for (size_t i = 0; i < of->n_cuts; i++) {
		size_t before = x->n;

		(void)ir_isolated(ir, of->cuts[i].what, note, x);
		if (x->n == before && !arena_failed(c->arena))
			diag_add(&c->diags, SEV_ERROR, "policy.isolation", of->at, M_ISOLATION_NOTHING, of->name,
				 of->cuts[i].what);
	}
}

static bool is_cut(const struct cutting *x, const struct ir_cell *c)
{
	struct addr_range unused;

	for (size_t i = 0; i < x->n; i++)
		if (addr_range_meet(&c->src, &x->list[i].source, &unused) &&
		    addr_range_meet(&c->dst, &x->list[i].destination, &unused))
			return true;
	return false;
}

/* A conduit that allows something under this permit and is kept, if `wanted` is set, or is not
 * kept, if it is not. */
static const struct model_conduit *one_of(const struct compilation *c, const struct ir *ir, uint32_t permit,
					  const bool *kept, bool wanted)
{
	const struct command_permit *p = &ir->table.permits[permit];

	for (uint32_t i = 0; i < p->n_grants; i++) {
		const struct command_grant *g = &ir->table.grants[p->first_grant + i];
		const struct model_conduit *of = &c->model->conduits[g->conduit];

		if (!g->shadow && kept[g->conduit] == wanted && !conduit_past(of, c->model->now))
			return of;
	}
	return NULL;
}

static void say_mixed(struct compilation *c, const struct ir *ir, const struct model_isolation *of,
		      const struct cutting *x, const bool *kept)
{
	bool *seen = arena_array(c->arena, ir->n_permits, sizeof(*seen));

	for (uint32_t i = 0; i < ir->n_cells && seen != NULL; i++) {
		uint32_t permit = ir->cells[i].permit;
		const struct model_conduit *in, *out;
		struct diag *g;

		if (seen[permit] || !is_cut(x, &ir->cells[i]))
			continue;
		seen[permit] = true;
		in = one_of(c, ir, permit, kept, true);
		out = one_of(c, ir, permit, kept, false);
		if (in == NULL || out == NULL)
			continue;
		g = diag_add(&c->diags, SEV_ERROR, "policy.isolation_keep", of->at, M_ISOLATION_MIXED, of->name,
			     in->name, out->name);
		g->also = out->at;
		diag_hint(&c->diags, g, M_ISOLATION_MIXED_HINT);
		return;
	}
}

static void say_always(struct compilation *c, const struct ir *ir, const struct model_isolation *of,
		       const struct cutting *x, const bool *kept)
{
	for (uint32_t i = 0; i < ir->n_always; i++) {
		uint32_t by = ir_always_cut(ir, &ir->always[i], x->list, x->n, kept);
		struct diag *g;

		if (by == UINT32_MAX)
			continue;
		g = diag_add(&c->diags, SEV_WARNING, "policy.isolation_always", of->at, M_ISOLATION_ALWAYS, of->name,
			     ir->always[i].what);
		g->also = c->model->always[i].at;
		diag_hint(&c->diags, g, M_ISOLATION_ALWAYS_HINT, ir->conduits[by].name);
	}
}

bool isolations_make(struct compilation *c, struct ir *ir)
{
	const struct model *m = c->model;
	size_t errors = c->diags.errors;

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		ir->conduits[i].reads = conduit_reads(m, &m->conduits[i]);
	if (!lower_always(m, ir, c->arena) || !lower_isolations(m, ir, c->arena))
		return false;
	for (size_t i = 0; i < m->n_isolations; i++) {
		struct cutting x = { .a = c->arena };
		const bool *kept = m->isolations[i].keep;

		if (kept == NULL)
			kept = arena_array(c->arena, m->n_conduits, sizeof(*kept));
		note_cuts(c, ir, &m->isolations[i], &x);
		if (kept == NULL || arena_failed(c->arena))
			return m->n_conduits == 0 && !arena_failed(c->arena);
		say_mixed(c, ir, &m->isolations[i], &x, kept);
		say_always(c, ir, &m->isolations[i], &x, kept);
	}
	return c->diags.errors == errors;
}
