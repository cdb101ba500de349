/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/apart.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

static bool append(struct apart *x, const struct apart_pair *p)
{
	if (x->n == APART_MOST)
		return false;
	if (x->n == x->room) {
		size_t room = x->room != 0 ? 2 * x->room : 16;
		struct apart_pair *list = realloc(x->list, room * sizeof(*list));

		if (list == NULL)
			return false;
		x->list = list;
		x->room = room;
	}
	x->list[x->n++] = *p;
	return true;
}

/* Adds the parts of pair `p` that do not overlap the permit's pairs from index `from` up to
 * `before`. The parts themselves do not overlap, so they are not compared with each other. */
static bool put_parts(struct apart *x, const struct apart_pair *p, size_t from, size_t before)
{
	struct apart_pair part = *p;
	struct addr_range rest[2];
	struct apart_pair both;
	size_t n;

	while (from < before && !(x->list[from].permit == p->permit &&
				  addr_range_meet(&p->source, &x->list[from].source, &both.source) &&
				  addr_range_meet(&p->destination, &x->list[from].destination, &both.destination)))
		from++;
	if (from == before)
		return append(x, p);
	n = addr_range_minus(&p->source, &both.source, rest);
	for (size_t i = 0; i < n; i++) {
		part.source = rest[i];
		if (!put_parts(x, &part, from + 1, before))
			return false;
	}
	part.source = both.source;
	n = addr_range_minus(&p->destination, &both.destination, rest);
	for (size_t i = 0; i < n; i++) {
		part.destination = rest[i];
		if (!put_parts(x, &part, from + 1, before))
			return false;
	}
	return true;
}

bool apart_add(struct apart *x, const struct apart_pair *p)
{
	uint8_t family = p->source.lo.family;

	return (family == 4 || family == 6) && p->source.hi.family == family && p->destination.lo.family == family &&
	       p->destination.hi.family == family && put_parts(x, p, 0, x->n);
}

void apart_free(struct apart *x)
{
	free(x->list);
	*x = (struct apart){ .n = 0 };
}

bool apart_same(const struct apart *x, const struct apart *y)
{
	return x->n == y->n && (x->n == 0 || memcmp(x->list, y->list, x->n * sizeof(x->list[0])) == 0);
}

bool apart_holds(const struct apart *x, const struct addr *source, const struct addr *destination, uint32_t permit)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].permit == permit && addr_in(source, &x->list[i].source) &&
		    addr_in(destination, &x->list[i].destination))
			return true;
	return false;
}

static bool part(struct image *i, bool six)
{
	struct image_element *e = image_add(i, SET_PARTED);

	if (e != NULL)
		e->key[0] = e->key_end[0] = six ? NFPROTO_IPV6 : NFPROTO_IPV4;
	return e != NULL;
}

bool apart_image(const struct apart *x, unsigned set, struct image *i)
{
	bool parted[2] = { false, false };

	for (size_t k = 0; k < x->n; k++) {
		const struct apart_pair *p = &x->list[k];
		bool six = p->source.lo.family == 6;
		struct image_element *e = image_add(i, set + six);
		size_t n = addr_len(p->source.lo.family);

		if (e == NULL || (set == SET_APART4 && !parted[six] && !part(i, six)))
			return false;
		parted[six] = true;
		memcpy(e->key, p->source.lo.b, n);
		memcpy(e->key + n, p->destination.lo.b, n);
		memcpy(e->key_end, p->source.hi.b, n);
		memcpy(e->key_end + n, p->destination.hi.b, n);
		if (ir_set_kept(set)) {
			memcpy(e->key + 2 * n, &p->permit, sizeof(p->permit));
			memcpy(e->key_end + 2 * n, &p->permit, sizeof(p->permit));
		}
	}
	return true;
}
