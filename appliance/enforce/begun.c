/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the journal how many sessions of each conduit began, once a minute and before an apply,
 * from the kernel's counters of each permit. The rules look up a TCP session twice (with its SYN,
 * and with the segment that ends the client's handshake) and all others once, so halves are
 * counted. A session of a permit that several conduits grant counts for each of them.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/mark.h"

#define EVERY_NS 60000000000ull

void begun_free(struct begun *b)
{
	free(b->told);
	*b = (struct begun){ 0 };
}

static int by_permit(const void *pa, const void *pb)
{
	const struct begun_permit *a = pa, *b = pb;

	return (a->permit > b->permit) - (a->permit < b->permit);
}

static uint64_t halves(unsigned set, const struct image_element *el)
{
	size_t protocol = 8 + 2 * (set >= SET_UNTIL6 ? addr_len(6) : addr_len(4));

	return el->key[protocol] == IPPROTO_TCP ? el->packets : 2 * el->packets;
}

/* The list of permits with their counters, malloc'd for the caller. NULL: no memory. */
static struct begun_permit *counted(const struct image *have, size_t *ret_n)
{
	struct begun_permit *list;
	size_t room = 0, n = 0, joined = 0;

	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		room += have->elements[s].n;
	list = calloc(room + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (unsigned s = SET_UNTIL4; s <= SET_RANGE6; s++)
		for (size_t i = 0; i < have->elements[s].n; i++) {
			const struct image_element *el = &have->elements[s].list[i];

			list[n++] = (struct begun_permit){ mark_permit(el->data), halves(s, el) };
		}
	if (n > 0)
		qsort(list, n, sizeof(*list), by_permit);
	for (size_t i = 0; i < n; i++)
		if (joined > 0 && list[joined - 1].permit == list[i].permit)
			list[joined - 1].halves += list[i].halves;
		else
			list[joined++] = list[i];
	*ret_n = joined;
	return list;
}

/*
 * The increase since the last report. A new permit began with zero, except before this process's
 * first report: then the age of the count is unknown. A lower count means that somebody replaced
 * the element.
 */
static uint64_t since_told(const struct begun *b, const struct begun_permit *now)
{
	const struct begun_permit *was = b->n > 0 ? bsearch(now, b->told, b->n, sizeof(*b->told), by_permit) : NULL;

	if (was == NULL)
		return b->told != NULL ? now->halves : 0;
	return now->halves > was->halves ? now->halves - was->halves : 0;
}

static void tell(struct enforce *f, uint32_t conduit, uint64_t n)
{
	struct event e = event_new(EVENT_COUNTS, clock_wall_ns());

	e.code = COUNTS_BEGUN;
	e.conduit = conduit;
	e.count = n;
	event_send(&f->events, &e);
}

static void tell_all(struct enforce *f, struct begun_permit *list, size_t n)
{
	const struct generation_held *g = f->now;
	const struct command_table *t = &g->ir.table;
	uint64_t *of = calloc((size_t)g->ir.n_conduits + 1, sizeof(*of));

	for (size_t i = 0; of != NULL && i < n; i++) {
		uint64_t new = since_told(&f->begun, &list[i]);
		uint32_t index = new > 1 ? generation_permit(g, list[i].permit) : UINT32_MAX;
		const struct command_permit *p = index != UINT32_MAX ? commands_permit(t, index + 1) : NULL;

		/* An odd half is kept for the next report, when its other half has been counted. */
		list[i].halves -= new % 2;
		for (uint32_t k = 0; p != NULL && k < p->n_grants; k++)
			if (t->grants[p->first_grant + k].conduit < g->ir.n_conduits)
				of[t->grants[p->first_grant + k].conduit] += new / 2;
	}
	for (uint32_t i = 0; of != NULL && i < g->ir.n_conduits; i++)
		if (of[i] > 0)
			tell(f, i, of[i]);
	free(of);
}

void begun_looked(struct enforce *f, const struct image *have, bool at_once)
{
	struct begun *b = &f->begun;
	struct begun_permit *list;
	uint64_t now = clock_mono().ns;
	size_t n = 0;

	if (f->now == NULL || (!at_once && now < b->due_ns) || (list = counted(have, &n)) == NULL)
		return;
	tell_all(f, list, n);
	free(b->told);
	*b = (struct begun){ .told = list, .n = n, .due_ns = now + EVERY_NS };
}
