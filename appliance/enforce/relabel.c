/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When other permits take over some cells of a permit, and allow at least as much there, the permit
 * keeps its id. Sessions in these cells would stay under the old permit and never get the new
 * rights. So after each commit the sessions of live permits are looked at, and a session that is
 * now in another permit's cell gets the label of that permit. Security does not depend on this: a
 * narrowed permit has a new id, and the commit itself ends the old one. The rules look its sessions
 * up again, but would forget that a protocol was confirmed, and the worker that could repeat it may
 * have ended since. So a silent session that was confirmed gets the new label here. When this role
 * begins, labels of an older release with another layout (wire/mark.h) are rewritten too, because
 * no rule would recognise them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/relabel.h"
#include "appliance/enforce/session.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"

#define RELABEL_BUDGET (256u << 20)

struct move {
	struct session session;
	uint32_t mark;
};

struct looking {
	struct arena *a;
	const struct generation_held *g, *old; /* `old`: in force before, or NULL */
	/* per permit: its cells are unchanged, so its sessions stay under it */
	const bool *settled;
	uint64_t now;
	struct move *list;
	size_t n, room;
};

static void looking_restart(void *ctx)
{
	struct looking *l = ctx;

	l->n = 0;
}

/* Whether a session that was confirmed for one permit counts as confirmed under the other. */
static bool stays_confirmed(const struct ir_permit *was, const struct ir_permit *is)
{
	return protocols_within(&was->protocols, &is->protocols) && (was->deny_weak_tls || !is->deny_weak_tls);
}

/* A session whose permit has ended. Only a confirmed one is moved, and only if it stays so. */
static int note_confirmed(struct looking *l, const struct session *s)
{
	uint32_t old = l->old != NULL ? generation_permit(l->old, mark_permit(s->mark)) : UINT32_MAX, mark;
	const struct question q = session_question(s, l->now);
	const struct ir_cell *cell = NULL;
	const struct ir_permit *was, *is;
	struct move *m;

	if (old != UINT32_MAX && mark_outcome(s->mark) == MARK_CONFIRMED &&
	    !generation_lingers(l->g, mark_permit(s->mark)))
		cell = evaluate_ir(&l->g->ir, &q);
	if (cell == NULL)
		return 0;
	was = &l->old->ir.permits[old];
	is = &l->g->ir.permits[cell->permit];
	mark = ir_label(is, l->g->ids[cell->permit]);
	if (is->lane == LANE_NONE || lane_kind_of(is->lane) != LANE_NAMING || !stays_confirmed(was, is) ||
	    (was->until != 0 && was->until <= l->now) || (mark & ~s->mark & MARK_LIMITS) != 0)
		return 0;
	m = arena_grow(l->a, (void **)&l->list, &l->n, &l->room, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	*m = (struct move){ .session = *s, .mark = mark | MARK_CONFIRMED << MARK_OUTCOME_SHIFT };
	return 0;
}

static int note_relabel(const struct session *s, void *ctx)
{
	struct looking *l = ctx;
	const struct ir *ir = &l->g->ir;
	uint32_t old = generation_permit(l->g, mark_permit(s->mark)), outcome = s->mark & MARK_OUTCOME_MASK;
	const struct question q = session_question(s, l->now);
	const struct ir_cell *cell;
	struct move *m;

	if (!s->ending && old == UINT32_MAX)
		return note_confirmed(l, s);
	if (s->ending || l->settled[old])
		return 0;
	cell = evaluate_ir(ir, &q);
	if (cell != NULL && cell->permit == old && mark_lane(s->mark) == ir->permits[old].lane &&
	    (outcome == 0 || ir->permits[old].lane != LANE_NONE))
		return 0;
	/* The time of the permit is over. The label stays, because ended.c will soon report the
	 * session by it, even if another permit now opens for the same packets. */
	if (cell == NULL && ir->permits[old].until != 0 && ir->permits[old].until <= l->now)
		return 0;
	m = arena_grow(l->a, (void **)&l->list, &l->n, &l->room, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	/* No permit allows the session now. With an empty label, the rules look the session up at
	 * its next packet, and cut it. */
	*m = (struct move){ .session = *s };
	if (cell == NULL)
		return 0;
	/* If the label differs although the permit is the same, a release with other bit positions
	 * wrote it, and its outcome is invalid. A permit without inspection has no outcome. */
	if (cell->permit == old || ir->permits[cell->permit].lane == LANE_NONE)
		outcome = MARK_UNJUDGED;
	/* The session's protocol was confirmed for the old permit. Under the new permit this is
	 * valid only if that allows at least the same protocols. */
	if (outcome != 0 && !stays_confirmed(&ir->permits[old], &ir->permits[cell->permit]))
		outcome = MARK_GOOD << MARK_OUTCOME_SHIFT;
	m->mark = ir_label(&ir->permits[cell->permit], l->g->ids[cell->permit]);
	/* The new permit limits the time of sessions, and the old one did not. So only
	 * the outcome stays: the rules look the session up at its next packet, and count from
	 * there. */
	if ((m->mark & ~s->mark & MARK_LIMITS) != 0)
		m->mark = 0;
	m->mark |= outcome;
	return 0;
}

static bool same_place(const struct generation_held *old, const struct ir_place *was, uint32_t id,
		       const struct ir_place *is)
{
	uint32_t i = generation_permit(old, id);

	return i != UINT32_MAX && memcmp(was[i].digest, is->digest, sizeof(is->digest)) == 0;
}

/* Marks the permits whose cells (ir_places) are unchanged, so their sessions stay under them. A
 * permit with an end may overlap any other permit, so if the cells of one have changed, no permit
 * is marked. */
static bool settle_permits(const struct generation_held *old, const struct generation_held *g, struct arena *a,
			   bool *settled)
{
	const struct ir_place *was, *is;
	bool over = false;

	if (old == NULL)
		return true;
	if (!ir_places(&old->ir, a, &was) || !ir_places(&g->ir, a, &is))
		return false;
	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		settled[i] = same_place(old, was, g->ids[i], &is[i]);
		over = over || (g->ir.permits[i].until != 0 && !settled[i]);
	}
	if (over)
		memset(settled, 0, g->ir.n_permits * sizeof(*settled));
	return true;
}

static int look_for_stale(struct enforce *f, const struct generation_held *old, struct arena *a, struct err *e)
{
	const struct generation_held *g = f->now;
	bool *settled = arena_array(a, g->ir.n_permits + 1u, sizeof(*settled)), all = true;
	struct looking l = { .a = a, .g = g, .old = old, .settled = settled, .now = enforce_moment(f) };
	int r = 0;

	/* If the last relabelling was not finished, the sessions of every permit are looked at. */
	if (settled == NULL || !settle_permits(f->timing.relabel_due ? NULL : old, g, a, settled))
		return err_set(e, -ENOMEM, "sessions to relabel");
	for (uint32_t i = 0; i < g->ir.n_permits && all; i++)
		all = settled[i];
	if (!all)
		r = conntrack_dump(&f->kernel.net, note_relabel, looking_restart, &l, e);
	for (size_t i = 0; i < l.n && r == 0; i++) {
		r = conntrack_mark(&f->kernel.net, &l.list[i].session, l.list[i].mark, e);
		if (r == -ENOENT)
			r = 0; /* the session ended meanwhile */
	}
	return r;
}

void enforce_relabel(struct enforce *f, const struct generation_held *old)
{
	struct arena *a = f->now != NULL ? arena_new(RELABEL_BUDGET) : NULL;
	struct err e = { 0 };

	f->timing.relabel_due = f->now != NULL && (a == NULL || !ir_places_keep(&f->now->ir, f->now->arena) ||
						   look_for_stale(f, old, a, &e) < 0);
	arena_free(a);
}
