/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is learnt over days has limits: one kind of traffic is one entry however often it comes; of
 * too many kinds the most frequent stay, and the others are counted. Operations are kept with the
 * traffic to which they belong.
 *
 * LINK: mgmt/cli/learn/learnt.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>

#include "mgmt/cli/learn/learnt.h"

static struct addr host(uint32_t n)
{
	return (struct addr){ .family = 4, .b = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

static struct talk talk(uint32_t client, uint64_t sessions)
{
	return (struct talk){ .client = host(client),
			      .server = host(1),
			      .port = 502,
			      .l4proto = 6,
			      .protocol = PROTO_MODBUS,
			      .sessions = sessions };
}

static struct act act(uint32_t client, uint32_t function, uint64_t lowest, uint64_t highest)
{
	return (struct act){ .client = host(client),
			     .server = host(1),
			     .port = 502,
			     .l4proto = 6,
			     .protocol = PROTO_MODBUS,
			     .function = function,
			     .lowest = lowest,
			     .highest = highest,
			     .count = 1 };
}

static void one_kind_is_one_entry(void **state)
{
	struct learnt l = { 0 };
	struct talk t = talk(7, 1);
	struct act a;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		learnt_talk(&l, &t);
		a = act(7, 3, 500 - i % 100, 500 + i % 100);
		learnt_act(&l, &a);
		if (i % 30000 == 0)
			learnt_settle(&l);
	}
	learnt_settle(&l);
	assert_int_equal(l.n_talks, 1);
	assert_int_equal(l.talks[0].sessions, 100000);
	assert_int_equal(l.n_acts, 1);
	assert_int_equal(l.acts[0].count, 100000);
	assert_int_equal(l.acts[0].lowest, 401);
	assert_int_equal(l.acts[0].highest, 599);
	assert_int_equal(l.tally.talks_left + l.tally.acts_left, 0);
	learnt_free(&l);
}

/* A scanner makes many kinds of traffic with one session each, again and again. Frequent traffic
 * stays, and every session is counted. */
static void the_rarest_give_way(void **state)
{
	struct learnt l = { 0 };
	uint64_t put_in = 0, kept = 0;
	struct talk t;

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < LEARNT_TALKS; i++) {
			t = talk(1000000u * (round + 1) + i, 1);
			learnt_talk(&l, &t);
			put_in++;
		}
		for (uint32_t i = 0; i < 100; i++) {
			t = talk(i + 2, 5);
			learnt_talk(&l, &t);
			put_in += 5;
		}
		learnt_settle(&l);
		assert_int_equal(l.n_talks, LEARNT_TALKS);
	}
	for (size_t i = 0; i < l.n_talks; i++)
		kept += l.talks[i].sessions;
	for (uint32_t i = 0; i < 100; i++) {
		struct addr client = host(i + 2);

		assert_int_equal(addr_cmp(&l.talks[i].client, &client), 0);
		assert_int_equal(l.talks[i].sessions, 15);
	}
	assert_true(l.tally.talks_left > 0);
	assert_int_equal(kept + l.tally.talks_left, put_in);
	learnt_free(&l);
}

static void acts_lie_beside_their_talk(void **state)
{
	struct learnt l = { 0 };
	const struct act *acts;
	struct talk t;
	size_t n;

	(void)state;
	for (uint32_t client = 2; client < 50; client++) {
		t = talk(client, 1);
		learnt_talk(&l, &t);
		for (uint32_t f = 1; f <= client % 5; f++) {
			struct act a = act(client, f, f, f);

			learnt_act(&l, &a);
		}
	}
	learnt_settle(&l);
	for (size_t i = 0; i < l.n_talks; i++) {
		acts = learnt_acts_of(&l, &l.talks[i], &n);
		assert_int_equal(n, (i + 2) % 5);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(acts[k].function, k + 1);
			assert_int_equal(addr_cmp(&acts[k].client, &l.talks[i].client), 0);
		}
	}
	t = talk(999, 1);
	learnt_acts_of(&l, &t, &n);
	assert_int_equal(n, 0);
	learnt_free(&l);
}

/* A request over UDP is not taken for one over TCP, whatever the port. */
static void transports_are_apart(void **state)
{
	struct learnt l = { 0 };
	struct talk t = talk(7, 1);
	struct act a = act(7, 3, 1, 1);
	const struct act *acts;
	size_t n;

	(void)state;
	learnt_talk(&l, &t);
	a.l4proto = 6;
	learnt_act(&l, &a);
	t.l4proto = a.l4proto = 17;
	a.function = 16;
	learnt_talk(&l, &t);
	learnt_act(&l, &a);
	learnt_settle(&l);
	assert_int_equal(l.n_talks, 2);
	for (size_t i = 0; i < 2; i++) {
		acts = learnt_acts_of(&l, &l.talks[i], &n);
		assert_int_equal(n, 1);
		assert_int_equal(acts->l4proto, l.talks[i].l4proto);
		assert_int_equal(acts->function, l.talks[i].l4proto == 6 ? 3 : 16);
	}
	learnt_free(&l);
}

/* The addresses of each object in a space are a kind of their own. There is room for a limited
 * number of kinds; the others are counted. */
static void acts_are_bounded_between(void **state)
{
	struct learnt l = { 0 };
	uint64_t put_in = 0, kept = 0;
	struct act a;

	(void)state;
	for (uint32_t i = 0; i < 10u * LEARNT_ACTS; i++) {
		a = act(7, 3, i % 16, i % 16);
		a.thing = i % 2 == 0 ? 1 : i + 2u;
		learnt_act(&l, &a);
		put_in++;
		assert_true(l.n_acts <= 4u * LEARNT_ACTS);
	}
	learnt_settle(&l);
	assert_true(l.n_acts <= LEARNT_ACTS);
	for (size_t i = 0; i < l.n_acts; i++)
		kept += l.acts[i].count;
	assert_int_equal(kept + l.tally.acts_left, put_in);
	for (size_t i = 0; i < l.n_acts; i++)
		if (l.acts[i].thing == 1 && l.acts[i].count > 1) {
			assert_int_equal(l.acts[i].count, 5u * LEARNT_ACTS);
			assert_int_equal(l.acts[i].lowest, 0);
			assert_int_equal(l.acts[i].highest, 14);
			learnt_free(&l);
			return;
		}
	fail_msg("the most frequent kind is gone");
}

/* Of names that an attacker chose so that they collide in the table, only a few get a place, and
 * the others cost no time. Names with a place keep it, in the form in which they came first. */
static void names_are_bounded(void **state)
{
	static struct learnt l;
	char text[16];
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "n%u", i);
		learnt_name(&l, (uint64_t)i * LEARNT_NAMES + 5, text);
		learnt_name(&l, 1000 + i % 7, i < 7 ? text : "other");
	}
	for (unsigned i = 0; i < 100000; i++)
		kept += learnt_name_of(&l, (uint64_t)i * LEARNT_NAMES + 5) != NULL;
	assert_in_range(kept, 1, 64);
	assert_string_equal(learnt_name_of(&l, 5), "n0");
	assert_string_equal(learnt_name_of(&l, 1006), "n6");
	assert_null(learnt_name_of(&l, 1007));
	learnt_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_kind_is_one_entry),      cmocka_unit_test(the_rarest_give_way),
		cmocka_unit_test(acts_lie_beside_their_talk), cmocka_unit_test(transports_are_apart),
		cmocka_unit_test(acts_are_bounded_between),   cmocka_unit_test(names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
