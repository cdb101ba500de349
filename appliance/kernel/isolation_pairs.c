/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/isolation_pairs.h"
#include "policy/ir/meaning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "policy/ir/isolation.h"

/* ---- addresses ------------------------------------------------------------------------------- */

/* At most APART_MOST pairs; if there are more, `beyond` is set. */
struct ranges {
	struct ir_cut_range *list; /* owned */
	size_t n, room;
	bool beyond;
};

static bool is_same(const struct addr_range *a, const struct addr_range *b)
{
	return addr_cmp(&a->lo, &b->lo) == 0 && addr_cmp(&a->hi, &b->hi) == 0;
}

/* Adds a pair unless it is there already: mostly, the order and the policy name the same pairs. */
static void add_pair(void *ctx, const struct addr_range *source, const struct addr_range *destination)
{
	struct ranges *r = ctx;

	for (size_t i = 0; i < r->n; i++)
		if (is_same(&r->list[i].source, source) && is_same(&r->list[i].destination, destination))
			return;
	if (r->n == r->room && r->n < APART_MOST) {
		size_t room = r->room != 0 ? 2 * r->room : 16;
		struct ir_cut_range *list = realloc(r->list, room * sizeof(*list));

		if (list != NULL) {
			r->list = list;
			r->room = room;
		}
	}
	if (r->n == r->room)
		r->beyond = true;
	else
		r->list[r->n++] = (struct ir_cut_range){ *source, *destination };
}

static void add_text(void *ctx, const struct addr_range *source, const struct addr_range *destination)
{
	char texts[2][2 * ADDR_TEXT];

	addr_range_text(source, texts[0], sizeof(texts[0]));
	addr_range_text(destination, texts[1], sizeof(texts[1]));
	(void)json_array_append_new(ctx, json_pack("[s, s]", texts[0], texts[1]));
}

json_t *isolation_texts(const struct ir *ir, const char *what)
{
	json_t *list = json_array();

	if (list != NULL && ir_isolated(ir, what, add_text, list))
		return list;
	json_decref(list);
	return NULL;
}

/* The pairs of addresses of an isolation: those at the time of the order, and those of the
 * policy. */
static void ranges_of(const json_t *o, const struct ir *ir, struct ranges *ret)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(o, "pairs"), i, pair) {
		const char *from = json_string_value(json_array_get(pair, 0)),
			   *to = json_string_value(json_array_get(pair, 1));
		struct addr_range a, b;

		if (from != NULL && to != NULL && addr_range_parse(from, &a) && addr_range_parse(to, &b) &&
		    a.lo.family == b.lo.family)
			add_pair(ret, &a, &b);
	}
	(void)ir_isolated(ir, text_in(o, "what"), add_pair, ret);
	json_array_foreach(json_object_get(o, "addresses"), i, pair) {
		char what[ADDR_TEXT + 8];

		snprintf(what, sizeof(what), "address %s",
			 json_string_value(pair) != NULL ? json_string_value(pair) : "");
		(void)ir_isolated(ir, what, add_pair, ret);
	}
}

/* The MAC address that has this address; 0 = none that is known. */
static uint64_t mac_of(const char *address, const struct neighbour *list, size_t n)
{
	struct addr a;

	for (size_t i = 0; addr_parse(address, &a) && i < n; i++)
		if (addr_cmp(&list[i].address, &a) == 0)
			return list[i].mac;
	return 0;
}

static bool has_name(const json_t *names, const char *name);

bool isolation_follows(json_t *isolation, const struct neighbour *list, size_t n)
{
	uint64_t mac = ir_isolated_mac(text_in(isolation, "what")), has;
	json_t *before = json_object_get(isolation, "addresses"), *now = json_array(), *one;
	char text[ADDR_TEXT];
	bool same;
	size_t i;

	if (mac == 0 || now == NULL) {
		json_decref(now);
		return false;
	}
	json_array_foreach(before, i, one) {
		has = json_string_value(one) != NULL ? mac_of(json_string_value(one), list, n) : UINT64_MAX;
		if (has == 0 || has == mac)
			(void)json_array_append(now, one);
	}
	for (i = 0; i < n && json_array_size(now) < ISOLATED_ADDRESSES; i++) {
		if (list[i].mac != mac)
			continue;
		addr_text(&list[i].address, text);
		if (!has_name(now, text))
			(void)json_array_append_new(now, json_string(text));
	}
	same = json_equal(now, before != NULL ? before : json_null()) || (before == NULL && json_array_size(now) == 0);
	if (!same)
		(void)json_object_set(isolation, "addresses", now);
	json_decref(now);
	return !same;
}

/* ---- conduits that continue ------------------------------------------------------------------ */

static bool has_name(const json_t *names, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v)
		if (strcmp(json_string_value(v) != NULL ? json_string_value(v) : "", name) == 0)
			return true;
	return false;
}

#define MEANING_TEXT 65u

static const char *meaning_text(const struct ir *ir, uint32_t conduit, char text[MEANING_TEXT])
{
	uint8_t meaning[32];

	ir_conduit_meaning(ir, &ir->conduits[conduit], meaning);
	hex_text(meaning, sizeof(meaning), text);
	return text;
}

/* Whether the isolation has kept this conduit until now, under this name or another one. */
static bool conduit_continues(const json_t *o, const struct ir *ir, uint32_t conduit)
{
	char text[MEANING_TEXT];

	return has_name(json_object_get(o, "keep"), ir->conduits[conduit].name) ||
	       has_name(json_object_get(o, "meant"), meaning_text(ir, conduit, text));
}

bool isolation_keeps(const struct ir *ir, json_t *isolation, bool ordered)
{
	const struct ir_isolation *x = ir_isolation_of(ir, text_in(isolation, "what"));
	json_t *keep = json_array(), *meant = json_array();
	bool same;

	for (uint32_t i = 0; x != NULL && i < x->n_keep; i++) {
		char text[MEANING_TEXT];

		if (!ordered && !conduit_continues(isolation, ir, x->keep[i]))
			continue;
		(void)json_array_append_new(keep, json_text(ir->conduits[x->keep[i]].name));
		(void)json_array_append_new(meant, json_string(meaning_text(ir, x->keep[i], text)));
	}
	same = (x == NULL && !ordered) || (json_equal(keep, json_object_get(isolation, "keep")) &&
					   json_equal(meant, json_object_get(isolation, "meant")));
	if (!same) {
		(void)json_object_set(isolation, "keep", keep);
		(void)json_object_set(isolation, "meant", meant);
	}
	json_decref(keep);
	json_decref(meant);
	return !same;
}

json_t *isolation_entry(const struct ir *ir, const char *what, const char *by, const char *reason, json_t *pairs)
{
	json_t *one = json_pack("{s:o, s:o, s:o, s:o, s:o, s:[]}", "what", json_text(what), "by", json_text(by),
				"reason", json_text(reason), "since", json_time(clock_wall_ns()), "pairs",
				pairs != NULL ? pairs : json_array(), "keep");

	if (ir != NULL)
		(void)isolation_keeps(ir, one, true);
	return one;
}

static void keep_conduits(const json_t *o, const struct ir *ir, bool *ret)
{
	const struct ir_isolation *x = ir_isolation_of(ir, text_in(o, "what"));
	bool reads = json_object_get(o, "stage") != NULL, some = json_array_size(json_object_get(o, "keep")) > 0;

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		ret[i] = (reads && ir->conduits[i].reads) || (x == NULL && some && conduit_continues(o, ir, i));
	for (uint32_t i = 0; x != NULL && some && i < x->n_keep; i++)
		ret[x->keep[i]] |= conduit_continues(o, ir, x->keep[i]);
}

static bool keeps_some(const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (json_array_size(json_object_get(o, "keep")) > 0 || json_object_get(o, "stage") != NULL)
			return true;
	return false;
}

json_t *isolation_breaks(const struct ir *ir, const json_t *list)
{
	bool *kept = calloc((size_t)ir->n_conduits + 1, sizeof(*kept));
	json_t *ret = json_array();
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		struct ranges r = { 0 };

		if (kept == NULL)
			break;
		keep_conduits(o, ir, kept);
		ranges_of(o, ir, &r);
		for (uint32_t k = 0; k < ir->n_always; k++)
			if (ir_always_cut(ir, &ir->always[k], r.list, r.n, kept) != UINT32_MAX)
				(void)json_array_append_new(ret, json_text(ir->always[k].what));
		free(r.list);
	}
	free(kept);
	return ret;
}

/* ---- permits that continue ------------------------------------------------------------------- */

struct going {
	uint32_t id;
	uint64_t by; /* bit n: isolation number n keeps the permit */
	/* bounds that contain all its cells, by address family; family 0 = it has no such cell */
	struct ir_cut_range around[2];
};

struct cutting {
	const json_t *list;
	struct ranges of[ISOLATIONS_MOST]; /* by isolation */
	struct going *going;		   /* owned */
	size_t n_going;
	struct apart *cut, *kept; /* the result */
	bool whole;		  /* cutting everything succeeded */
};

static void range_widen(struct addr_range *r, const struct addr_range *by)
{
	if (r->lo.family == 0 || addr_cmp(&by->lo, &r->lo) < 0)
		r->lo = by->lo;
	if (r->hi.family == 0 || addr_cmp(&by->hi, &r->hi) > 0)
		r->hi = by->hi;
}

static void widen_both(struct ir_cut_range *r, const struct ir_cut_range *by)
{
	range_widen(&r->source, &by->source);
	range_widen(&r->destination, &by->destination);
}

/* Adds the permits of a policy, each with the isolations that keep it. */
static void note_permits(struct cutting *x, const struct isolated_policy *p, bool *kept)
{
	struct going *mine = x->going + x->n_going;
	const json_t *o;
	size_t n;

	for (uint32_t i = 0; i < p->ir->n_permits; i++)
		mine[i] = (struct going){ .id = p->ids[i] };
	json_array_foreach(x->list, n, o) {
		keep_conduits(o, p->ir, kept);
		for (uint32_t i = 0; i < p->ir->n_permits; i++)
			if (ir_permit_kept(p->ir, i, kept))
				mine[i].by |= UINT64_C(1) << n;
	}
	for (uint32_t i = 0; i < p->ir->n_cells; i++) {
		const struct ir_cell *c = &p->ir->cells[i];

		if (mine[c->permit].by != 0)
			widen_both(&mine[c->permit].around[c->src.lo.family == 6],
				   &(struct ir_cut_range){ c->src, c->dst });
	}
	x->n_going += p->ir->n_permits;
}

static int by_id(const void *pa, const void *pb)
{
	const struct going *a = pa, *b = pb;

	return (a->id > b->id) - (a->id < b->id);
}

/* Joins the entries of one permit. A permit of both policies is kept only if both keep it. Adds an
 * entry with id 0, for sessions whose permit is not known yet: inside the bounds of the kept
 * permits, the rules may look up the permit of such a session. */
static void join_permits(struct cutting *x)
{
	struct going none = { .id = 0 };
	size_t n = 0;

	qsort(x->going, x->n_going, sizeof(*x->going), by_id);
	for (size_t i = 0; i < x->n_going; i++) {
		const struct going *g = &x->going[i];

		if (n == 0 || x->going[n - 1].id != g->id) {
			x->going[n++] = *g;
			continue;
		}
		x->going[n - 1].by &= g->by;
		for (int f = 0; f < 2; f++)
			if (g->around[f].source.lo.family != 0)
				widen_both(&x->going[n - 1].around[f], &g->around[f]);
	}
	for (size_t i = 0; i < n; i++) {
		none.by |= x->going[i].by;
		for (int f = 0; f < 2; f++)
			if (x->going[i].by != 0 && x->going[i].around[f].source.lo.family != 0)
				widen_both(&none.around[f], &x->going[i].around[f]);
	}
	x->going[n++] = none;
	x->n_going = n;
}

/* Writes the bounds of a permit, minus the pairs of addresses of each isolation that does not keep
 * the permit. False: what is left has too many parts. */
static bool put_going(struct cutting *x, const struct going *g)
{
	struct apart left = { .n = 0 };
	bool good = true;
	size_t before;

	for (size_t k = 0; k < json_array_size(x->list); k++)
		for (size_t i = 0; (g->by >> k & 1) == 0 && i < x->of[k].n && good; i++) {
			const struct ir_cut_range *r = &x->of[k].list[i], *a = &g->around[r->source.lo.family == 6];
			struct apart_pair p = { .permit = 0 };

			if (a->source.lo.family != 0 && addr_range_meet(&r->source, &a->source, &p.source) &&
			    addr_range_meet(&r->destination, &a->destination, &p.destination))
				good = apart_add(&left, &p);
		}
	before = left.n;
	for (int f = 0; f < 2 && good; f++)
		if (g->around[f].source.lo.family != 0)
			good = apart_add(&left,
					 &(struct apart_pair){ g->around[f].source, g->around[f].destination, 0 });
	for (size_t i = before; i < left.n && good; i++)
		good = apart_add(x->kept, &(struct apart_pair){ left.list[i].source, left.list[i].destination, g->id });
	apart_free(&left);
	return good;
}

/* Writes the kept permits, which are the exceptions from the isolations. False: they could not be
 * written, so no session may go on. */
static bool put_kept(struct cutting *x, const struct isolated_policy *now, const struct isolated_policy *next)
{
	size_t permits = now->ir->n_permits + (next != NULL ? next->ir->n_permits : 0),
	       conduits = now->ir->n_conduits + (next != NULL ? next->ir->n_conduits : 0);
	bool *kept = calloc(conduits + 1, sizeof(*kept)), good;

	x->going = calloc(permits + 1, sizeof(*x->going));
	good = kept != NULL && x->going != NULL;
	if (good) {
		note_permits(x, now, kept);
		if (next != NULL)
			note_permits(x, next, kept);
		join_permits(x);
	}
	for (size_t i = 0; i < x->n_going && good; i++)
		if (x->going[i].by != 0)
			good = put_going(x, &x->going[i]);
	free(x->going);
	free(kept);
	return good;
}

static bool put_cut(struct cutting *x)
{
	bool good = true;

	for (size_t k = 0; k < json_array_size(x->list) && good; k++) {
		good = !x->of[k].beyond;
		for (size_t i = 0; i < x->of[k].n && good; i++)
			good = apart_add(x->cut, &(struct apart_pair){ x->of[k].list[i].source,
								       x->of[k].list[i].destination, 0 });
	}
	return good;
}

static void put_everything(void *ctx, const struct addr_range *source, const struct addr_range *destination)
{
	struct cutting *x = ctx;

	x->whole = apart_add(x->cut, &(struct apart_pair){ *source, *destination, 0 }) && x->whole;
}

bool isolation_pairs(const json_t *list, const struct isolated_policy *now, const struct isolated_policy *next,
		     struct apart *ret_cut, struct apart *ret_kept)
{
	struct cutting *x = calloc(1, sizeof(*x));
	const json_t *o;
	bool good;
	size_t i;

	if (x == NULL)
		return false;
	*x = (struct cutting){ .list = list, .cut = ret_cut, .kept = ret_kept, .whole = true };
	json_array_foreach(list, i, o) {
		ranges_of(o, now->ir, &x->of[i]);
		if (next != NULL)
			(void)ir_isolated(next->ir, text_in(o, "what"), add_pair, &x->of[i]);
	}
	/* If there is no room for all pairs, everything is cut. */
	if (!put_cut(x)) {
		apart_free(ret_cut);
		(void)ir_isolated(now->ir, ISOLATE_EVERYTHING, put_everything, x);
	} else if (keeps_some(list) && !put_kept(x, now, next)) {
		apart_free(ret_kept);
	}
	for (i = 0; i < json_array_size(list); i++)
		free(x->of[i].list);
	good = x->whole;
	free(x);
	return good;
}
