/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/door_book.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/monitor.h"
#include "appliance/kernel/rule.h"
#include "policy/ir/moment.h"

#define HELD_BUDGET (512u << 20) /* bytes of a generation's arena */

static bool ids_read(struct generation_held *g, struct bytes b)
{
	g->ids = arena_array(g->arena, g->ir.n_permits + 1u, sizeof(*g->ids));
	if (g->ids == NULL)
		return false;
	for (uint32_t i = 0; i < g->ir.n_permits; i++)
		if (!bytes_be32(&b, &g->ids[i]) || g->ids[i] == 0 || g->ids[i] > PERMIT_MAX)
			return false;
	return bytes_done(&b);
}

static int id_order(const void *a, const void *b)
{
	const struct permit_at *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static bool ids_distinct(struct generation_held *g)
{
	uint32_t n = g->ir.n_permits;

	g->by_id = arena_array(g->arena, n + 1u, sizeof(*g->by_id));
	if (g->by_id == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
		g->by_id[i] = (struct permit_at){ g->ids[i], i };
	qsort(g->by_id, n, sizeof(*g->by_id), id_order);
	for (uint32_t i = 1; i < n; i++)
		if (g->by_id[i].id == g->by_id[i - 1].id)
			return false;
	return true;
}

struct generation_held *generation_hold(const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e)
{
	struct generation_held *g = calloc(1, sizeof(*g));
	uint8_t *kept;

	if (g != NULL)
		g->arena = arena_new(HELD_BUDGET);
	if (g == NULL || g->arena == NULL) {
		err_set(e, -ENOMEM, "generation");
		goto fail;
	}
	/* The unsealed policy may point into the sealed bytes, so both are in the same arena. */
	kept = arena_alloc(g->arena, n_sealed + 1);
	if (kept == NULL) {
		err_set(e, -ENOMEM, "generation");
		goto fail;
	}
	memcpy(kept, p, n_sealed);
	if (ir_unseal(bytes_of(kept, n_sealed), g->arena, &g->ir, e) < 0)
		goto fail;
	if (!ids_read(g, bytes_of(p + n_sealed, n_map)) || !ids_distinct(g)) {
		err_set(e, -EBADMSG, "map of permit ids");
		goto fail;
	}
	g->interfaces = arena_array(g->arena, g->ir.n_interfaces + 1u, sizeof(*g->interfaces));
	g->kept_at = arena_array(g->arena, g->ir.n_interfaces + 1u, sizeof(*g->kept_at));
	g->over_s = arena_array(g->arena, g->ir.n_permits + 1u, sizeof(*g->over_s));
	g->was_s = arena_array(g->arena, g->ir.n_permits + 1u, sizeof(*g->was_s));
	g->opens_s = UINT64_MAX;
	if (g->interfaces == NULL || g->kept_at == NULL || g->over_s == NULL || g->was_s == NULL ||
	    !ir_book_make(&g->ir, g->arena, &g->book)) {
		err_set(e, -ENOMEM, "generation");
		goto fail;
	}
	image_init(&g->kept, g->arena);
	return g;
fail:
	generation_drop(g);
	return NULL;
}

void generation_drop(struct generation_held *g)
{
	if (g == NULL)
		return;
	arena_free(g->arena);
	free(g);
}

uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	struct permit_at key = { id, 0 };
	const struct permit_at *p = bsearch(&key, g->by_id, g->ir.n_permits, sizeof(key), id_order);

	return p != NULL ? p->index : UINT32_MAX;
}

const struct ir_conduit *generation_conduit(const struct generation_held *g, uint32_t permit_index)
{
	const struct command_permit *p = commands_permit(&g->ir.table, permit_index + 1);

	/* If a conduit grants and another one only observes, the one that grants is chosen. */
	for (int shadow = 0; p != NULL && shadow < 2; shadow++) {
		for (uint32_t i = 0; i < p->n_grants; i++) {
			const struct command_grant *grant = &g->ir.table.grants[p->first_grant + i];

			if (grant->shadow == (shadow == 1) && grant->conduit < g->ir.n_conduits)
				return &g->ir.conduits[grant->conduit];
		}
	}
	return NULL;
}

bool generation_lingers(const struct generation_held *g, uint32_t permit)
{
	for (size_t i = 0; i < g->n_lingering; i++)
		if (g->lingering[i].permit == permit)
			return true;
	return false;
}

static int number_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int generation_note_known(struct generation_held *g, struct bytes b, struct err *e)
{
	size_t n = b.left / 4;

	g->known = arena_array(g->arena, n + 1, sizeof(*g->known));
	if (g->known == NULL)
		return err_set(e, -ENOMEM, "generation");
	for (g->n_known = 0; g->n_known < n; g->n_known++)
		(void)bytes_be32(&b, &g->known[g->n_known]);
	if (!bytes_done(&b))
		return err_set(e, -EBADMSG, "permits of earlier generations");
	if (n > 1)
		qsort(g->known, n, sizeof(*g->known), number_order);
	return 0;
}

bool generation_knows(const struct generation_held *g, uint32_t permit)
{
	return g->n_known > 0 && bsearch(&permit, g->known, g->n_known, sizeof(permit), number_order) != NULL;
}

int generation_keep(struct generation_held *g, const struct image *from, struct lingering l)
{
	int r;

	if (g->n_lingering == LINGER_MAX)
		return -ENOSPC;
	r = image_linger(&g->kept, from, l.permit);
	if (r == 0)
		g->lingering[g->n_lingering++] = l;
	return r;
}

void generation_places(struct generation_held *g, const struct generation_held *before)
{
	if (before == NULL) {
		memcpy(g->kept_at, g->interfaces, g->ir.n_interfaces * sizeof(*g->kept_at));
		return;
	}
	for (uint32_t i = 0; i < g->ir.n_interfaces; i++) {
		g->kept_at[i] = 0;
		for (uint32_t k = 0; k < before->ir.n_interfaces; k++)
			if (strcmp(g->ir.interfaces[i].device, before->ir.interfaces[k].device) == 0)
				g->kept_at[i] = before->kept_at[k];
	}
}

/* Replaces each old index by the index that the same device has now, even if two devices have
 * swapped their indexes. */
static void follow_device(const struct generation_held *g, struct image_element *live)
{
	uint32_t at;

	memcpy(&at, live->key, sizeof(at));
	for (uint32_t i = 0; i < g->ir.n_interfaces; i++)
		if (g->kept_at[i] == at && g->interfaces[i] != 0) {
			memcpy(live->key, &g->interfaces[i], sizeof(at));
			memcpy(live->key_end, &g->interfaces[i], sizeof(at));
			return;
		}
}

void generation_follow(struct generation_held *g)
{
	struct image_elements *live = &g->kept.elements[SET_LIVE];

	for (size_t n = 0; n < live->n; n++)
		follow_device(g, &live->list[n]);
	for (uint32_t i = 0; i < g->ir.n_interfaces; i++)
		if (g->interfaces[i] != 0)
			g->kept_at[i] = g->interfaces[i];
}

/*
 * The time with which ends are compared until the clock is trusted after a start of the machine
 * (supervise/clock.c). It is later than every end, so whatever has an end counts as ended: in
 * cells, in labels, in the comparison and for test packets.
 */
#define BEHIND_EVERY_END (UINT64_MAX / 2) /* small enough that sums with it do not overflow */

uint64_t enforce_moment(const struct enforce *f)
{
	return f->timing.waits ? BEHIND_EVERY_END : clock_wall_s();
}

/* Sets which doors of the policy are open. */
static void put_doors(const struct enforce *f, struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_doors; i++)
		ir->doors[i].open_until = door_until(f->doors.list, &ir->doors[i]);
}

void generation_at(struct enforce *f, struct generation_held *g)
{
	uint64_t now = enforce_moment(f);

	if (f->timing.waits)
		return;
	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		uint64_t until = g->ir.permits[i].until;

		/* The sessions that ended with this permit are still to be reported (ended.c), even
		 * if its door is open again. */
		if (until != IR_SHUT && until > f->timing.ended_s && until <= now)
			g->over_s[i] = until;
		g->was_s[i] = until;
	}
	put_doors(f, &g->ir);
	g->opens_s = ir_at(&g->ir, now);
	/* A permit whose door was shut early, by a person or because the clock was set: its
	 * sessions end now. */
	for (uint32_t i = 0; i < g->ir.n_permits; i++)
		if (g->was_s[i] > now && g->ir.permits[i].until == IR_SHUT) {
			g->over_s[i] = now;
			f->timing.ended_s = f->timing.ended_s < now ? f->timing.ended_s : now - 1;
		}
	g->asked_s = now;
}

int enforce_opens(struct enforce *f)
{
	const struct generation_held *g = f->now;
	uint64_t ms = clock_wall_ns() / 1000000u, now = ms / 1000u;

	if (g == NULL || f->timing.waits || g->asked_s == 0)
		return -1;
	if (now >= g->opens_s)
		f->timing.waits_due = true;
	return g->opens_s != UINT64_MAX && g->opens_s - now < INT32_MAX / 1000u && g->opens_s > now
		       ? (int)(g->opens_s * 1000u - ms)
		       : -1;
}

void enforce_hours_set(struct enforce *f)
{
	if (f->now == NULL || f->timing.waits)
		return;
	generation_at(f, f->now);
	f->timing.relabel_due = true;
}

int generation_image(struct enforce *f, const struct generation_held *g, struct arena *a, struct image *ret,
		     struct expectation *ret_x, struct err *e)
{
	int r;

	*ret_x = (struct expectation){
		.ir = &g->ir,
		.ids = g->ids,
		.interfaces = g->interfaces,
		.now = enforce_moment(f),
	};
	for (size_t i = 0; i < g->n_lingering; i++)
		if (g->lingering[i].lane != LANE_NONE)
			ret_x->extra_lanes |= (uint64_t)1 << g->lingering[i].lane;
	for (size_t i = 0; i < g->kept.elements[SET_LIMITED].n; i++) {
		uint32_t limit;

		memcpy(&limit, g->kept.elements[SET_LIMITED].list[i].key + 4, sizeof(limit));
		ir_limits_add(&ret_x->limits, limit);
	}
	image_init(ret, a);
	ret->exact = f->timing.clock_due;
	monitor_glance(f);
	r = image_expect(ret, ret_x, e);
	monitor_glance(f);
	if (r == 0)
		r = netlink_rule_texts(ret, ret_x, f->kernel.lacks, e);
	for (size_t i = 0; i < g->n_lingering && r == 0; i++)
		r = image_linger(ret, &g->kept, g->lingering[i].permit);
	if (r == 0 &&
	    (!apart_image(&f->isolated.apart, SET_APART4, ret) || !apart_image(&f->isolated.kept, SET_KEPT4, ret)))
		r = err_set(e, -ENOMEM, "isolation");
	if (r == 0)
		image_sort(ret);
	monitor_glance(f);
	return r;
}
