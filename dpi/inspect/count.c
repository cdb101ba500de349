/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/count.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/rules.h"

#define COUNTS_NS (60u * SECOND_NS) /* between two records of accepted commands of a flow */
#define WRITE_FLOWS 64u		    /* written at a time, at most */

struct counts {
	struct counted held[COUNTED_MAX + 1]; /* of the segment being judged: counted when it passes */
	uint32_t n_held;
	struct tally *oldest, *newest; /* by due time */
};

struct counts *counts_new(void)
{
	return calloc(1, sizeof(struct counts));
}

void counts_free(struct counts *all)
{
	free(all);
}

static bool same_kind(const struct counted *a, const struct counted *b)
{
	return a->function == b->function && a->address == b->address && a->quantity == b->quantity &&
	       memcmp(a->targets, b->targets, sizeof(a->targets)) == 0 && a->space == b->space &&
	       a->conduit == b->conduit && a->line == b->line && a->row.file == b->row.file &&
	       a->row.line == b->row.line && a->permit == b->permit &&
	       event_generation_same(a->generation, b->generation);
}

/* Adds to the table; what finds no place is summed up per flow, in the last entry, without its particulars. */
static void count_in(struct counted *table, uint32_t *n, const struct counted *c)
{
	for (uint32_t k = 0; k < *n && k < COUNTED_MAX; k++) {
		if (same_kind(&table[k], c)) {
			table[k].count += c->count;
			return;
		}
	}
	if (*n < COUNTED_MAX) {
		table[(*n)++] = *c;
		return;
	}
	if (*n == COUNTED_MAX) {
		table[(*n)++] = (struct counted){ .space = 255, .conduit = EVENT_NO_CONDUIT };
	}
	table[COUNTED_MAX].count += c->count;
}

void count_hold(struct crossing *x, const struct pdu *u)
{
	struct counted one = { .function = u->function,
			       .space = u->space,
			       .address = u->address,
			       .quantity = u->quantity,
			       .conduit = u->conduit,
			       .line = u->line,
			       .row = u->row,
			       .permit = x->permit != NULL ? x->permit->permit : 0,
			       .generation = rules_generation(x->i->rules, x->permit),
			       .count = 1 };

	memcpy(one.targets, u->targets, sizeof(one.targets));
	count_in(x->i->counts->held, &x->i->counts->n_held, &one);
}

void count_keep(struct inspector *i, struct tally *t, bool passed)
{
	struct counts *all = i->counts;

	for (uint32_t k = 0; passed && k < all->n_held; k++)
		count_in(t->kinds, &t->n, &all->held[k]);
	all->n_held = 0;
	if (t->listed || t->n == 0)
		return;
	t->listed = true;
	t->due_ns = i->now_ns + COUNTS_NS;
	t->older = all->newest;
	t->newer = NULL;
	if (t->older != NULL)
		t->older->newer = t;
	else
		all->oldest = t;
	all->newest = t;
}

void count_write(struct inspector *i, struct tally *t)
{
	const struct flow *f = flow_at(&i->flows, t->flow);
	struct counts *all = i->counts;
	uint64_t now = clock_wall_ns();

	for (uint32_t k = 0; k < t->n; k++) {
		const struct counted *c = &t->kinds[k];
		struct event e = { .wall_ns = now,
				   .kind = EVENT_COUNTS,
				   .verdict = EV_ALLOW,
				   .reason = R_ALLOWED,
				   .permit = c->permit,
				   .generation = c->generation,
				   .conduit = c->conduit,
				   .line = c->line,
				   .row = c->row,
				   .client = f->client,
				   .server = f->server,
				   .client_port = f->client_port,
				   .server_port = f->server_port,
				   .l4proto = f->l4proto,
				   .protocol = f->protocol,
				   .function = c->function,
				   .space = c->space,
				   .address = c->address,
				   .quantity = c->quantity,
				   .count = c->count };

		memcpy(e.targets, c->targets, sizeof(e.targets));
		outside_event(&e);
	}
	t->n = 0;
	if (!t->listed)
		return;
	t->listed = false;
	if (t->older != NULL)
		t->older->newer = t->newer;
	else
		all->oldest = t->newer;
	if (t->newer != NULL)
		t->newer->older = t->older;
	else
		all->newest = t->older;
}

void counts_write_due(struct inspector *i)
{
	for (unsigned n = 0; n < WRITE_FLOWS; n++) {
		struct tally *t = i->counts->oldest;

		if (t == NULL || t->due_ns > i->now_ns)
			return;
		count_write(i, t);
	}
}

uint64_t counts_next_due(const struct counts *all)
{
	return all->oldest == NULL ? UINT64_MAX : all->oldest->due_ns;
}
