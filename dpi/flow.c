/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/wire/silence.h"
#include "dpi/keyed.h"

/*
 * How long a flow without packets is remembered. Packets of a flow whose protocol is confirmed do
 * not come to the worker, so its silence means nothing: after this time it is only one of the first
 * to be removed when room is needed. A live session is remembered for longer than the kernel tracks
 * it (five days). Otherwise a host could be silent until its worker has forgotten the position of
 * the stream, and then go on unjudged.
 */
static const uint64_t idle_ns[FLOW_CLASSES] = {
	[CLASS_ENDED] = UINT64_MAX,
	[CLASS_HALF_OPEN] = 30u * SECOND_NS,
	[CLASS_SILENT] = 6u * 24u * 3600u * SECOND_NS,
	[CLASS_DATAGRAM] = SILENCE_S * SECOND_NS,
	[CLASS_NAMED] = 24u * 3600u * SECOND_NS,
	[CLASS_LIVE] = 6u * 24u * 3600u * SECOND_NS,
};

bool flow_init(struct flow_table *t, uint32_t slots)
{
	uint32_t buckets = 1;

	memset(t, 0, sizeof(*t));
	if (slots == 0 || slots > 1u << 24)
		return false;
	while (buckets < slots)
		buckets *= 2;
	/* pages are touched when a slot is first used */
	t->flows = calloc(slots, sizeof(*t->flows));
	t->buckets = malloc(buckets * sizeof(*t->buckets));
	if (!share_init(&t->holders, slots + 1u) || t->flows == NULL || t->buckets == NULL ||
	    getrandom(t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed)) {
		flow_done(t);
		return false;
	}
	memset(t->buckets, 0xff, buckets * sizeof(*t->buckets));
	t->mask = buckets - 1;
	t->size = slots;
	t->free = FLOW_NONE;
	for (unsigned s = 0; s < SHARES; s++)
		for (unsigned i = 0; i < FLOW_CLASSES; i++)
			t->lists[s][i] = (struct flow_list){ FLOW_NONE, FLOW_NONE, 0 };
	flow_divide(t, 0, true);
	return true;
}

void flow_done(struct flow_table *t)
{
	free(t->flows);
	free(t->buckets);
	share_done(&t->holders);
	memset(t, 0, sizeof(*t));
}

void flow_divide(struct flow_table *t, uint32_t used, bool whole)
{
	share_divide(t->size, used, whole, t->part);
}

struct flow *flow_at(const struct flow_table *t, uint32_t f)
{
	return &t->flows[f];
}

/* Both ends are hashed separately and added, so that both directions have the same bucket. The hash
 * is keyed, so that an attacker cannot choose a bucket. */
static uint64_t hash_end(const struct flow_table *t, const struct addr *a, uint16_t port)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	return keyed_mix(keyed_mix(w[0] ^ t->seed[0], w[1] ^ t->seed[1] ^ port) ^ t->seed[1],
			 t->seed[0] ^ (port * 0x9e3779b97f4a7c15u));
}

static uint32_t bucket_of(const struct flow_table *t, uint8_t l4proto, const struct addr *a, uint16_t a_port,
			  const struct addr *b, uint16_t b_port)
{
	uint64_t h = hash_end(t, a, a_port) + hash_end(t, b, b_port);

	return (uint32_t)(keyed_mix(h ^ l4proto, t->seed[0] | 1u) & t->mask);
}

/* ICMP has no ports; its `dport` is type and code, which a flow does not distinguish. So all ICMP
 * between two hosts is one flow. */
static uint16_t dport_of(const struct decoded *d)
{
	return d->l4proto == IP_TCP || d->l4proto == IP_UDP ? d->dport : 0;
}

/* Whether the packet belongs to this flow, in this direction of it. */
static bool is_of(const struct flow *f, const struct decoded *d, enum direction dir)
{
	uint16_t from = dir == DIR_C2S ? f->client_port : f->server_port;
	uint16_t to = dir == DIR_C2S ? f->server_port : f->client_port;

	return f->l4proto == d->l4proto && from == d->sport && to == dport_of(d) &&
	       addr_cmp(dir == DIR_C2S ? &f->client : &f->server, &d->src) == 0 &&
	       addr_cmp(dir == DIR_C2S ? &f->server : &f->client, &d->dst) == 0;
}

uint32_t flow_find_of(const struct flow_table *t, const struct decoded *d, enum direction dir)
{
	uint32_t i = t->buckets[bucket_of(t, d->l4proto, &d->src, d->sport, &d->dst, dport_of(d))];

	while (i != FLOW_NONE && !is_of(&t->flows[i], d, dir))
		i = t->flows[i].hash_next;
	return i;
}

uint32_t flow_find(const struct flow_table *t, const struct decoded *d, enum direction *ret_dir)
{
	uint32_t i = flow_find_of(t, d, DIR_C2S), back = i == FLOW_NONE ? flow_find_of(t, d, DIR_S2C) : FLOW_NONE;

	*ret_dir = back == FLOW_NONE ? DIR_C2S : DIR_S2C;
	return i != FLOW_NONE ? i : back;
}

static void list_put(struct flow_table *t, uint32_t i, enum flow_class class)
{
	struct flow *f = &t->flows[i];
	struct flow_list *l = &t->lists[f->share][class];

	f->class = (uint8_t) class;
	f->older = l->newest;
	f->newer = FLOW_NONE;
	if (l->newest != FLOW_NONE)
		t->flows[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
	l->n++;
}

static void list_take(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	struct flow_list *l = &t->lists[f->share][f->class];

	if (f->older != FLOW_NONE)
		t->flows[f->older].newer = f->newer;
	else
		l->oldest = f->newer;
	if (f->newer != FLOW_NONE)
		t->flows[f->newer].older = f->older;
	else
		l->newest = f->older;
	l->n--;
}

/* Appends the flow to the newest end of its holder's list. */
static void holder_put(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	struct holder *h = &t->holders.holders[f->holder];

	f->before = h->last;
	f->next = FLOW_NONE;
	if (h->last != FLOW_NONE)
		t->flows[h->last].next = i;
	else
		h->first = i;
	h->last = i;
}

static void holder_take(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	struct holder *h = &t->holders.holders[f->holder];

	if (f->before != FLOW_NONE)
		t->flows[f->before].next = f->next;
	else
		h->first = f->next;
	if (f->next != FLOW_NONE)
		t->flows[f->next].before = f->before;
	else
		h->last = f->before;
}

/* Adds the flow to a share and to its holder. There is one holder more than there are slots,
 * because a flow that moves may need a new holder before it leaves its old one. */
static void share_join(struct flow_table *t, uint32_t i, uint32_t share)
{
	struct flow *f = &t->flows[i];

	f->share = (uint8_t)share;
	t->in_share[share]++;
	f->holder = share_holder(&t->holders, share, &f->client, &f->server);
	share_book(&t->holders, f->holder, HELD_FLOWS, 1);
	holder_put(t, i);
}

static void share_leave(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];

	holder_take(t, i);
	t->in_share[f->share]--;
	share_book(&t->holders, f->holder, HELD_FLOWS, -1);
}

bool flow_full(const struct flow_table *t, uint32_t share)
{
	return t->in_share[share] >= t->part[share] || t->used == t->size;
}

uint32_t flow_add(struct flow_table *t, const struct decoded *d, enum direction dir, uint32_t share, uint64_t now_ns)
{
	uint32_t i, bucket;
	struct flow *f;

	if (t->free != FLOW_NONE) {
		i = t->free;
		t->free = t->flows[i].hash_next;
	} else if (t->fresh < t->size) {
		i = t->fresh++;
	} else {
		return FLOW_NONE;
	}
	f = &t->flows[i];
	memset(f, 0, sizeof(*f));
	f->client = dir == DIR_C2S ? d->src : d->dst;
	f->server = dir == DIR_C2S ? d->dst : d->src;
	f->client_port = dir == DIR_C2S ? d->sport : dport_of(d);
	f->server_port = dir == DIR_C2S ? dport_of(d) : d->sport;
	f->l4proto = d->l4proto;
	f->n = 1;
	f->name.slot = f->wait.first = SLOT_NONE;
	f->seen_ns = now_ns;
	bucket = bucket_of(t, d->l4proto, &d->src, d->sport, &d->dst, dport_of(d));
	f->hash_next = t->buckets[bucket];
	t->buckets[bucket] = i;
	share_join(t, i, share);
	list_put(t, i, CLASS_ENDED);
	t->used++;
	return i;
}

void flow_remove(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	uint32_t *at = &t->buckets[bucket_of(t, f->l4proto, &f->client, f->client_port, &f->server, f->server_port)];

	while (*at != i)
		at = &t->flows[*at].hash_next;
	*at = f->hash_next;
	list_take(t, i);
	share_leave(t, i);
	f->n = 0;
	f->hash_next = t->free;
	t->free = i;
	t->used--;
}

void flow_touch(struct flow_table *t, uint32_t i, enum flow_class class, uint64_t now_ns)
{
	struct flow *f = &t->flows[i];

	if (f->class == class && now_ns - f->seen_ns < SECOND_NS)
		return;
	f->seen_ns = now_ns;
	list_take(t, i);
	list_put(t, i, class);
	if (flow_live(t) > t->most)
		t->most = flow_live(t);
}

void flow_move(struct flow_table *t, uint32_t i, uint32_t share)
{
	struct flow *f = &t->flows[i];

	if (f->share == share)
		return;
	list_take(t, i);
	share_leave(t, i);
	share_join(t, i, share);
	list_put(t, i, (enum flow_class)f->class);
}

/* to make room, the greediest holder loses a flow if it has more than 1/8 of its share's slots */
#define HOLDER_PART 8u
/* if no class of flows makes room, the greediest holder loses a flow if it has more than 1/16 */
#define HOLDER_MANY 16u
/* neither HOLDER_PART nor HOLDER_MANY takes a flow of a holder with at most so many */
#define HOLDER_LEAST 4u
#define HOLDER_LOOKS 16u /* flows of a holder that are compared at a time */
/* a class with more than 1/4 of its share's slots loses flows even if all of them are recent */
#define CLASS_PART 4u
/* ns since the last packet: before that, a smaller class does not lose its oldest flow */
#define CLASS_SPARED SECOND_NS

uint32_t flow_heaviest(struct flow_table *t, uint32_t holder, uint32_t (*weight)(const struct flow *f))
{
	uint32_t best = t->holders.holders[holder].first, last = t->holders.holders[holder].last;

	if (best == FLOW_NONE)
		return FLOW_NONE;
	for (unsigned n = 0; n < HOLDER_LOOKS; n++) {
		uint32_t i = t->holders.holders[holder].first;

		if (weight(&t->flows[i]) > weight(&t->flows[best]))
			best = i;
		holder_take(t, i);
		holder_put(t, i);
		if (i == last)
			break;
	}
	return best;
}

static uint32_t cheapness(const struct flow *f)
{
	return FLOW_CLASSES - f->class;
}

/* A flow of the holder with most flows. FLOW_NONE if that holder has no more than one `part`-th of
 * the share's slots, or no more than HOLDER_LEAST flows. */
static uint32_t of_greediest(struct flow_table *t, uint32_t share, uint32_t part)
{
	uint32_t h = share_greediest(&t->holders, share, HELD_FLOWS), least = t->part[share] / part;

	if (h == HOLDER_NONE || t->holders.holders[h].held[HELD_FLOWS] <= (least > HOLDER_LEAST ? least : HOLDER_LEAST))
		return FLOW_NONE;
	return flow_heaviest(t, h, cheapness);
}

/* The oldest flow of the largest class, so that a flood of one kind displaces its own flows. */
static uint32_t of_largest_class(const struct flow_table *t, uint32_t share, uint64_t now_ns)
{
	const struct flow_list *largest = NULL;

	for (unsigned c = CLASS_ENDED + 1; c < CLASS_LIVE; c++) {
		const struct flow_list *l = &t->lists[share][c];

		if (l->n == 0 || (largest != NULL && l->n <= largest->n))
			continue;
		if (l->n > t->part[share] / CLASS_PART || now_ns - t->flows[l->oldest].seen_ns >= CLASS_SPARED)
			largest = l;
	}
	return largest == NULL ? FLOW_NONE : largest->oldest;
}

static uint32_t victim_in(struct flow_table *t, uint32_t share, uint64_t now_ns)
{
	uint32_t i = t->lists[share][CLASS_ENDED].oldest;

	if (i == FLOW_NONE)
		i = of_greediest(t, share, HOLDER_PART);
	if (i == FLOW_NONE)
		i = of_largest_class(t, share, now_ns);
	if (i == FLOW_NONE)
		i = of_greediest(t, share, HOLDER_MANY);
	if (i != FLOW_NONE)
		return i;
	i = t->lists[share][CLASS_LIVE].oldest;
	return i != FLOW_NONE && now_ns - t->flows[i].seen_ns >= FLOW_EVICT_IDLE ? i : FLOW_NONE;
}

uint32_t flow_victim(struct flow_table *t, uint32_t share, uint64_t now_ns)
{
	uint32_t most = 0, from = share;

	if (t->in_share[share] < t->part[share])
		for (uint32_t s = 0; s < SHARES; s++)
			if (t->in_share[s] > t->part[s] && t->in_share[s] - t->part[s] > most) {
				most = t->in_share[s] - t->part[s];
				from = s;
			}
	return victim_in(t, from, now_ns);
}

uint32_t flow_due(const struct flow_table *t, uint64_t now_ns)
{
	for (unsigned s = 0; s < SHARES; s++)
		for (unsigned c = CLASS_ENDED + 1; c < FLOW_CLASSES; c++) {
			uint32_t i = t->lists[s][c].oldest;

			if (i != FLOW_NONE && now_ns - t->flows[i].seen_ns >= idle_ns[c])
				return i;
		}
	return FLOW_NONE;
}

uint64_t flow_next_due(const struct flow_table *t)
{
	uint64_t due = UINT64_MAX;

	for (unsigned s = 0; s < SHARES; s++)
		for (unsigned c = CLASS_ENDED + 1; c < FLOW_CLASSES; c++) {
			uint32_t i = t->lists[s][c].oldest;

			if (i != FLOW_NONE && t->flows[i].seen_ns + idle_ns[c] < due)
				due = t->flows[i].seen_ns + idle_ns[c];
		}
	return due;
}

uint32_t flow_live(const struct flow_table *t)
{
	uint32_t ended = 0;

	for (unsigned s = 0; s < SHARES; s++)
		ended += t->lists[s][CLASS_ENDED].n;
	return t->used - ended;
}
