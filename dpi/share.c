/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/share.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dpi/keyed.h"

#define LOOKS 32u /* holders of one order of magnitude that are compared */

bool share_init(struct share_table *t, uint32_t most)
{
	uint32_t buckets = 1;

	memset(t, 0, sizeof(*t));
	while (buckets < most)
		buckets *= 2;
	/* pages are touched when a place is first used */
	t->holders = calloc(most, sizeof(*t->holders));
	t->buckets = malloc(buckets * sizeof(*t->buckets));
	if (t->holders == NULL || t->buckets == NULL ||
	    getrandom(t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed)) {
		share_done(t);
		return false;
	}
	memset(t->buckets, 0xff, buckets * sizeof(*t->buckets));
	memset(t->newest, 0xff, sizeof(t->newest));
	t->mask = buckets - 1;
	t->size = most;
	t->free = HOLDER_NONE;
	return true;
}

void share_done(struct share_table *t)
{
	free(t->holders);
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}

static uint32_t *bucket_of(const struct share_table *t, uint32_t share, const struct addr *client,
			   const struct addr *server)
{
	uint64_t h = keyed_mix(keyed_addr(t->seed, client) ^ t->seed[1], keyed_addr(t->seed, server) + share);

	return &t->buckets[h & t->mask];
}

static unsigned size_of(uint32_t held)
{
	return held == 0 ? 0 : 32u - (unsigned)__builtin_clz(held);
}

static void list_put(struct share_table *t, uint32_t h, enum held what)
{
	struct holder *me = &t->holders[h];
	uint32_t *head = &t->newest[me->share][what][size_of(me->held[what])];

	me->older[what] = *head;
	me->newer[what] = HOLDER_NONE;
	if (*head != HOLDER_NONE)
		t->holders[*head].newer[what] = h;
	*head = h;
}

static void list_take(struct share_table *t, uint32_t h, enum held what)
{
	struct holder *me = &t->holders[h];

	if (me->older[what] != HOLDER_NONE)
		t->holders[me->older[what]].newer[what] = me->newer[what];
	if (me->newer[what] != HOLDER_NONE)
		t->holders[me->newer[what]].older[what] = me->older[what];
	else
		t->newest[me->share][what][size_of(me->held[what])] = me->older[what];
}

uint32_t share_holder(struct share_table *t, uint32_t share, const struct addr *client, const struct addr *server)
{
	uint32_t *bucket = bucket_of(t, share, client, server);
	struct holder *me;
	uint32_t h;

	for (h = *bucket; h != HOLDER_NONE; h = t->holders[h].hash_next) {
		me = &t->holders[h];
		if (me->share == share && addr_cmp(&me->client, client) == 0 && addr_cmp(&me->server, server) == 0)
			return h;
	}
	if (t->free != HOLDER_NONE) {
		h = t->free;
		t->free = t->holders[h].hash_next;
	} else if (t->fresh < t->size) {
		h = t->fresh++;
	} else {
		return HOLDER_NONE;
	}
	me = &t->holders[h];
	*me = (struct holder){ .client = *client,
			       .server = *server,
			       .share = share,
			       .hash_next = *bucket,
			       .first = UINT32_MAX,
			       .last = UINT32_MAX };
	*bucket = h;
	for (unsigned what = 0; what < HELD_KINDS; what++)
		list_put(t, h, (enum held)what);
	return h;
}

static void give_back(struct share_table *t, uint32_t h)
{
	struct holder *me = &t->holders[h];
	uint32_t *at = bucket_of(t, me->share, &me->client, &me->server);

	for (unsigned what = 0; what < HELD_KINDS; what++)
		list_take(t, h, (enum held)what);
	while (*at != h)
		at = &t->holders[*at].hash_next;
	*at = me->hash_next;
	me->hash_next = t->free;
	t->free = h;
}

void share_book(struct share_table *t, uint32_t h, enum held what, int32_t by)
{
	struct holder *me = &t->holders[h];
	uint32_t now = me->held[what] + (uint32_t)by;

	if (size_of(now) != size_of(me->held[what])) {
		list_take(t, h, what);
		me->held[what] = now;
		list_put(t, h, what);
	}
	me->held[what] = now;
	if (me->held[HELD_FLOWS] == 0 && me->held[HELD_BLOCKS] == 0 && me->held[HELD_WAITS] == 0)
		give_back(t, h);
}

uint32_t share_greediest(const struct share_table *t, uint32_t share, enum held what)
{
	for (unsigned size = HELD_SIZES; size-- > 1;) {
		uint32_t best = t->newest[share][what][size], h = best;

		for (unsigned n = 0; h != HOLDER_NONE && n < LOOKS; n++, h = t->holders[h].older[what])
			if (t->holders[h].held[what] > t->holders[best].held[what])
				best = h;
		if (best != HOLDER_NONE)
			return best;
	}
	return HOLDER_NONE;
}

void share_divide(uint32_t size, uint32_t used, bool whole, uint32_t ret[SHARES])
{
	uint32_t other = size / SHARE_OTHER_PART, n = (uint32_t)__builtin_popcount(used & ((1u << SHARE_LANES) - 1u));

	for (uint32_t s = 0; s < SHARES; s++) {
		if (whole)
			ret[s] = size;
		else if (s == SHARE_OTHER)
			ret[s] = n == 0 ? size : other;
		else
			ret[s] = used >> s & 1 ? (size - other) / n : 0;
		if (ret[s] == 0 && (s == SHARE_OTHER || used >> s & 1))
			ret[s] = 1;
	}
}
