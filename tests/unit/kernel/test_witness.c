/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: policy/ir/evaluate.c
 * LINK: $(COMPILER_PARTS) policy/ir/elements.c policy/ir/skeleton/%.c policy/ir/names.c
 * LINK: appliance/enforce/witness_box.c appliance/enforce/witness.c
 * LINK: appliance/enforce/witness_edges.c
 * LINK: appliance/enforce/walk.c appliance/enforce/expect.c appliance/kernel/ruleset.c
 * LINK: appliance/kernel/image.c
 * LINK: appliance/kernel/batch.c appliance/kernel/rule.c appliance/kernel/expr.c
 * LINK: appliance/kernel/apart.c appliance/kernel/talk.c appliance/base/clock.c
 * LINK: appliance/wire/reason.c
 * LIBS: libnftnl libmnl nettle
 */
/* A policy read back as the kernel would dump it agrees with the policy. Everything that opens a
 * chain or changes an element is noticed. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "tests/unit/kernel/loaded.h"

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

/* Two conduits, one each way, with the same port at both ends: which permit judged a datagram is
 * looked up in either direction. Then one back to any port, inspected or not: after a session has
 * ended, its other end may go on by that one. */
static void both_ends_may_ask(void **state)
{
	(void)state;
	for (int round = 0; round < 6; round++) {
		static struct loaded l;
		struct model_zone *office, *ot;
		struct model_service *service[2], *any;
		struct told t;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		maker_interface(&l.k, "lan0");
		maker_interface(&l.k, "lan1");
		office = maker_zone(&l.k, "office", "lan0", "10.10.0.0/16 2001:db8:10::/48");
		ot = maker_zone(&l.k, "ot", "lan1", "10.30.0.0/16 2001:db8:30::/48");
		for (int i = 0; i < 2; i++) {
			service[i] = maker_service(&l.k, i == 0 ? "watch" : "tell", PROTO_BACNET, "udp/47808");
			maker_allow(&l.k, service[i], i == 0 ? CLASS_READ : CLASS_CONTROL, 0, 99);
			service[i]->allows[0].row.spaces_any = service[i]->allows[0].row.targets[0].any = true;
			service[i]->allows[0].row.n_spaces = 0;
		}
		maker_conduit(&l.k, "c", office, ot, "", "", service[0]);
		any = maker_service(&l.k, "any", round < 4 ? PROTO_UDP : PROTO_SNMP, "udp/1-65535");
		maker_conduit(&l.k, "d", ot, office, "", "", round < 2 ? service[1] : any);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, round % 2 == 0 ? LACKS_NOTHING : LACKS_QUEUE);
		if (ask(&l, &t) != 0)
			fail_msg("%s", t.first);
		loaded_close(&l);
	}
}

/* The changes that open most: each of them alone must be noticed. */
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
		/* Each of the two chains behind the queues decides by itself, so both are
		 * opened. */
		for (size_t k = 0; k < l.rules.n_chains; k++) {
			if (strcmp(l.rules.chains[k].name, base[i / 3]) == 0)
				c = &l.rules.chains[k];
			else if (strcmp(l.rules.chains[k].name, strcmp(base[i / 3], "post") == 0 ? "last" : "post") ==
					 0 &&
				 (strcmp(base[i / 3], "post") == 0 || strcmp(base[i / 3], "last") == 0))
				l.rules.chains[k].base = false;
		}
		assert_non_null(c);
		/* A rule at the top that accepts; the chain missing; its rules missing and its
		 * policy accept. */
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

/* A permit is missing in this set, or does not belong there: the sessions of an opener and its
 * companion would go to different workers, or unrelated sessions to the same one. */
static void who_stays_together_is_noticed(void **state)
{
	struct told t;

	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		static struct loaded l;
		struct set_read *s;
		size_t i = 0;

		memset(&l, 0, sizeof(l));
		maker_init(&l.k);
		every_lane(&l.k);
		assert_true(maker_lower(&l.k));
		loaded_open(&l, how % 2 == 0 ? LACKS_NOTHING : LACKS_QUEUE);
		while (strcmp(l.rules.sets[i].name, "together") != 0)
			i++;
		s = &l.rules.sets[i];
		assert_int_equal(s->n, 1);
		if (how == 1) {
			s->n = 0;
		} else if (how == 2) {
			s->list[0].key[0] ^= 1;
			s->list[0].key[4] ^= 1;
		}
		if (how > 0)
			ruleset_done(&l.rules);
		assert_int_equal(ask(&l, &t) > 0, how > 0);
		loaded_close(&l);
	}
}

static void changed_elements_are_noticed(void **state)
{
	unsigned seed = seed_of(), tried = 0, noticed = 0;
	struct told t;

	(void)state;
	for (int round = 0; tried < 20 && round < 2000; round++) {
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
		if (s->n > 0 &&
		    (s->verdicts || s->map || strcmp(s->name, "agree") == 0 || strcmp(s->name, "together") == 0)) {
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
	assert_int_equal(tried, 20);
	/* Usually nine of ten are noticed. Removing an element changes nothing if another one
	 * covers its contents, and a seed may draw several of these. */
	assert_true(noticed * 2 >= tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_agrees),	cmocka_unit_test(both_ends_may_ask),
		cmocka_unit_test(whatever_opens_is_noticed),	cmocka_unit_test(who_stays_together_is_noticed),
		cmocka_unit_test(changed_elements_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
