/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy read back as the kernel would dump it after the messages that load it; for tests of the
 * witness. The seed is printed; SEED=n repeats it.
 */
#ifndef SEKISHO_TESTS_UNIT_KERNEL_LOADED_H
#define SEKISHO_TESTS_UNIT_KERNEL_LOADED_H

#include "tests/unit/cmocka.h"

#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/enforce/witness.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/image.h"
#include "tests/unit/policy/model_make.h"

#define PERMITS 512u
#define NOW 1000u

struct loaded {
	struct model_maker k;
	uint32_t ids[PERMITS], indexes[16];
	struct arena *arena;
	struct ruleset rules;
	struct witness w;
};

static inline void messages(struct loaded *l, const struct batch *b)
{
	size_t at = 0;

	assert_false(b->failed);
	for (uint32_t i = 0; i < b->n; i++) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(b->p + at);

		ruleset_take(&l->rules, h);
		at += batch_aligned(h->nlmsg_len);
	}
	ruleset_done(&l->rules);
	assert_false(l->rules.failed);
}

static inline void load(struct loaded *l, enum kernel_lack q)
{
	struct expectation x = { .ir = l->k.c.ir, .ids = l->ids, .interfaces = l->indexes, .now = NOW };
	struct batch *b = batch_new(0);
	struct image i;
	struct err e = { 0 };

	assert_non_null(b);
	l->arena = arena_new(256u << 20);
	image_init(&i, l->arena);
	assert_int_equal(image_expect(&i, &x, &e), 0);
	image_sort(&i);
	batch_table(b, false);
	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		if (i.chains[c])
			batch_chain(b, c);
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		batch_set(b, s);
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		for (size_t n = 0; n < i.elements[s].n; n++)
			batch_element_add(b, s, &i.elements[s].list[n], (uint64_t)NOW * 1000);
	for (size_t n = 0; n < x.n_rules; n++) {
		struct nftnl_rule *rules[RULE_FAN];
		int made = rule_build(&x.rules[n], q, rules);

		assert_true(made >= 0);
		for (int r = 0; r < made; r++) {
			batch_rule(b, rules[r], 0);
			rule_free(rules[r]);
		}
	}
	ruleset_init(&l->rules, l->arena);
	messages(l, b);
	batch_free(b);
	l->w = (struct witness){ .ir = l->k.c.ir, .ids = l->ids, .interfaces = l->indexes, .now = NOW, .seed = 7 };
}

/* The demonstration site, with every failure decision and every kind of lane. */
static inline void every_lane(struct model_maker *k)
{
	maker_site(k);
	maker_together(k);
	for (uint32_t i = 0; i < k->m.n_conduits; i++) {
		k->m.conduits[i].when_down = (enum failure)(i % 3);
		k->m.conduits[i].when_overloaded = (enum failure)(i / 2 % 3);
	}
}

static inline void loaded_open(struct loaded *l, enum kernel_lack q)
{
	struct ir *ir = l->k.c.ir;

	assert_true(ir->n_permits < PERMITS && ir->n_interfaces < 16);
	for (uint32_t i = 0; i < ir->n_permits; i++)
		l->ids[i] = 100 + i;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		l->indexes[i] = 3 + 2 * i;
	load(l, q);
}

static inline void loaded_close(struct loaded *l)
{
	arena_free(l->arena);
	maker_free(&l->k);
}

struct told {
	unsigned n;
	char first[400];
};

static inline void hear(void *ctx, const char *what, const char *packet)
{
	struct told *t = ctx;

	if (t->n++ == 0)
		snprintf(t->first, sizeof(t->first), "%s: %s", what, packet);
}

static inline unsigned ask(struct loaded *l, struct told *t)
{
	*t = (struct told){ 0 };
	witness_ask(&l->w, &l->rules, hear, t);
	return t->n;
}

static inline unsigned seed_of(void)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	print_message("SEED=%u\n", seed);
	return seed;
}

#endif
