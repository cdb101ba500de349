/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit was last used: the kernel counts new sessions, and each comparison sees which
 * counters rose; the packets of sessions are compared elsewhere (heard.h). So the time is as exact
 * as the interval between comparisons. If the kernel table that the previous comparison read is
 * gone, what it counted since then is lost, and the time since then is noted as a gap.
 */
#include "appliance/enforce/matched.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/enforce/generation.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/mark.h"
#include "policy/ir/ir.h"
#include "policy/ir/sets.h"

/* largest number of conduits that are remembered; if there are more, those of earlier policies are
 * forgotten */
#define CONDUITS_MOST 65536u
#define CELLS_MOST 262144u /* the same for cells */

void matched_free(struct matched *m)
{
	free(m->list);
	free(m->conduits);
	free(m->cells);
	*m = (struct matched){ 0 };
}

/* ---- permits --------------------------------------------------------------------------------- */

static int by_permit(const void *pa, const void *pb)
{
	const struct msg_used_permit *a = pa, *b = pb;

	return (a->permit > b->permit) - (a->permit < b->permit);
}

const struct msg_used_permit *matched_permit(const struct msg_used_permit *list, size_t n, uint32_t permit)
{
	const struct msg_used_permit key = { .permit = permit };

	return n > 0 ? bsearch(&key, list, n, sizeof(*list), by_permit) : NULL;
}

static const struct msg_used_permit *find_permit(const struct matched *m, uint32_t permit)
{
	return matched_permit(m->list, m->n, permit);
}

void matched_carried(struct matched *m, uint32_t permit, uint64_t wall_ns)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].permit == permit)
			m->list[i].last_ns = wall_ns;
}

/* Joins all entries that have the same permit, and adds up their counters. Returns how many entries
 * are left. */
static size_t join_permits(struct msg_used_permit *list, size_t n_all)
{
	size_t n = 0;

	if (n_all > 0)
		qsort(list, n_all, sizeof(*list), by_permit);
	for (size_t i = 0; i < n_all; i++) {
		struct msg_used_permit *last = n > 0 ? &list[n - 1] : NULL;

		if (last == NULL || last->permit != list[i].permit) {
			list[n++] = list[i];
			continue;
		}
		last->packets += list[i].packets;
		if (list[i].last_ns > last->last_ns)
			last->last_ns = list[i].last_ns;
	}
	return n;
}

struct msg_used_permit *matched_counts(const struct image *have, matched_weigh *weigh, size_t more, size_t *ret_n)
{
	struct msg_used_permit *list;
	size_t room = more, n = 0;

	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		room += have->elements[s].n;
	list = calloc(room + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			list[n++] =
				(struct msg_used_permit){ .permit = mark_permit(el->data), .packets = weigh(s, el) };
		}
	*ret_n = join_permits(list, n);
	return list;
}

static uint64_t packets_of(unsigned set, const struct image_element *el)
{
	return el->packets;
}

/* A permit that ended by time has left the kernel; its uses still count. */
static void keep_ended(const struct matched *m, const struct generation_held *g, struct matched *now)
{
	size_t n = now->n;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].last_ns != 0 && find_permit(now, m->list[i].permit) == NULL &&
		    generation_permit(g, m->list[i].permit) != UINT32_MAX)
			now->list[n++] =
				(struct msg_used_permit){ .permit = m->list[i].permit, .last_ns = m->list[i].last_ns };
	now->n = n;
	if (n > 0)
		qsort(now->list, n, sizeof(*now->list), by_permit);
}

/* ---- times that nobody watched --------------------------------------------------------------- */

static bool of_other_rules(struct matched *m, const struct image *have)
{
	uint8_t digest[32] = { 0 };
	bool other;

	if (!image_digest(have, digest))
		memset(digest, 0, sizeof(digest));
	other = memcmp(digest, m->digest, sizeof(digest)) != 0;
	memcpy(m->digest, digest, sizeof(digest));
	return other;
}

/* If a counter is lower than before, somebody deleted elements, and may have added them again. */
static bool counts_less(const struct matched *m, const struct matched *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct msg_used_permit *was = find_permit(m, now->list[i].permit);

		if (was != NULL && now->list[i].packets < was->packets)
			return true;
	}
	return false;
}

static void take_look(struct matched *m, struct matched *now, uint64_t wall_ns)
{
	free(m->list);
	m->list = now->list;
	m->n = now->n;
	m->looked_ns = wall_ns;
	if (m->began_ns == 0)
		m->began_ns = wall_ns;
	m->untold = true;
}

/* ---- lists that are sorted by a digest ------------------------------------------------------- */

#define KEY 16u
_Static_assert(offsetof(struct msg_used_conduit, name) == 0 && offsetof(struct msg_used_cell, key) == 0,
	       "each row begins with its key");

static void key_of(const void *p, size_t n, uint8_t ret[KEY])
{
	uint8_t digest[32];

	sha256(p, n, digest);
	memcpy(ret, digest, KEY);
}

static int key_against(const void *key, const void *row)
{
	return memcmp(key, row, KEY);
}

/* Sorts the rows. Of rows with the same key only the first one stays. Returns how many are left. */
static size_t sort_distinct(void *rows, size_t n, size_t size, int (*order)(const void *, const void *))
{
	uint8_t *p = rows;
	size_t kept = 0;

	if (n > 0)
		qsort(p, n, size, order);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(p + (kept - 1) * size, p + i * size, KEY) != 0)
			memmove(p + kept++ * size, p + i * size, size);
	return kept;
}

/* ---- conduits -------------------------------------------------------------------------------- */

/* In the order of their names; of equal names the latest use first. */
static int by_name(const void *pa, const void *pb)
{
	const struct msg_used_conduit *a = pa, *b = pb;
	int c = memcmp(a->name, b->name, sizeof(a->name));

	return c != 0 ? c : (a->last_ns < b->last_ns) - (a->last_ns > b->last_ns);
}

const struct msg_used_conduit *matched_conduit(const struct matched *m, const char *name)
{
	uint8_t key[KEY];

	key_of(name, strlen(name), key);
	return m->n_conduits > 0 ? bsearch(key, m->conduits, m->n_conduits, sizeof(*m->conduits), key_against) : NULL;
}

/* Notes for each conduit the latest use of any permit under which it grants something. */
static void by_permits(const struct matched *m, const struct generation_held *g, struct msg_used_conduit *all)
{
	const struct command_table *t = &g->ir.table;

	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		const struct command_permit *p = commands_permit(t, i + 1);
		uint64_t at = matched_last(m, g->ids[i]);

		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++) {
			uint32_t c = t->grants[p->first_grant + k].conduit;

			if (c < g->ir.n_conduits && at > all[c].last_ns)
				all[c].last_ns = at;
		}
	}
}

/* Uses of permits are passed on to conduits by name: the next policy may lack the permit and still
 * have the conduit. */
static void tell_conduits(struct matched *m, const struct generation_held *g, uint64_t wall_ns)
{
	size_t n = g->ir.n_conduits, before = m->n_conduits < CONDUITS_MOST ? m->n_conduits : 0;
	struct msg_used_conduit *all = calloc(n + before + 1, sizeof(*all));

	if (all == NULL)
		return;
	by_permits(m, g, all);
	for (size_t i = 0; i < n; i++) {
		const char *name = g->ir.conduits[i].name;
		const struct msg_used_conduit *was = matched_conduit(m, name);

		key_of(name, strlen(name), all[i].name);
		all[i].since_ns = was != NULL ? was->since_ns : wall_ns;
		if (was != NULL && was->last_ns > all[i].last_ns)
			all[i].last_ns = was->last_ns;
	}
	for (size_t i = 0; i < before; i++)
		all[n++] = m->conduits[i];
	free(m->conduits);
	m->conduits = all;
	m->n_conduits = sort_distinct(all, n, sizeof(*all), by_name);
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* A key of the cell that does not depend on the kernel's device indexes. False: the policy does not
 * name a device of the cell. */
static bool cell_key(const struct generation_held *g, unsigned set, const struct image_element *el, uint8_t ret[KEY])
{
	/* what the kernel's key has before the interfaces */
	size_t n = ir_set_six(set) ? 40 : 16;
	uint32_t iif, oif;
	const char *in, *out;
	uint8_t bytes[256], place[IMAGE_KEY - 8] = { 0 };
	struct outbuf o = outbuf_of(bytes, sizeof(bytes));

	memcpy(&iif, el->key + n, sizeof(iif));
	memcpy(&oif, el->key + n + 4, sizeof(oif));
	in = generation_interface(g, iif);
	out = generation_interface(g, oif);
	if (in == NULL || out == NULL)
		return false;
	/* whichever part of the ranges has it now */
	if (ir_set_range(set))
		set = ir_set_six(set) ? SET_RANGE6 : SET_RANGE4;
	out_u8(&o, (uint8_t)set);
	out_bytes(&o, in, strlen(in) + 1);
	out_bytes(&o, out, strlen(out) + 1);
	memcpy(place, el->key, n);
	out_bytes(&o, place, sizeof(place));
	memcpy(place, el->key_end, n);
	out_bytes(&o, place, sizeof(place));
	key_of(bytes, o.len, ret);
	return !o.failed;
}

/* In the order of their keys; of equal keys the highest count first. */
static int by_cell(const void *pa, const void *pb)
{
	const struct msg_used_cell *a = pa, *b = pb;
	int c = memcmp(a->key, b->key, sizeof(a->key));

	return c != 0 ? c : (a->packets < b->packets) - (a->packets > b->packets);
}

static void count_cells(struct matched *m, const struct image *have, const struct generation_held *g)
{
	size_t room = m->n_cells, n = 0;
	struct msg_used_cell *all;

	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		room += have->elements[s].n;
	all = calloc(room + 1, sizeof(*all));
	if (all == NULL)
		return;
	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			if (el->packets > 0 && cell_key(g, s, el, all[n].key))
				all[n++].packets = el->packets;
		}
	for (size_t i = 0; i < m->n_cells && m->n_cells < CELLS_MOST; i++)
		all[n++] = m->cells[i];
	free(m->cells);
	m->cells = all;
	m->n_cells = sort_distinct(all, n, sizeof(*all), by_cell);
}

static uint64_t cell_counted(const struct matched *m, const struct generation_held *g, unsigned set,
			     const struct image_element *el)
{
	const struct msg_used_cell *c;
	uint8_t key[KEY];

	if (m->n_cells == 0 || !cell_key(g, set, el, key))
		return 0;
	c = bsearch(key, m->cells, m->n_cells, sizeof(*m->cells), key_against);
	return c != NULL ? c->packets : 0;
}

void matched_seed(const struct matched *m, const struct image *have, const struct generation_held *g,
		  struct image *want)
{
	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		for (size_t i = 0; i < want->elements[s].n; i++) {
			struct image_element *el = &want->elements[s].list[i];
			const struct image_element *was = image_find(have, s, el->key, el->key_end);

			el->packets = was != NULL ? was->packets : cell_counted(m, g, s, el);
			el->bytes = was != NULL ? was->bytes : 0;
		}
}

/* ---- looks ----------------------------------------------------------------------------------- */

void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns)
{
	struct matched now = { 0 };
	bool known = m->looked_ns != 0;

	now.list = matched_counts(have, packets_of, m->n, &now.n);
	if (now.list == NULL)
		return;
	if ((of_other_rules(m, have) || counts_less(m, &now)) && known)
		spans_add(&m->gaps, m->looked_ns, wall_ns);
	for (size_t i = 0; i < now.n; i++) {
		struct msg_used_permit *to = &now.list[i];
		const struct msg_used_permit *was = find_permit(m, to->permit);

		/* It is unknown when uses before the first look happened, so they get no time. */
		if (was != NULL)
			to->last_ns = was->last_ns;
		if (to->packets > (was != NULL ? was->packets : 0) && known)
			to->last_ns = wall_ns;
	}
	keep_ended(m, g, &now);
	take_look(m, &now, wall_ns);
	tell_conduits(m, g, wall_ns);
	count_cells(m, have, g);
}

void matched_carry(struct matched *m, const struct image *have, const struct image *want, uint64_t wall_ns)
{
	struct matched now = { 0 };

	/* The new elements begin with the counts that they were given. */
	now.list = matched_counts(want, packets_of, m->n, &now.n);
	if (now.list == NULL)
		return;
	if (of_other_rules(m, have) && m->looked_ns != 0)
		spans_add(&m->gaps, m->looked_ns, wall_ns);
	(void)of_other_rules(m, want);
	for (size_t i = 0; i < m->n; i++)
		now.list[now.n++] =
			(struct msg_used_permit){ .permit = m->list[i].permit, .last_ns = m->list[i].last_ns };
	now.n = join_permits(now.list, now.n);
	take_look(m, &now, wall_ns);
}

uint64_t matched_last(const struct matched *m, uint32_t permit)
{
	const struct msg_used_permit *one = find_permit(m, permit);

	return one != NULL ? one->last_ns : 0;
}

/* Moves a time by as much as the clock was set, from `was_ns` to `wall_ns`. Only times that this
 * process noted are moved: those between its first look and `was_ns`. */
static void move_time(const struct matched *m, uint64_t *at, uint64_t was_ns, uint64_t wall_ns)
{
	if (m->began_ns != 0 && *at >= m->began_ns && *at <= was_ns)
		*at = wall_ns > was_ns - *at ? wall_ns - (was_ns - *at) : 1;
}

void matched_clock(struct matched *m, uint64_t was_ns, uint64_t wall_ns)
{
	for (size_t i = 0; i < m->n; i++)
		move_time(m, &m->list[i].last_ns, was_ns, wall_ns);
	for (size_t i = 0; i < m->n_conduits; i++) {
		move_time(m, &m->conduits[i].last_ns, was_ns, wall_ns);
		move_time(m, &m->conduits[i].since_ns, was_ns, wall_ns);
	}
	for (size_t i = 0; i < m->gaps.n; i++) {
		move_time(m, &m->gaps.list[i].from_ns, was_ns, wall_ns);
		move_time(m, &m->gaps.list[i].until_ns, was_ns, wall_ns);
	}
	move_time(m, &m->looked_ns, was_ns, wall_ns);
	move_time(m, &m->began_ns, was_ns, wall_ns);
	m->untold = true;
}

/* ---- as bytes: for the disk and for the next process ----------------------------------------- */

static const uint8_t form[16] = "sekisho used 1";

uint8_t *matched_put(const struct matched *m, size_t *ret_n)
{
	struct msg_used_head h = { .looked_ns = m->looked_ns,
				   .gaps = (uint32_t)m->gaps.n,
				   .permits = (uint32_t)m->n,
				   .conduits = (uint32_t)m->n_conduits,
				   .cells = (uint32_t)m->n_cells };
	uint8_t *p = malloc(USED_BYTES), digest[32];
	struct outbuf o = outbuf_of(p, p != NULL ? USED_BYTES : 0);

	memcpy(h.form, form, sizeof(form));
	memcpy(h.digest, m->digest, sizeof(h.digest));
	msg_put_used_head(&o, &h);
	for (size_t i = 0; i < m->gaps.n; i++)
		msg_put_used_gap(&o, &m->gaps.list[i]);
	for (size_t i = 0; i < m->n; i++)
		msg_put_used_permit(&o, &m->list[i]);
	for (size_t i = 0; i < m->n_conduits; i++)
		msg_put_used_conduit(&o, &m->conduits[i]);
	for (size_t i = 0; i < m->n_cells; i++)
		msg_put_used_cell(&o, &m->cells[i]);
	if (!o.failed)
		sha256(p, o.len, digest);
	out_bytes(&o, digest, sizeof(digest));
	*ret_n = o.len;
	if (!o.failed)
		return p;
	free(p);
	return NULL;
}

/* Allocates `n` rows, if there are enough bytes for rows of at least `least` bytes each. */
static bool make_rows(const struct bytes *b, uint32_t n, size_t least, size_t size, void *ret, size_t *ret_n)
{
	void *list = n <= b->left / least ? calloc((size_t)n + 1, size) : NULL;

	memcpy(ret, &list, sizeof(list));
	*ret_n = list != NULL ? n : 0;
	return list != NULL;
}

/* The rows must be sorted, because they are searched by halving. */
static bool take_rows(struct bytes *b, const struct msg_used_head *h, struct matched *m)
{
	bool ok = h->gaps <= b->left / USED_GAP_BYTES;

	m->gaps.n = ok ? h->gaps : 0;
	for (size_t i = 0; i < m->gaps.n; i++)
		ok &= msg_take_used_gap(b, &m->gaps.list[i]);
	ok = ok && make_rows(b, h->permits, USED_PERMIT_BYTES, sizeof(*m->list), &m->list, &m->n);
	for (size_t i = 0; ok && i < m->n; i++)
		ok = msg_take_used_permit(b, &m->list[i]) && (i == 0 || m->list[i - 1].permit < m->list[i].permit);
	ok = ok && make_rows(b, h->conduits, USED_CONDUIT_BYTES, sizeof(*m->conduits), &m->conduits, &m->n_conduits);
	for (size_t i = 0; ok && i < m->n_conduits; i++)
		ok = msg_take_used_conduit(b, &m->conduits[i]) &&
		     (i == 0 || memcmp(m->conduits[i - 1].name, m->conduits[i].name, 16) < 0);
	ok = ok && make_rows(b, h->cells, USED_CELL_BYTES, sizeof(*m->cells), &m->cells, &m->n_cells);
	for (size_t i = 0; ok && i < m->n_cells; i++)
		ok = msg_take_used_cell(b, &m->cells[i]) &&
		     (i == 0 || memcmp(m->cells[i - 1].key, m->cells[i].key, 16) < 0);
	return ok && bytes_done(b);
}

int matched_take(const uint8_t *p, size_t n, struct matched *m, struct err *e)
{
	struct msg_used_head h;
	uint8_t digest[32];
	struct bytes b = bytes_of(p, n < sizeof(digest) ? 0 : n - sizeof(digest));

	*m = (struct matched){ 0 };
	sha256(p, b.left, digest);
	if (n < sizeof(digest) || memcmp(p + b.left, digest, sizeof(digest)) != 0 || !msg_take_used_head(&b, &h) ||
	    memcmp(h.form, form, sizeof(form)) != 0 || !take_rows(&b, &h, m)) {
		matched_free(m);
		return err_set(e, -EBADMSG, "what was used: damaged, or of another release; it is watched anew");
	}
	m->looked_ns = h.looked_ns;
	memcpy(m->digest, h.digest, sizeof(m->digest));
	return 0;
}
