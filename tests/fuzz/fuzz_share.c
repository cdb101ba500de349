/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the shares of pairs of hosts with a plain list. Pairs book and give back in any order.
 * The same pair must be the same holder as long as it has something; the sums must be those of the
 * list; the pair that is reported as the greediest must have most (there are fewer pairs than are
 * compared); and the table must be full only when the list is.
 *
 * LINK: dpi/share.c appliance/base/addr.c appliance/base/bytes.c
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/bytes.h"
#include "dpi/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 9u /* not a power of two, and fewer than there are pairs */
#define HOSTS 4u
#define PAIRS (SHARES * HOSTS * HOSTS)
#define STEPS 4000u

struct held_by {
	uint32_t holder;
	uint32_t held[HELD_KINDS];
	bool known;
};

static struct held_by list[PAIRS];

static void must(bool x)
{
	if (!x)
		abort();
}

static struct addr host(uint8_t n)
{
	struct addr a = { .family = n & 1 ? 6 : 4 };

	a.b[a.family == 4 ? 3 : 15] = n;
	return a;
}

static uint32_t sum(const struct held_by *h)
{
	return h->held[HELD_FLOWS] + h->held[HELD_BLOCKS] + h->held[HELD_WAITS];
}

static unsigned known(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAIRS; i++)
		n += list[i].known;
	return n;
}

static void book(struct share_table *t, struct held_by *h, enum held what, int32_t by)
{
	h->held[what] += (uint32_t)by;
	share_book(t, h->holder, what, by);
	if (sum(h) == 0)
		h->known = false;
}

static void check(const struct share_table *t)
{
	for (uint32_t s = 0; s < SHARES; s++)
		for (unsigned what = 0; what < HELD_KINDS; what++) {
			uint32_t most = 0, named = share_greediest(t, s, (enum held)what);
			const struct held_by *who = NULL;

			for (unsigned i = s * HOSTS * HOSTS; i < (s + 1) * HOSTS * HOSTS; i++) {
				if (!list[i].known)
					continue;
				most = list[i].held[what] > most ? list[i].held[what] : most;
				who = list[i].holder == named ? &list[i] : who;
				must(t->holders[list[i].holder].held[what] == list[i].held[what]);
			}
			must((most == 0) == (named == HOLDER_NONE));
			must(most == 0 || (who != NULL && who->held[what] == most));
		}
}

static void one_step(struct share_table *t, uint8_t pair, uint8_t what_by)
{
	uint32_t share = pair / (HOSTS * HOSTS) % SHARES;
	uint8_t a = pair % HOSTS, b = pair / HOSTS % HOSTS;
	struct held_by *h = &list[share * HOSTS * HOSTS + a * HOSTS + b];
	struct addr client = host(a), server = host((uint8_t)(HOSTS + b));
	enum held what = (enum held)(what_by % HELD_KINDS);
	uint32_t by = 1u + (what_by / HELD_KINDS & 7u) * (what_by / HELD_KINDS & 7u) * 11u;

	if (what_by & 0x80) { /* gives back, never more than the pair has */
		if (h->known && h->held[what] > 0)
			book(t, h, what, -(int32_t)(by < h->held[what] ? by : h->held[what]));
		return;
	}
	if (h->known) {
		must(share_holder(t, share, &client, &server) == h->holder);
	} else {
		bool full = known() == MOST;

		h->holder = share_holder(t, share, &client, &server);
		must((h->holder == HOLDER_NONE) == full);
		if (full)
			return;
		h->known = true;
		for (unsigned i = 0; i < PAIRS; i++)
			must(&list[i] == h || !list[i].known || list[i].holder != h->holder);
	}
	if (h->held[what] < 1u << 24)
		book(t, h, what, (int32_t)by);
}

static void divided(uint32_t size, uint32_t used, bool whole)
{
	uint32_t parts[SHARES], all = 0;

	share_divide(size, used, whole, parts);
	for (uint32_t s = 0; s < SHARES; s++) {
		must(parts[s] <= size || size == 0);
		must(parts[s] > 0 || (s != SHARE_OTHER && (used >> s & 1) == 0));
		all += whole ? 0 : parts[s];
	}
	must(whole || size < SHARES * SHARE_OTHER_PART || all <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	struct share_table t;
	uint8_t pair, what;

	memset(list, 0, sizeof(list));
	must(share_init(&t, MOST));
	for (unsigned n = 0; n < STEPS && bytes_u8(&b, &pair) && bytes_u8(&b, &what); n++) {
		one_step(&t, pair, what);
		check(&t);
		divided((uint32_t)pair << (what & 15u), what, pair & 1);
	}
	/* Everything is given back, and can be taken again. */
	for (unsigned i = 0; i < PAIRS; i++)
		for (unsigned k = 0; list[i].known && k < HELD_KINDS; k++)
			book(&t, &list[i], (enum held)k, -(int32_t)list[i].held[k]);
	must(known() == 0);
	check(&t);
	for (uint8_t i = 0; i < MOST; i++) {
		struct addr client = host(i), server = host(100);
		uint32_t h = share_holder(&t, 0, &client, &server);

		must(h != HOLDER_NONE);
		share_book(&t, h, HELD_FLOWS, 1);
	}
	share_done(&t);
	return 0;
}
