/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Isolation by people, in the kernel. isolations.c tells this file what is isolated: before the
 * first generation, and at each change. Between changes, the isolation in the kernel is compared
 * and mended like the rules.
 *
 * A change takes equally long for any size of the policy. The new state is first put into temporary
 * sets (SET_APART4_NEXT and so on), which have the same effect as the sets themselves; then into
 * the sets themselves; then the temporary sets are emptied. This is needed because an interval set
 * takes its additions later than its deletions: so nothing that stays isolated passes in between.
 * SET_PARTED, a hash, changes with the temporary sets: a family leaves it when all of its
 * isolations end.
 * Exceptions are allowed before the rest is cut. Sessions end at their next packet, by the rules
 * (policy/ir/skeleton/forward.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/isolate.h"
#include "appliance/enforce/session.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/isolation_pairs.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"
#include "policy/ir/sets.h"

#define APART_BUDGET (16u << 20)
#define MET_BUDGET (64u << 20)
#define TOLD_SESSIONS 100u

/* In one transaction, gives these sets, up to SET_COUNT, the contents of `i`. */
static int put_sets(struct kernel_side *kernel, const struct image *i, const unsigned *sets, struct err *e)
{
	struct batch *b = batch_new(0);
	uint32_t line;
	int r;

	if (b == NULL)
		return err_set(e, -ENOMEM, "isolation");
	for (; *sets != SET_COUNT; sets++) {
		batch_set_flush(b, *sets);
		for (size_t k = 0; k < i->elements[*sets].n; k++)
			batch_element_add(b, *sets, &i->elements[*sets].list[k], 0);
	}
	r = batch_commit(b, &kernel->net, e, &line);
	batch_free(b);
	return r;
}

static int to_kernel(struct enforce *f, struct err *e)
{
	static const unsigned spared[] = { SET_KEPT4_NEXT, SET_KEPT6_NEXT, SET_COUNT },
			      cut[] = { SET_APART4_NEXT, SET_APART6_NEXT, SET_PARTED, SET_COUNT },
			      lasts[] = { SET_APART4, SET_APART6, SET_KEPT4, SET_KEPT6, SET_COUNT },
			      temporary[] = { SET_APART4_NEXT, SET_APART6_NEXT, SET_KEPT4_NEXT, SET_KEPT6_NEXT,
					      SET_COUNT };
	struct arena *a = arena_new(APART_BUDGET);
	struct image full, nothing;
	int r = 0;

	if (a == NULL)
		return err_set(e, -ENOMEM, "isolation");
	image_init(&full, a);
	image_init(&nothing, a);
	if (!apart_image(&f->isolated.apart, SET_APART4, &full) ||
	    !apart_image(&f->isolated.apart, SET_APART4_NEXT, &full) ||
	    !apart_image(&f->isolated.kept, SET_KEPT4, &full) || !apart_image(&f->isolated.kept, SET_KEPT4_NEXT, &full))
		r = err_set(e, -ENOMEM, "isolation");
	/* This needs a separate transaction, because while the kernel changes an interval set, the
	 * set briefly lacks its elements. */
	if (r == 0 && f->isolated.kept.n > 0)
		r = put_sets(&f->kernel, &full, spared, e);
	if (r == 0)
		r = put_sets(&f->kernel, &full, cut, e);
	if (r == 0)
		r = put_sets(&f->kernel, &full, lasts, e);
	if (r == 0)
		r = put_sets(&f->kernel, &nothing, temporary, e);
	arena_free(a);
	return r;
}

/* Brings the isolation into the kernel. If that fails, our table may be missing or damaged, so
 * nothing passes until it is mended, with this isolation in it. */
static int make_true(struct enforce *f, struct err *e)
{
	int r = to_kernel(f, e);

	if (r < 0 && f->now != NULL)
		r = enforce_mend(f, e);
	return f->now == NULL ? 0 : r;
}

/* An order or question. */
struct asked {
	struct apart apart, kept;
};

/* ---- the effect on live sessions ------------------------------------------------------------- */

/* Counts of live sessions, for the generation in force. Each list has a last entry for sessions
 * without a permit or conduit. */
struct touched {
	uint64_t *sessions; /* per permit */
	uint64_t *of;	    /* per conduit: the sum of its permits */
	bool *conduits, *assets;
};

/* The live sessions that the isolation does not keep by their label. */
struct met {
	const struct asked *asked;
	struct arena *a; /* owned */
	struct session *list;
	size_t n, room;
	bool known; /* the list is whole */
};

static int met_note(const struct session *s, void *ctx)
{
	struct met *m = ctx;
	uint32_t id = mark_permit(s->mark);
	struct session *one;

	if (s->ending || !apart_holds(&m->asked->apart, &s->client, &s->server, 0) ||
	    (id != 0 && apart_holds(&m->asked->kept, &s->client, &s->server, id)))
		return 0;
	one = arena_grow(m->a, (void **)&m->list, &m->n, &m->room, sizeof(*one));
	if (one != NULL)
		*one = *s;
	return one != NULL ? 0 : -ENOMEM;
}

static void met_again(void *ctx)
{
	struct met *m = ctx;

	m->n = 0;
}

/* Only notes the sessions, because their isolation must not wait. */
static void met_fill(struct kernel_side *kernel, struct met *m)
{
	struct err e;

	m->a = arena_new(MET_BUDGET);
	m->known = m->a != NULL && conntrack_dump(&kernel->net, met_note, met_again, m, &e) == 0;
}

/* Whether the isolation ends the session: it is allowed at present, and the permit that it has, or
 * would get at its next packet, is not kept. *permit: that permit's index, or UINT32_MAX. */
static bool met_ends(const struct met *m, const struct generation_held *g, const struct session *s,
		     const struct question *q, uint32_t *permit)
{
	uint32_t id = mark_permit(s->mark);
	const struct ir_cell *cell;

	*permit = g != NULL ? generation_permit(g, id) : UINT32_MAX;
	if (g == NULL)
		return id != 0;
	if (*permit == UINT32_MAX || (g->ir.permits[*permit].until != 0 && g->ir.permits[*permit].until <= q->now)) {
		cell = evaluate_ir(&g->ir, q);
		*permit = cell != NULL ? cell->permit : UINT32_MAX;
	}
	return *permit != UINT32_MAX ? !apart_holds(&m->asked->kept, &s->client, &s->server, g->ids[*permit])
				     : generation_lingers(g, id);
}

static void touch_assets(const struct ir *ir, const struct addr_range *ends, bool *assets)
{
	struct addr_range unused;

	for (uint32_t i = 0; i < ir->n_assets; i++)
		for (uint32_t k = 0; k < ir->assets[i].n_ranges && !assets[i]; k++)
			assets[i] = addr_range_meet(&ir->assets[i].ranges[k], &ends[0], &unused) ||
				    addr_range_meet(&ir->assets[i].ranges[k], &ends[1], &unused);
}

/* The part of a cell that an isolation cuts. False: it cuts nothing of the cell. */
static bool touch_cell(const struct generation_held *g, const struct ir_cell *c, const struct asked *x, bool *assets)
{
	struct addr_range ends[2];
	uint32_t id = g->ids[c->permit];
	bool any = false;

	for (size_t i = 0; i < x->apart.n && (!any || assets != NULL); i++) {
		if (!addr_range_meet(&c->src, &x->apart.list[i].source, &ends[0]) ||
		    !addr_range_meet(&c->dst, &x->apart.list[i].destination, &ends[1]) ||
		    (apart_holds(&x->kept, &ends[0].lo, &ends[1].lo, id) &&
		     apart_holds(&x->kept, &ends[0].hi, &ends[1].hi, id)))
			continue;
		any = true;
		if (assets != NULL)
			touch_assets(&g->ir, ends, assets);
	}
	return any;
}

/* Conduits that grant something between these ends, with or without a session. */
static void touch_conduits(const struct generation_held *g, const struct asked *x, struct touched *t)
{
	bool *permits = calloc(g->ir.n_permits + 1u, sizeof(*permits));

	for (uint32_t i = 0; permits != NULL && i < g->ir.n_cells; i++) {
		const struct ir_cell *c = &g->ir.cells[i];
		const struct command_permit *p = &g->ir.table.permits[c->permit];

		if ((permits[c->permit] && t->assets == NULL) || !touch_cell(g, c, x, t->assets))
			continue;
		for (uint32_t k = 0; k < p->n_grants; k++) {
			uint32_t conduit = g->ir.table.grants[p->first_grant + k].conduit;

			t->conduits[conduit] = true;
			t->of[conduit] += permits[c->permit] ? 0 : t->sessions[c->permit];
		}
		permits[c->permit] = true;
	}
	free(permits);
}

static void touched_json(const struct ir *ir, const struct touched *t, json_t *to)
{
	json_t *conduits = json_array(), *sessions = json_object(), *assets = json_array(), *stops = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (t->conduits[i]) {
			(void)json_array_append_new(conduits, json_text(ir->conduits[i].name));
			if (ir->conduits[i].criticality <= CRIT_CARGO)
				(void)json_array_append_new(stops, json_pack("{s:o, s:o}", "conduit",
									     json_text(ir->conduits[i].name), "label",
									     json_text(ir->conduits[i].label)));
			(void)json_object_set_new(sessions, ir->conduits[i].name, json_integer((json_int_t)t->of[i]));
		}
	for (uint32_t i = 0; t->assets != NULL && i < ir->n_assets; i++)
		if (t->assets[i])
			(void)json_array_append_new(assets,
						    json_pack("{s:o, s:o}", "name", json_text(ir->assets[i].name),
							      "label", json_text(ir->assets[i].label)));
	json_object_set_new(to, "conduits", conduits);
	json_object_set_new(to, "by_conduit", sessions);
	json_object_set_new(to, "stops", stops);
	json_object_set_new(to, "assets", assets);
}

/* `assets`: lists the assets by name too, which takes longer. NULL: the sessions are not known. */
static json_t *met_json(struct enforce *f, const struct met *m, bool assets)
{
	const struct generation_held *g = f->now;
	uint64_t now = clock_mono().ns, n = 0;
	json_t *list = m->known ? json_array() : NULL, *j;
	struct touched t = { 0 };

	if (list == NULL)
		return NULL;
	if (g != NULL)
		t = (struct touched){ calloc(g->ir.n_permits + 1u, sizeof(uint64_t)),
				      calloc(g->ir.n_conduits + 1u, sizeof(uint64_t)),
				      calloc(g->ir.n_conduits + 1u, sizeof(bool)),
				      assets ? calloc(g->ir.n_assets + 1u, sizeof(bool)) : NULL };
	for (size_t i = 0; i < m->n; i++) {
		const struct question q = session_question(&m->list[i], enforce_moment(f));
		uint32_t permit;

		if (!met_ends(m, g, &m->list[i], &q, &permit))
			continue;
		if (permit != UINT32_MAX && t.sessions != NULL)
			t.sessions[permit]++;
		if (++n <= TOLD_SESSIONS)
			(void)json_array_append_new(list, enforce_session_json(g, NULL, &m->list[i], &q));
	}
	j = json_pack("{s:I, s:o, s:o}", "sessions", (json_int_t)n, "ends", list, "verified_s",
		      f->watched.equal_ns != 0 && !f->mend_due
			      ? json_integer((json_int_t)((now - f->watched.equal_ns) / 1000000000u))
			      : json_null());
	if (j != NULL && g != NULL && t.sessions != NULL && t.of != NULL && t.conduits != NULL) {
		touch_conduits(g, m->asked, &t);
		touched_json(&g->ir, &t, j);
	}
	free(t.sessions);
	free(t.of);
	free(t.conduits);
	free(t.assets);
	return j;
}

/* ---- the question ---------------------------------------------------------------------------- */

static void asked_free(struct asked *x)
{
	apart_free(&x->apart);
	apart_free(&x->kept);
}

json_t *enforce_isolate(struct enforce *f, bool rehearse, const json_t *list, const struct generation_held *next,
			struct err *e)
{
	const struct generation_held *now = f->now != NULL ? f->now : next;
	const struct isolated_policy of_now = { &now->ir, now->ids },
				     of_next = { next != NULL ? &next->ir : NULL, next != NULL ? next->ids : NULL };
	uint64_t began = clock_mono().ns, took;
	struct asked asked = { { .n = 0 }, { .n = 0 } };
	struct met met = { .asked = &asked };
	json_t *j;

	if (!isolation_pairs(list, &of_now, next != NULL && next != now ? &of_next : NULL, &asked.apart, &asked.kept)) {
		asked_free(&asked);
		err_set(e, -ENOMEM, "isolation");
		return NULL;
	}
	/* Each apply calls this with the same list. In most cases the list is in force already, and
	 * the regular comparison keeps it in force. */
	if (!rehearse && f->isolated.known && !f->mend_due && apart_same(&asked.apart, &f->isolated.apart) &&
	    apart_same(&asked.kept, &f->isolated.kept)) {
		asked_free(&asked);
		return json_object();
	}
	/* Noted before the change: a session that was cut has no label to count it by. */
	met_fill(&f->kernel, &met);
	if (rehearse) {
		j = met_json(f, &met, true);
		if (j == NULL)
			err_set(e, -ENOMEM, "sessions");
		arena_free(met.a);
		asked_free(&asked);
		return j;
	}
	apart_free(&f->isolated.apart);
	apart_free(&f->isolated.kept);
	f->isolated.apart = asked.apart;
	f->isolated.kept = asked.kept;
	f->isolated.known = true;
	if (make_true(f, e) < 0) {
		f->mend_due = true;
		arena_free(met.a);
		return NULL;
	}
	took = clock_mono().ns - began;
	j = met_json(f, &met, false);
	/* A failed count is no reason to report the isolation as failed. */
	if (j == NULL)
		j = json_object();
	json_object_set_new(j, "took_us", json_integer((json_int_t)(took / 1000)));
	arena_free(met.a);
	return j;
}
