/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: tests/unit/policy/model_make.c policy/compile/lower.c policy/compile/exposure.c policy/space/cells.c policy/space/boxes.c
 * LINK: policy/space/intern.c policy/compile/permits.c policy/compile/commands.c policy/space/prove.c
 * LINK: policy/space/costs.c policy/space/prove_text.c policy/space/passes.c policy/ir/evaluate.c policy/ir/skeleton.c policy/ir/elements.c policy/ir/names.c
 * LINK: appliance/enforce/witness_box.c appliance/enforce/witness.c appliance/enforce/witness_edges.c appliance/enforce/walk.c appliance/enforce/expect.c appliance/kernel/ruleset.c appliance/kernel/ruleset_expr.c
 * LINK: appliance/kernel/image.c appliance/kernel/batch.c appliance/kernel/rule.c appliance/kernel/expr.c
 * LINK: appliance/kernel/talk.c appliance/base/addr.c appliance/base/arena.c appliance/base/bytes.c
 * LINK: appliance/base/clock.c appliance/base/diag.c appliance/base/err.c appliance/base/messages.c
 * LINK: appliance/base/sha256.c appliance/wire/commands.c appliance/wire/protocols.c appliance/wire/reason.c
 * LINK: appliance/wire/vocabulary.c policy/ir/objects.c policy/ir/seal.c appliance/wire/settings.c
 * LIBS: libnftnl libmnl nettle
 */
/*
 * The messages that would load a policy, read back as the kernel would dump them, agree with the policy; and whatever is
 * changed in them is noticed. The seed is printed; SEED=n repeats it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/enforce/witness.h"
#include "appliance/kernel/batch_private.h"
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

static void messages(struct loaded *l, const struct batch *b)
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

static void load(struct loaded *l, enum kernel_lack q)
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
	batch_table(b);
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
		int made = rule_build(&x.rules[n], x.ir->workers, q, rules);

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

/* The demonstration site, with every failure decision and kind of lane in it. */
static void every_lane(struct model_maker *k)
{
	maker_site(k);
	for (uint32_t i = 0; i < k->m.n_conduits; i++) {
		k->m.conduits[i].when_down = (enum failure)(i % 3);
		k->m.conduits[i].when_overloaded = (enum failure)(i / 2 % 3);
	}
}

static void loaded_open(struct loaded *l, enum kernel_lack q)
{
	struct ir *ir = l->k.c.ir;

	ir->workers = 2;
	assert_true(ir->n_permits < PERMITS && ir->n_interfaces < 16);
	for (uint32_t i = 0; i < ir->n_permits; i++)
		l->ids[i] = 100 + i;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		l->indexes[i] = 3 + 2 * i;
	load(l, q);
}

static void loaded_close(struct loaded *l)
{
	arena_free(l->arena);
	maker_free(&l->k);
}

struct told {
	unsigned n;
	char first[400];
};

static void hear(void *ctx, const char *what, const char *packet)
{
	struct told *t = ctx;

	if (t->n++ == 0)
		snprintf(t->first, sizeof(t->first), "%s: %s", what, packet);
}

static unsigned ask(struct loaded *l, struct told *t)
{
	*t = (struct told){ 0 };
	witness_ask(&l->w, &l->rules, hear, t);
	return t->n;
}

static unsigned seed_of(void)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	print_message("SEED=%u\n", seed);
	return seed;
}

static void what_is_loaded_agrees(void **state)
{
	unsigned seed = seed_of();
	uint64_t packets = 0;
	struct told t;

	(void)state;
	for (int round = 0; round < 25; round++) {
		static struct loaded l;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		if (round == 0)
			maker_site(&l.k);
		else
			maker_random(&l.k, &seed);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, round % 2 == 0 ? LACKS_NOTHING : LACKS_QUEUE);
		if (ask(&l, &t) != 0)
			fail_msg("round %d: %s", round, t.first);
		packets += l.w.packets;
		loaded_close(&l);
	}
	print_message("%llu packets\n", (unsigned long long)packets);
	assert_true(packets > 50000);
}

/* ---- mutants ------------------------------------------------------------------------------------------------------ */

/* Expressions that decide nothing: a change there is for the comparison of texts. */
static bool only_records(const struct rule_read *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->ops[i].kind == OP_VERDICT || r->ops[i].kind == OP_QUEUE || r->ops[i].kind == OP_META_SET ||
		    r->ops[i].kind == OP_CT_SET || (r->ops[i].kind == OP_LOOKUP && r->ops[i].to == VERDICT_REGISTER))
			return false;
	return true;
}

struct mutant {
	const char *kind, *chain;
	size_t rule, op;
};

static void flip(uint8_t *p, uint32_t len, unsigned r)
{
	if (len > 0)
		p[r / 8 % len] ^= (uint8_t)(1u << r % 8);
}

/* Changes one expression; NULL when that kind has nothing to change. */
static const char *mutate_op(struct op *o, unsigned r)
{
	switch (o->kind) {
	case OP_CMP:
		if (r % 3 == 0) {
			o->key = o->key == NFT_CMP_EQ ? NFT_CMP_NEQ : NFT_CMP_EQ;
			return "comparison turned round";
		}
		flip(o->data, o->len, r / 3);
		return "compared with something else";
	case OP_BITWISE:
		flip(r % 2 ? o->mask : o->data, o->len, r / 2);
		return "other bits";
	case OP_LOOKUP:
		o->inverted = !o->inverted;
		return "lookup turned round";
	case OP_VERDICT:
		o->verdict = o->verdict == NF_DROP ? NF_ACCEPT : NF_DROP;
		return "another verdict";
	case OP_PAYLOAD:
		o->offset += 1;
		return "another place in the packet";
	case OP_QUEUE:
		if (r % 2)
			o->bypass = !o->bypass;
		else
			o->queue += 8;
		return "another queue";
	case OP_VALUE:
		flip(o->data, o->len, r);
		return "another value";
	case OP_META:
		o->key = o->key == NFT_META_IIF ? NFT_META_OIF : NFT_META_IIF;
		return "another property of the packet";
	case OP_CT:
		o->key = o->key == NFT_CT_MARK ? NFT_CT_STATE : NFT_CT_MARK;
		return "another property of the session";
	case OP_UNKNOWN:
	case OP_META_SET:
	case OP_CT_SET:
	case OP_FIB:
	case OP_PASS:
	case OP_CROWD:
		break;
	}
	return NULL;
}

static struct chain_read *some_chain(struct ruleset *r, unsigned n)
{
	for (size_t i = 0; i < r->n_chains; i++) {
		struct chain_read *c = &r->chains[(n + i) % r->n_chains];

		if (c->n > 0)
			return c;
	}
	return NULL;
}

/* What comes into play only when a limit is reached; a box at rest is what is asked about. */
static bool only_limits(const char *chain)
{
	static const char *const names[] = { "pace", "again", "share", "full_pair", "full_zone" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(chain, names[i]) == 0)
			return true;
	return false;
}

/* One change of the rules as they were read; false when the draw has nothing to change. */
static bool mutate_rule(struct ruleset *rules, unsigned *seed, struct mutant *m)
{
	struct chain_read *c = some_chain(rules, (unsigned)rand_r(seed));
	size_t n = (size_t)rand_r(seed) % c->n;
	struct rule_read *r = &c->rules[n];
	unsigned kind = (unsigned)rand_r(seed) % 8;

	*m = (struct mutant){ "", c->name, n, 0 };
	if (only_records(r) || r->n == 0 || only_limits(c->name))
		return false;
	if (kind == 0) {
		m->kind = "rule deleted";
		memmove(r, r + 1, (c->n - n - 1) * sizeof(*r));
		c->n--;
		return true;
	}
	m->op = (size_t)rand_r(seed) % r->n;
	if (kind == 1) {
		if (r->ops[m->op].kind == OP_PASS || r->ops[m->op].kind == OP_CROWD)
			return false;
		m->kind = "expression deleted";
		memmove(&r->ops[m->op], &r->ops[m->op + 1], (r->n - m->op - 1) * sizeof(*r->ops));
		r->n--;
		return true;
	}
	m->kind = mutate_op(&r->ops[m->op], (unsigned)rand_r(seed));
	return m->kind != NULL;
}

static void changed_rules_are_noticed(void **state)
{
	unsigned seed = seed_of(), tried = 0, noticed = 0;
	struct told t;

	(void)state;
	for (int round = 0; round < 250; round++) {
		static struct loaded l;
		struct mutant m;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		every_lane(&l.k);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, LACKS_NOTHING);
		if (mutate_rule(&l.rules, &seed, &m)) {
			tried++;
			if (ask(&l, &t) > 0)
				noticed++;
			else
				print_message("not noticed: %s, chain %s, rule %zu, expression %zu\n", m.kind, m.chain,
					      m.rule, m.op);
		}
		loaded_close(&l);
	}
	print_message("%u of %u mutants noticed\n", noticed, tried);
	/* What is left is refused by another chain all the same, or changes nothing that a packet could show. */
	assert_true(tried > 80);
	assert_true(noticed * 10 >= tried * 7);
}

/* What opens most: each of these alone must be seen. */
static void whatever_opens_is_noticed(void **state)
{
	static const char *const base[] = { "guard", "input", "forward", "post", "last", "output" };
	struct told t;

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(base) / sizeof(base[0]); i++) {
		static struct loaded l;
		static struct op accept = { .kind = OP_VERDICT, .verdict = NF_ACCEPT, .name = "" };
		static struct rule_read all = { .ops = &accept, .n = 1 };
		struct chain_read *c = NULL;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		every_lane(&l.k);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, LACKS_NOTHING);
		/* Of the two chains behind the queues each decides alone, so both are opened. */
		for (size_t k = 0; k < l.rules.n_chains; k++) {
			if (strcmp(l.rules.chains[k].name, base[i / 3]) == 0)
				c = &l.rules.chains[k];
			else if (strcmp(l.rules.chains[k].name, strcmp(base[i / 3], "post") == 0 ? "last" : "post") ==
					 0 &&
				 (strcmp(base[i / 3], "post") == 0 || strcmp(base[i / 3], "last") == 0))
				l.rules.chains[k].base = false;
		}
		assert_non_null(c);
		/* A rule at the top; the chain gone; its rules gone and its policy accept. */
		if (i % 3 == 0)
			c->rules[0] = all;
		else if (i % 3 == 1)
			c->base = false;
		else
			*c = (struct chain_read){ c->name, true, c->hook, c->priority, NF_ACCEPT, NULL, 0, 0 };
		if (ask(&l, &t) == 0)
			fail_msg("chain %s, change %zu", base[i / 3], i % 3);
		loaded_close(&l);
	}
}

static void changed_elements_are_noticed(void **state)
{
	unsigned seed = seed_of(), tried = 0, noticed = 0;
	struct told t;

	(void)state;
	for (int round = 0; round < 120; round++) {
		static struct loaded l;
		struct set_read *s;
		struct element_read *e;
		size_t at;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		every_lane(&l.k);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, LACKS_NOTHING);
		s = &l.rules.sets[(size_t)rand_r(&seed) % l.rules.n_sets];
		if (s->n > 0 && (s->verdicts || s->map || strcmp(s->name, "agree") == 0)) {
			at = (size_t)rand_r(&seed) % s->n;
			e = &s->list[at];
			if (round % 3 == 0) {
				memmove(e, e + 1, (s->n - at - 1) * sizeof(*e));
				s->n--;
			} else if (s->verdicts) {
				e->verdict = e->verdict == NF_ACCEPT ? NF_DROP : NF_ACCEPT;
			} else if (s->map) {
				e->data ^= 1u;
			} else {
				e->key[0] ^= 0x80;
				ruleset_done(&l.rules);
			}
			tried++;
			if (ask(&l, &t) > 0)
				noticed++;
			else
				print_message("not noticed: set %s, element %zu, round %d\n", s->name, at, round);
		}
		loaded_close(&l);
	}
	print_message("%u of %u mutants noticed\n", noticed, tried);
	assert_true(tried > 15);
	assert_true(noticed * 10 >= tried * 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_agrees),
		cmocka_unit_test(whatever_opens_is_noticed),
		cmocka_unit_test(changed_rules_are_noticed),
		cmocka_unit_test(changed_elements_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
