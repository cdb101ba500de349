/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each permit last let a new session in: the kernel counts, and each comparison sees which
 * counters rose. So the time is as exact as the interval between comparisons. When the table of the
 * last look is gone, its last counts are lost, and that time is noted as a gap.
 */
#include "appliance/enforce/matched.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/enforce/enforce.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/mark.h"
#include "policy/ir/ir.h"

/* conduits that are remembered; beyond this number, only those of the policy in force */
#define CONDUITS_MOST 65536u
#define CELLS_MOST 262144u /* as CONDUITS_MOST, for the cells in the kernel */

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

static struct msg_used_permit *find(const struct matched *m, uint32_t permit)
{
	const struct msg_used_permit key = { .permit = permit };

	return m->n > 0 ? bsearch(&key, m->list, m->n, sizeof(*m->list), by_permit) : NULL;
}

/* Joins the entries of one permit and adds up their counters. */
static void join(struct matched *m)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->list, m->n, sizeof(*m->list), by_permit);
	for (size_t i = 0; i < m->n; i++) {
		struct msg_used_permit *last = n > 0 ? &m->list[n - 1] : NULL;

		if (last == NULL || last->permit != m->list[i].permit) {
			m->list[n++] = m->list[i];
			continue;
		}
		last->packets += m->list[i].packets;
		if (m->list[i].last_ns > last->last_ns)
			last->last_ns = m->list[i].last_ns;
	}
	m->n = n;
}

/* The permits in the kernel with their counters; leaves room for `more`. False: no memory. */
static bool take(const struct image *have, size_t more, struct matched *ret)
{
	size_t room = more;

	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		room += have->elements[s].n;
	ret->list = calloc(room + 1, sizeof(*ret->list));
	if (ret->list == NULL)
		return false;
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			ret->list[ret->n++] =
				(struct msg_used_permit){ .permit = mark_permit(el->data), .packets = el->packets };
		}
	join(ret);
	return true;
}

/* A permit that ended by time has left the kernel; its uses still count. */
static void keep_ended(const struct matched *m, const struct generation_held *g, struct matched *now)
{
	size_t n = now->n;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].last_ns != 0 && find(now, m->list[i].permit) == NULL &&
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

/* A lower counter: somebody deleted elements and may have added them again. */
static bool counts_less(const struct matched *m, const struct matched *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct msg_used_permit *was = find(m, now->list[i].permit);

		if (was != NULL && now->list[i].packets < was->packets)
			return true;
	}
	return false;
}

static void looked(struct matched *m, struct matched *now, uint64_t wall_ns)
{
	free(m->list);
	m->list = now->list;
	m->n = now->n;
	m->looked_ns = wall_ns;
	if (m->began_ns == 0)
		m->began_ns = wall_ns;
	m->untold = true;
}

/* ---- conduits -------------------------------------------------------------------------------- */

static void conduit_name(const char *name, uint8_t ret[16])
{
	uint8_t digest[32];

	sha256(name, strlen(name), digest);
	memcpy(ret, digest, 16);
}

/* In the order of their names; of equal names the latest use first. */
static int by_name(const void *pa, const void *pb)
{
	const struct msg_used_conduit *a = pa, *b = pb;
	int c = memcmp(a->name, b->name, sizeof(a->name));

	return c != 0 ? c : (a->last_ns < b->last_ns) - (a->last_ns > b->last_ns);
}

static int name_against(const void *name, const void *one)
{
	return memcmp(name, ((const struct msg_used_conduit *)one)->name, 16);
}

const struct msg_used_conduit *matched_conduit(const struct matched *m, const char *name)
{
	uint8_t key[16];

	conduit_name(name, key);
	return m->n_conduits > 0 ? bsearch(key, m->conduits, m->n_conduits, sizeof(*m->conduits), name_against) : NULL;
}

/* For each conduit the latest use of the permits under which it grants something. */
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
	size_t n = g->ir.n_conduits, before = m->n_conduits < CONDUITS_MOST ? m->n_conduits : 0, kept = 0;
	struct msg_used_conduit *all = calloc(n + before + 1, sizeof(*all));

	if (all == NULL)
		return;
	by_permits(m, g, all);
	for (size_t i = 0; i < n; i++) {
		const struct msg_used_conduit *was = matched_conduit(m, g->ir.conduits[i].name);

		conduit_name(g->ir.conduits[i].name, all[i].name);
		all[i].since_ns = was != NULL ? was->since_ns : wall_ns;
		if (was != NULL && was->last_ns > all[i].last_ns)
			all[i].last_ns = was->last_ns;
	}
	for (size_t i = 0; i < before; i++)
		all[n++] = m->conduits[i];
	if (n > 0)
		qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(all[kept - 1].name, all[i].name, sizeof(all[i].name)) != 0)
			all[kept++] = all[i];
	free(m->conduits);
	m->conduits = all;
	m->n_conduits = kept;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static const char *interface_name(const struct generation_held *g, const uint8_t *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	for (uint32_t i = 0; index != 0 && i < g->ir.n_interfaces; i++)
		if (g->interfaces[i] == index)
			return g->ir.interfaces[i].name;
	return NULL;
}

/* A key of the cell that does not depend on the kernel's device indexes. False: a device is not the
 * policy's. */
static bool cell_key(const struct generation_held *g, unsigned set, const struct image_element *el, uint8_t ret[16])
{
	const char *in = interface_name(g, el->key), *out = interface_name(g, el->key + 4);
	uint8_t bytes[256], digest[32];
	struct outbuf o = outbuf_of(bytes, sizeof(bytes));

	if (in == NULL || out == NULL)
		return false;
	out_u8(&o, (uint8_t)set);
	out_bytes(&o, in, strlen(in) + 1);
	out_bytes(&o, out, strlen(out) + 1);
	out_bytes(&o, el->key + 8, IMAGE_KEY - 8);
	out_bytes(&o, el->key_end + 8, IMAGE_KEY - 8);
	sha256(bytes, o.len, digest);
	memcpy(ret, digest, 16);
	return !o.failed;
}

/* In the order of their keys; of equal keys the highest count first. */
static int by_cell(const void *pa, const void *pb)
{
	const struct msg_used_cell *a = pa, *b = pb;
	int c = memcmp(a->key, b->key, sizeof(a->key));

	return c != 0 ? c : (a->packets < b->packets) - (a->packets > b->packets);
}

static int cell_against(const void *key, const void *one)
{
	return memcmp(key, ((const struct msg_used_cell *)one)->key, 16);
}

static void count_cells(struct matched *m, const struct image *have, const struct generation_held *g)
{
	size_t room = m->n_cells, n = 0, kept = 0;
	struct msg_used_cell *all;

	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		room += have->elements[s].n;
	all = calloc(room + 1, sizeof(*all));
	if (all == NULL)
		return;
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			if (el->packets > 0 && cell_key(g, s, el, all[n].key))
				all[n++].packets = el->packets;
		}
	for (size_t i = 0; i < m->n_cells && m->n_cells < CELLS_MOST; i++)
		all[n++] = m->cells[i];
	if (n > 0)
		qsort(all, n, sizeof(*all), by_cell);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(all[kept - 1].key, all[i].key, sizeof(all[i].key)) != 0)
			all[kept++] = all[i];
	free(m->cells);
	m->cells = all;
	m->n_cells = kept;
}

static uint64_t counted(const struct matched *m, const struct generation_held *g, unsigned set,
			const struct image_element *el)
{
	const struct msg_used_cell *c;
	uint8_t key[16];

	if (m->n_cells == 0 || !cell_key(g, set, el, key))
		return 0;
	c = bsearch(key, m->cells, m->n_cells, sizeof(*m->cells), cell_against);
	return c != NULL ? c->packets : 0;
}

void matched_seed(const struct matched *m, const struct image *have, const struct generation_held *g,
		  struct image *want)
{
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < want->elements[s].n; i++) {
			struct image_element *el = &want->elements[s].list[i];
			const struct image_element *was = image_find(have, s, el->key, el->key_end);

			el->packets = was != NULL ? was->packets : counted(m, g, s, el);
			el->bytes = was != NULL ? was->bytes : 0;
		}
}

/* ---- looks ----------------------------------------------------------------------------------- */

void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns)
{
	struct matched now = { 0 };
	bool known = m->looked_ns != 0;

	if (!take(have, m->n, &now))
		return;
	if ((of_other_rules(m, have) || counts_less(m, &now)) && known)
		spans_add(&m->gaps, m->looked_ns, wall_ns);
	for (size_t i = 0; i < now.n; i++) {
		struct msg_used_permit *to = &now.list[i];
		const struct msg_used_permit *was = find(m, to->permit);

		/* The time of uses from before the first look is unknown. */
		if (was != NULL)
			to->last_ns = was->last_ns;
		if (to->packets > (was != NULL ? was->packets : 0) && known)
			to->last_ns = wall_ns;
	}
	keep_ended(m, g, &now);
	looked(m, &now, wall_ns);
	tell_conduits(m, g, wall_ns);
	count_cells(m, have, g);
}

void matched_carry(struct matched *m, const struct image *have, const struct image *want, uint64_t wall_ns)
{
	struct matched now = { 0 };

	/* The new elements begin with the counts that they were given. */
	if (!take(want, m->n, &now))
		return;
	if (of_other_rules(m, have) && m->looked_ns != 0)
		spans_add(&m->gaps, m->looked_ns, wall_ns);
	(void)of_other_rules(m, want);
	for (size_t i = 0; i < m->n; i++)
		now.list[now.n++] =
			(struct msg_used_permit){ .permit = m->list[i].permit, .last_ns = m->list[i].last_ns };
	join(&now);
	looked(m, &now, wall_ns);
}

uint64_t matched_last(const struct matched *m, uint32_t permit)
{
	const struct msg_used_permit *one = find(m, permit);

	return one != NULL ? one->last_ns : 0;
}

/* Moves a time that this process noted: the clock said `was_ns` when it was set to `wall_ns`. Only
 * times between its first look and that moment are moved. */
static void move(const struct matched *m, uint64_t *at, uint64_t was_ns, uint64_t wall_ns)
{
	if (m->began_ns != 0 && *at >= m->began_ns && *at <= was_ns)
		*at = wall_ns > was_ns - *at ? wall_ns - (was_ns - *at) : 1;
}

void matched_clock(struct matched *m, uint64_t was_ns, uint64_t wall_ns)
{
	for (size_t i = 0; i < m->n; i++)
		move(m, &m->list[i].last_ns, was_ns, wall_ns);
	for (size_t i = 0; i < m->n_conduits; i++) {
		move(m, &m->conduits[i].last_ns, was_ns, wall_ns);
		move(m, &m->conduits[i].since_ns, was_ns, wall_ns);
	}
	for (size_t i = 0; i < m->gaps.n; i++) {
		move(m, &m->gaps.list[i].from_ns, was_ns, wall_ns);
		move(m, &m->gaps.list[i].until_ns, was_ns, wall_ns);
	}
	move(m, &m->looked_ns, was_ns, wall_ns);
	move(m, &m->began_ns, was_ns, wall_ns);
	m->untold = true;
}
