/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/learnt.h"

#include <stdlib.h>
#include <string.h>

#define COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

static int talk_cmp(const void *x, const void *y)
{
	const struct talk *a = x, *b = y;
	int r = addr_cmp(&a->client, &b->client);

	r = r != 0 ? r : addr_cmp(&a->server, &b->server);
	r = r != 0 ? r : COMPARE(a->l4proto, b->l4proto);
	r = r != 0 ? r : COMPARE(a->port, b->port);
	return r != 0 ? r : COMPARE(a->protocol, b->protocol);
}

/* Sorts by the talk first, so that the acts of one talk are neighbours. */
static int act_place(const struct act *a, const struct talk *t)
{
	int r = addr_cmp(&a->client, &t->client);

	r = r != 0 ? r : addr_cmp(&a->server, &t->server);
	r = r != 0 ? r : COMPARE(a->l4proto, t->l4proto);
	r = r != 0 ? r : COMPARE(a->port, t->port);
	return r != 0 ? r : COMPARE(a->protocol, t->protocol);
}

static int act_cmp(const void *x, const void *y)
{
	const struct act *a = x, *b = y;
	const struct talk of_b = { .client = b->client,
				   .server = b->server,
				   .port = b->port,
				   .l4proto = b->l4proto,
				   .protocol = b->protocol };
	int r = act_place(a, &of_b);

	for (size_t i = 0; i < TARGET_MAX && r == 0; i++)
		r = COMPARE(a->targets[i], b->targets[i]);
	r = r != 0 ? r : COMPARE(a->function, b->function);
	r = r != 0 ? r : COMPARE(a->half, b->half);
	r = r != 0 ? r : COMPARE(a->space, b->space);
	r = r != 0 ? r : COMPARE(a->unknown, b->unknown);
	r = r != 0 ? r : COMPARE(a->thing, b->thing);
	r = r != 0 ? r : COMPARE(a->exact, b->exact);
	r = r != 0 || !a->exact ? r : COMPARE(a->lowest, b->lowest);
	r = r != 0 || !a->exact ? r : COMPARE(a->highest, b->highest);
	return r != 0 ? r : COMPARE(a->turn, b->turn);
}

static uint32_t mix(uint32_t h, uint64_t v)
{
	h = (h ^ (uint32_t)v ^ (uint32_t)(v >> 32)) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static uint32_t act_hash(const struct act *a)
{
	uint32_t h = mix(mix(a->l4proto, a->port), a->protocol);

	for (size_t i = 0; i < sizeof(a->client.b); i++)
		h = mix(h, (uint64_t)a->client.b[i] << 8 | a->server.b[i]);
	for (size_t i = 0; i < TARGET_MAX; i++)
		h = mix(h, a->targets[i]);
	h = mix(mix(h, a->function), a->thing);
	if (a->exact)
		h = mix(mix(h, a->lowest), a->highest);
	return mix(h, (uint64_t)a->space << 16 | (uint64_t)a->turn << 8 | (uint64_t)a->half << 1 | a->unknown);
}

static void join_acts(struct act *a, const struct act *b)
{
	a->count += b->count;
	a->lowest = b->lowest < a->lowest ? b->lowest : a->lowest;
	a->highest = b->highest > a->highest ? b->highest : a->highest;
}

static int talk_rarer(const void *x, const void *y)
{
	const struct talk *a = x, *b = y;

	return a->sessions != b->sessions ? (a->sessions < b->sessions) - (a->sessions > b->sessions) : talk_cmp(x, y);
}

static int act_rarer(const void *x, const void *y)
{
	const struct act *a = x, *b = y;

	return a->count != b->count ? (a->count < b->count) - (a->count > b->count) : act_cmp(x, y);
}

void learnt_free(struct learnt *l)
{
	free(l->talks);
	free(l->acts);
	for (size_t i = 0; i < LEARNT_NAMES; i++)
		free(l->names[i].text);
	memset(l, 0, sizeof(*l));
}

static void *grown(void *items, size_t n, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 1024 : *room * 2;
	void *p = n < *room ? items : reallocarray(items, more, size);

	if (p != NULL && n == *room)
		*room = more;
	return p;
}

void learnt_talk(struct learnt *l, const struct talk *t)
{
	struct talk *p = grown(l->talks, l->n_talks, &l->talks_room, sizeof(*p));

	if (p == NULL) {
		l->failed = true;
		return;
	}
	l->talks = p;
	p[l->n_talks++] = *t;
}

static void settle_talks(struct learnt *l)
{
	size_t n = 0;

	if (l->n_talks == 0)
		return;
	qsort(l->talks, l->n_talks, sizeof(*l->talks), talk_cmp);
	for (size_t i = 1; i < l->n_talks; i++) {
		if (talk_cmp(&l->talks[n], &l->talks[i]) == 0) {
			l->talks[n].sessions += l->talks[i].sessions;
			l->talks[n].guessed += l->talks[i].guessed;
			l->talks[n].cut += l->talks[i].cut;
			l->talks[n].misfits += l->talks[i].misfits;
			if (l->talks[n].guess == PROTO_NONE)
				l->talks[n].guess = l->talks[i].guess;
			if (l->talks[n].undecided < l->talks[i].undecided)
				l->talks[n].undecided = l->talks[i].undecided;
		} else {
			l->talks[++n] = l->talks[i];
		}
	}
	l->n_talks = n + 1;
	if (l->n_talks <= LEARNT_TALKS)
		return;
	qsort(l->talks, l->n_talks, sizeof(*l->talks), talk_rarer);
	for (size_t i = LEARNT_TALKS; i < l->n_talks; i++)
		l->tally.talks_left += l->talks[i].sessions;
	l->n_talks = LEARNT_TALKS;
	qsort(l->talks, l->n_talks, sizeof(*l->talks), talk_cmp);
}

static void settle_acts(struct learnt *l)
{
	size_t n = 0;

	memset(l->fresh, 0, sizeof(l->fresh));
	if (l->n_acts == 0)
		return;
	qsort(l->acts, l->n_acts, sizeof(*l->acts), act_cmp);
	for (size_t i = 1; i < l->n_acts; i++) {
		struct act *a = &l->acts[n];
		const struct act *b = &l->acts[i];

		if (act_cmp(a, b) != 0) {
			l->acts[++n] = *b;
			continue;
		}
		join_acts(a, b);
	}
	l->n_acts = n + 1;
	if (l->n_acts <= LEARNT_ACTS)
		return;
	qsort(l->acts, l->n_acts, sizeof(*l->acts), act_rarer);
	for (size_t i = LEARNT_ACTS; i < l->n_acts; i++)
		l->tally.acts_left += l->acts[i].count;
	l->n_acts = LEARNT_ACTS;
	qsort(l->acts, l->n_acts, sizeof(*l->acts), act_cmp);
}

void learnt_act(struct learnt *l, const struct act *a)
{
	uint32_t *at = &l->fresh[act_hash(a) % LEARNT_FRESH];
	struct act *p;

	if (*at != 0 && act_cmp(&l->acts[*at - 1u], a) == 0) {
		join_acts(&l->acts[*at - 1u], a);
		return;
	}
	if (l->n_acts >= 4u * LEARNT_ACTS)
		settle_acts(l);
	p = grown(l->acts, l->n_acts, &l->acts_room, sizeof(*p));
	if (p == NULL) {
		l->failed = true;
		return;
	}
	l->acts = p;
	p[l->n_acts++] = *a;
	*at = (uint32_t)l->n_acts;
}

/* Largest number of places that are searched. If a stranger chooses names that collide, those that
 * find no place are not kept, so they cost little time. */
#define NEIGHBOURS 16u

void learnt_name(struct learnt *l, uint64_t digest, const char *text)
{
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		size_t at = (digest + i) % LEARNT_NAMES;

		if (l->names[at].text == NULL) {
			l->names[at].text = strdup(text);
			l->names[at].digest = digest;
			l->failed |= l->names[at].text == NULL;
			return;
		}
		if (l->names[at].digest == digest)
			return;
	}
}

const char *learnt_name_of(const struct learnt *l, uint64_t digest)
{
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		size_t at = (digest + i) % LEARNT_NAMES;

		if (l->names[at].text == NULL || l->names[at].digest == digest)
			return l->names[at].text;
	}
	return NULL;
}

void learnt_settle(struct learnt *l)
{
	settle_talks(l);
	settle_acts(l);
}

const struct act *learnt_acts_of(const struct learnt *l, const struct talk *t, size_t *ret_n)
{
	size_t lo = 0, hi = l->n_acts, n = 0;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (act_place(&l->acts[middle], t) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	while (lo + n < l->n_acts && act_place(&l->acts[lo + n], t) == 0)
		n++;
	*ret_n = n;
	return l->acts + lo;
}
