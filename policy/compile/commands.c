/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/lower.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/space/intern.h"

struct list_at {
	uint32_t first, n;
};

struct writer {
	const struct model *m;
	const struct cells *cells;
	struct arena *a;
	struct command_table *t;
	size_t n_grants, grants_room, n_rows, rows_room, n_ranges, ranges_room, n_spaces, spaces_room, n_names,
		names_room;
	struct interner lists; /* number lists already in the pool */
	uint32_t *list_at;     /* by interned id: place in the pool */
	size_t n_list_at, list_at_room;
	uint32_t *rows_at;	  /* by service: first row + 1, 0 = not written yet */
	struct list_at *names_at; /* by conduit; n = 0: not written yet */
	/* Index of the grants that are written, to find runs of them again. key_of: by grant, its
	 * grant_key. last_of: by key, the last grant with it. before_of: by grant, the grant before
	 * it with the same key. Grants are stored as number + 1; 0 = none. */
	uint32_t *key_of, *last_of, *before_of;
	size_t n_key_of, key_of_room, n_before_of, before_of_room;
};

/* `r` is sorted and disjoint. */
static bool put_numbers(struct writer *w, bool any, const struct number_range *r, size_t n, struct number_set *ret)
{
	uint32_t id, *at, *words;
	bool is_new;

	*ret = (struct number_set){ .any = any };
	if (any || n == 0)
		return true;
	words = arena_array(w->a, n, sizeof(*r));
	if (words == NULL)
		return false;
	memcpy(words, r, n * sizeof(*r));
	if (!intern(&w->lists, words, n * sizeof(*r) / sizeof(*words), &id, &is_new))
		return false;
	if (is_new) {
		at = arena_grow(w->a, (void **)&w->list_at, &w->n_list_at, &w->list_at_room, sizeof(*at));
		if (at == NULL)
			return false;
		*at = (uint32_t)w->n_ranges;
		for (size_t i = 0; i < n; i++) {
			struct number_range *slot =
				arena_grow(w->a, (void **)&w->t->ranges, &w->n_ranges, &w->ranges_room, sizeof(*slot));

			if (slot == NULL)
				return false;
			*slot = r[i];
		}
	}
	ret->first = w->list_at[id];
	ret->n = (uint32_t)n;
	return true;
}

/* Copies a set of the model's rows. */
static bool copy_set(struct writer *w, const struct number_set *from, struct number_set *ret)
{
	return put_numbers(w, from->any, w->m->rows.t.ranges + from->first, from->n, ret);
}

static bool copy_row(struct writer *w, const struct model_allow *from, struct command_row *ret)
{
	*ret = from->row;
	ret->line = from->at.line;
	ret->file = from->at.file;
	if (!copy_set(w, &from->row.services, &ret->services) || !copy_set(w, &from->row.values, &ret->values))
		return false;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		if (!copy_set(w, &from->row.targets[i], &ret->targets[i]))
			return false;
	ret->first_space = ret->n_spaces > 0 ? (uint32_t)w->n_spaces : 0;
	for (uint32_t i = 0; i < ret->n_spaces; i++) {
		const struct space_set *s = &w->m->rows.t.spaces[from->row.first_space + i];
		struct space_set *slot =
			arena_grow(w->a, (void **)&w->t->spaces, &w->n_spaces, &w->spaces_room, sizeof(*slot));

		if (slot == NULL)
			return false;
		slot->space = s->space;
		if (!copy_set(w, &s->numbers, &slot->numbers))
			return false;
	}
	return true;
}

static bool put_rows(struct writer *w, const struct model_service *s, uint32_t *ret)
{
	uint32_t *at = &w->rows_at[s - w->m->services];

	if (*at == 0) {
		*at = (uint32_t)w->n_rows + 1;
		for (size_t i = 0; i < s->n_allows; i++) {
			struct command_row *slot =
				arena_grow(w->a, (void **)&w->t->rows, &w->n_rows, &w->rows_room, sizeof(*slot));

			if (slot == NULL || !copy_row(w, &s->allows[i], slot))
				return false;
		}
	}
	*ret = s->n_allows > 0 ? *at - 1 : 0;
	return true;
}

static bool put_name_byte(struct writer *w, uint8_t byte)
{
	uint8_t *at = arena_grow(w->a, (void **)&w->t->names, &w->n_names, &w->names_room, 1);

	if (at == NULL)
		return false;
	*at = byte;
	return true;
}

/* Writes a conduit's server names once, for all its grants. */
static bool put_names(struct writer *w, const struct model_conduit *c, struct command_grant *ret)
{
	struct list_at *at = &w->names_at[c->index];
	bool is_new = at->n == 0;

	if (is_new)
		at->first = c->n_servers > 0 ? (uint32_t)w->n_names : 0;
	for (size_t i = 0; i < c->n_servers && is_new; i++) {
		size_t n = strlen(c->servers[i].name);

		if (!put_name_byte(w, (uint8_t)n))
			return false;
		for (size_t k = 0; k < n; k++)
			if (!put_name_byte(w, (uint8_t)c->servers[i].name[k]))
				return false;
		at->n += (uint32_t)n + 1;
	}
	ret->first_name = at->first;
	ret->n_names = at->n;
	return true;
}

static bool put_grant(struct writer *w, const struct cell_pair *pair, bool observe)
{
	const struct model_conduit *c = &w->m->conduits[pair->conduit];
	struct command_grant *g = arena_grow(w->a, (void **)&w->t->grants, &w->n_grants, &w->grants_room, sizeof(*g));

	if (g == NULL)
		return false;
	g->conduit = pair->conduit;
	g->line = c->at.line;
	g->protocol = (uint16_t)pair->service->protocol;
	g->whole = pair->service->whole;
	g->shadow = c->shadow || (c->observe && !observe);
	g->lenient = pair->service->lenient;
	g->undecided_bytes = pair->service->undecided_bytes;
	if (g->protocol == PROTO_TLS && !put_names(w, c, g))
		return false;
	if (g->whole)
		return true;
	g->n_rows = (uint32_t)pair->service->n_allows;
	return put_rows(w, pair->service, &g->first_row);
}

/* ---- the grants of a permit ------------------------------------------------------------------ */

/* positions that run_of tries at most */
#define LOOKS 64u

static uint32_t grant_key(uint32_t pair, bool observe)
{
	return pair * 2u + observe;
}

/* Looks for a run of written grants that equals the grants of this set, and returns its first one.
 * False: none was found at the positions that were tried. */
static bool run_of(const struct writer *w, const struct interned *set, bool observe, uint32_t *ret)
{
	uint32_t at = set->n > 0 ? w->last_of[grant_key(set->values[0], observe)] : 0;

	for (unsigned i = 0; i < LOOKS && at != 0; i++, at = w->before_of[at - 1]) {
		uint32_t n = 1;

		while (n < set->n && at - 1 + n < w->n_grants &&
		       w->key_of[at - 1 + n] == grant_key(set->values[n], observe))
			n++;
		*ret = at - 1;
		if (n == set->n)
			return true;
	}
	return false;
}

static bool put_set(struct writer *w, const struct interned *set, bool observe, uint32_t *ret)
{
	if (run_of(w, set, observe, ret))
		return true;
	*ret = (uint32_t)w->n_grants;
	for (uint32_t i = 0; i < set->n; i++) {
		uint32_t *key = arena_grow(w->a, (void **)&w->key_of, &w->n_key_of, &w->key_of_room, sizeof(*key));
		uint32_t *before =
			arena_grow(w->a, (void **)&w->before_of, &w->n_before_of, &w->before_of_room, sizeof(*before));

		if (key == NULL || before == NULL || !put_grant(w, &w->cells->pairs[set->values[i]], observe))
			return false;
		*key = grant_key(set->values[i], observe);
		*before = w->last_of[*key];
		w->last_of[*key] = (uint32_t)w->n_grants;
	}
	return true;
}

struct sized {
	uint32_t n, index;
};

static int largest_first(const void *pa, const void *pb)
{
	const struct sized *a = pa, *b = pb;

	return a->n != b->n ? (a->n < b->n ? 1 : -1) : (a->index > b->index) - (a->index < b->index);
}

/* Writes the largest sets first, because the grants of a smaller set are usually a run of the
 * grants of a larger one. Then both share these grants. */
static bool put_sets(struct writer *w, const struct ir *ir)
{
	struct sized *order = arena_array(w->a, ir->n_permits, sizeof(*order));

	w->last_of = arena_array(w->a, 2 * w->cells->n_pairs, sizeof(*w->last_of));
	if (order == NULL || w->last_of == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_permits; i++)
		order[i] = (struct sized){ w->cells->sets[i].n, i };
	qsort(order, ir->n_permits, sizeof(*order), largest_first);
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		struct command_permit *p = &w->t->permits[order[i].index];

		if (!put_set(w, &w->cells->sets[order[i].index], p->observe, &p->first_grant))
			return false;
	}
	return true;
}

/* Writes each permit's ports. `first` is where they begin. */
static bool put_ports(struct writer *w)
{
	size_t *first = arena_array(w->a, w->cells->n_sets + 2, sizeof(*first));
	struct number_range *ports = arena_array(w->a, w->cells->n, sizeof(*ports));

	if (first == NULL || ports == NULL)
		return false;
	for (size_t i = 0; i < w->cells->n; i++)
		first[w->cells->list[i].set + 2]++;
	for (size_t i = 2; i < w->cells->n_sets + 2; i++)
		first[i] += first[i - 1];
	/* first[s + 1] is now the beginning of set s, and moves to its end while the ports are
	 * written. */
	for (size_t i = 0; i < w->cells->n; i++) {
		const struct cell *c = &w->cells->list[i];
		size_t *at = &first[c->set + 1];

		ports[*at] = (struct number_range){ c->lo, c->hi };
		/* Only TCP and UDP have server ports; other cells leave a hole that is closed
		 * below. */
		if (c->l4proto != IPPROTO_TCP && c->l4proto != IPPROTO_UDP)
			ports[*at] = (struct number_range){ 1, 0 };
		++*at;
	}
	for (size_t s = 0; s < w->cells->n_sets; s++) {
		size_t begin = first[s], n = 0;

		for (size_t i = begin; i < first[s + 1]; i++)
			if (ports[i].lo <= ports[i].hi)
				ports[begin + n++] = ports[i];
		n = numbers_tidy(ports + begin, n, false);
		if (!put_numbers(w, false, ports + begin, n, &w->t->permits[s].ports))
			return false;
	}
	return true;
}

static bool put_digest(struct writer *w)
{
	size_t size = commands_size(w->t);
	uint8_t *p = arena_alloc(w->a, size);
	struct outbuf out = outbuf_of(p, size);

	if (p == NULL || !commands_encode(w->t, &out))
		return false;
	sha256(p, out.len, w->t->digest);
	return true;
}

bool commands_make(const struct model *m, const struct cells *cells, struct arena *a, struct ir *ir)
{
	struct writer w = { .m = m, .cells = cells, .a = a, .t = &ir->table };

	memset(w.t, 0, sizeof(*w.t));
	interner_init(&w.lists, a);
	w.rows_at = arena_array(a, m->n_services, sizeof(*w.rows_at));
	w.t->permits = arena_array(a, ir->n_permits, sizeof(*w.t->permits));
	w.names_at = arena_array(a, m->n_conduits, sizeof(*w.names_at));
	if (w.rows_at == NULL || w.names_at == NULL || w.t->permits == NULL)
		return false;
	w.t->n_permits = ir->n_permits;
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		const struct ir_permit *from = &ir->permits[i];
		struct command_permit *p = &w.t->permits[i];

		p->permit = i + 1;
		p->lane = from->lane;
		p->observe = from->observe;
		p->midstream = from->midstream;
		p->deny_weak_tls = from->deny_weak_tls;
		p->n_grants = cells->sets[i].n;
	}
	if (!put_sets(&w, ir) || !put_ports(&w))
		return false;
	for (uint32_t i = 0; i < ir->n_services; i++)
		if (w.rows_at[i] != 0) {
			ir->services[i].first_row = w.rows_at[i] - 1;
			ir->services[i].n_rows = (uint32_t)m->services[i].n_allows;
		}
	w.t->n_grants = (uint32_t)w.n_grants;
	w.t->n_rows = (uint32_t)w.n_rows;
	w.t->n_spaces = (uint32_t)w.n_spaces;
	w.t->n_ranges = (uint32_t)w.n_ranges;
	w.t->n_names = (uint32_t)w.n_names;
	return put_digest(&w);
}
