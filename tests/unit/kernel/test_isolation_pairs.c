/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of addresses that an isolation cuts: those of the order and those of the policy, each once.
 *
 * LINK: appliance/kernel/isolation_pairs.c appliance/kernel/apart.c policy/ir/isolation.c
 * LINK: policy/ir/meaning.c
 * LINK: appliance/kernel/image.c policy/ir/names.c appliance/base/arena.c
 * LINK: appliance/wire/msg.c appliance/base/memfd.c
 * LINK: appliance/base/addr.c appliance/base/bytes.c appliance/base/clock.c appliance/base/err.c
 * LINK: appliance/base/json.c appliance/base/sha256.c appliance/base/utf8.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <linux/netfilter.h>
#include <stdio.h>

#include "appliance/kernel/isolation_pairs.h"
#include "policy/ir/isolation.h"

/* An order with `n` pairs of hosts, each named `times` times. */
static json_t *order_of(unsigned n, unsigned times)
{
	json_t *pairs = json_array();

	for (unsigned k = 0; k < times; k++)
		for (unsigned i = 0; i < n; i++) {
			char from[32], to[32];

			snprintf(from, sizeof(from), "10.10.%u.%u", i >> 8, i & 255);
			snprintf(to, sizeof(to), "10.30.%u.%u", i >> 8, i & 255);
			json_array_append_new(pairs, json_pack("[s, s]", from, to));
		}
	return json_pack("[{s:s, s:o, s:[]}]", "what", "zones a b", "pairs", pairs, "keep");
}

static size_t pairs_of_order(unsigned n, unsigned times)
{
	static struct ir ir;
	const struct isolated_policy now = { &ir, NULL };
	json_t *list = order_of(n, times);
	struct apart cut = { .n = 0 }, kept = { .n = 0 };
	size_t pairs;

	assert_true(isolation_pairs(list, &now, NULL, &cut, &kept));
	pairs = cut.n;
	assert_int_equal(kept.n, 0);
	apart_free(&cut);
	json_decref(list);
	return pairs;
}

/* If there are more than APART_MOST pairs, whole zones are cut, which are only a few pairs. */
static void pairs_count_once(void **state)
{
	size_t once = pairs_of_order(5000, 1);

	(void)state;
	assert_true(once > 0);
	assert_int_equal(pairs_of_order(5000, 2), once);
	assert_int_equal(pairs_of_order(2, 3), pairs_of_order(2, 1));
	assert_true(pairs_of_order(8193, 1) < once);
}

static void expect_kept(const json_t *isolation, const char *name)
{
	const json_t *keep = json_object_get(isolation, "keep");

	assert_int_equal(json_array_size(keep), name != NULL);
	if (name != NULL)
		assert_string_equal(json_string_value(json_array_get(keep, 0)), name);
}

/* A conduit that was kept at the time of the order stays kept under another name, or with another
 * content, and not with both. A conduit that was not kept then is not kept later. */
static void kept_by_meaning(void **state)
{
	struct addr_range hosts[2] = { { { .family = 4, .b = { 10 } }, { .family = 4, .b = { 10 } } },
				       { { .family = 4, .b = { 11 } }, { .family = 4, .b = { 11 } } } };
	struct ir_conduit conduits[2] = {
		{ .name = "reads", .sources = &hosts[0], .n_sources = 1 },
		{ .name = "later", .destinations = &hosts[1], .n_destinations = 1 },
	};
	uint32_t keep[] = { 0, 1 };
	struct ir_isolation declared = { .name = "ot", .keep = keep, .n_keep = 1 };
	struct ir ir = { .conduits = conduits, .n_conduits = 2, .isolations = &declared, .n_isolations = 1 };
	json_t *isolation = json_pack("{s:s, s:[]}", "what", "ot", "keep");

	(void)state;
	assert_true(isolation_keeps(&ir, isolation, true));
	expect_kept(isolation, "reads");
	declared.n_keep = 2;
	assert_false(isolation_keeps(&ir, isolation, false));
	conduits[0].name = "renamed";
	assert_true(isolation_keeps(&ir, isolation, false));
	expect_kept(isolation, "renamed");
	conduits[0].sources = &hosts[1];
	assert_true(isolation_keeps(&ir, isolation, false));
	expect_kept(isolation, "renamed");
	conduits[0].name = "another";
	conduits[0].sources = &hosts[0];
	assert_true(isolation_keeps(&ir, isolation, false));
	expect_kept(isolation, NULL);
	/* without a declaration, the order's words stay */
	ir.n_isolations = 0;
	assert_false(isolation_keeps(&ir, isolation, false));
	json_decref(isolation);
}

/* Whether the isolations cut packets between these addresses. */
static bool cuts(const json_t *list, const char *from, const char *to)
{
	static uint32_t behind[2] = { 0, 1 };
	static struct ir_zone zones[2] = { { .name = "it", .interfaces = &behind[0], .n_interfaces = 1 },
					   { .name = "ot", .interfaces = &behind[1], .n_interfaces = 1 } };
	static struct ir_interface interfaces[] = { { .name = "lan" },
						    { .name = "crane" },
						    { .name = "desk", .admin = true } };
	static struct addr_range networks[2];
	struct ir ir = { .zones = zones, .n_zones = 2, .interfaces = interfaces, .n_interfaces = 3 };
	const struct isolated_policy now = { &ir, NULL };
	struct apart cut = { .n = 0 }, kept = { .n = 0 };
	struct addr a, b;
	bool any;

	assert_true(addr_range_parse("10.10.0.0/16", &networks[0]) && addr_range_parse("10.30.0.0/16", &networks[1]));
	for (unsigned i = 0; i < 2; i++) {
		zones[i].ranges = &networks[i];
		zones[i].n_ranges = 1;
	}
	assert_true(isolation_pairs(list, &now, NULL, &cut, &kept) && addr_parse(from, &a) && addr_parse(to, &b));
	any = apart_holds(&cut, &a, &b, 0);
	assert_true(any == apart_holds(&cut, &b, &a, 0));
	apart_free(&cut);
	apart_free(&kept);
	return any;
}

static json_t *isolated(const char *what)
{
	return json_pack("[{s:s, s:[], s:[]}]", "what", what, "pairs", "keep");
}

static bool cut_by(const char *what, const char *from, const char *to)
{
	json_t *list = isolated(what);
	bool any = cuts(list, from, to);

	json_decref(list);
	return any;
}

/* What the policy does not name. */
static void by_address_and_interface(void **state)
{
	struct ir ir = { 0 };

	(void)state;
	assert_true(cut_by("address 10.10.0.23", "10.10.0.23", "10.30.0.1"));
	assert_false(cut_by("address 10.10.0.23", "10.10.0.24", "10.30.0.1"));
	assert_true(cut_by("address 10.10.0.16/28", "10.10.0.23", "192.0.2.1"));
	assert_true(cut_by("address 2001:db8::7", "2001:db8::7", "2001:db8:1::1"));
	assert_false(cut_by("address 2001:db8::7", "2001:db8::8", "2001:db8:1::1"));
	assert_true(cut_by("interface lan", "10.10.0.23", "10.30.0.1"));
	assert_true(cut_by("interface lan", "192.0.2.1", "10.10.0.23"));
	assert_false(cut_by("interface lan", "192.0.2.1", "10.30.0.1"));
	assert_null(isolation_texts(&ir, "address 10.10.0"));
	assert_null(isolation_texts(&ir, "address "));
	assert_null(isolation_texts(&ir, "interface lan"));
	assert_null(isolation_texts(&ir, "interface desk"));
	assert_null(isolation_texts(&ir, "mac 02:00:00:00:00"));
	assert_null(isolation_texts(&ir, "mac 02:00:00:00:00:0G"));
	assert_null(isolation_texts(&ir, "mac 02:00:00:00:00-01"));
	assert_null(isolation_texts(&ir, "mac 01:00:5e:00:00:01")); /* a group */
	assert_int_equal(ir_isolated_mac("mac 02:00:00:00:00:1f"), 0x02000000001f);
}

#define NEIGHBOUR(last, mac_)                                                                                          \
	{                                                                                                              \
		{ .family = 4, .b = { 10, 10, 0, last } }, mac_                                                        \
	}

/* A MAC address keeps each address until another machine has it. */
static void by_mac_address(void **state)
{
	static const struct neighbour first[] = { NEIGHBOUR(1, 0x020000000001), NEIGHBOUR(2, 0x020000000002) },
				      leased[] = { NEIGHBOUR(7, 0x020000000001), NEIGHBOUR(2, 0x020000000002) },
				      moved[] = { NEIGHBOUR(7, 0x020000000001), NEIGHBOUR(1, 0x020000000002) };
	json_t *list = isolated("mac 02:00:00:00:00:01"), *one = json_array_get(list, 0),
	       *other = isolated("address 10.10.0.1");

	(void)state;
	assert_false(isolation_follows(json_array_get(other, 0), first, 2));
	json_decref(other);
	/* nothing is known of it yet */
	assert_false(isolation_follows(one, first + 1, 1));
	assert_false(cuts(list, "10.10.0.1", "10.30.0.1"));
	assert_true(isolation_follows(one, first, 2));
	assert_false(isolation_follows(one, first, 2));
	assert_true(cuts(list, "10.10.0.1", "10.30.0.1"));
	assert_false(cuts(list, "10.10.0.2", "10.30.0.1"));
	/* a new lease is cut, too; the old one until it is somebody else's */
	assert_true(isolation_follows(one, leased, 2));
	assert_true(cuts(list, "10.10.0.1", "10.30.0.1") && cuts(list, "10.10.0.7", "10.30.0.1"));
	assert_false(isolation_follows(one, NULL, 0));
	assert_true(isolation_follows(one, moved, 2));
	assert_true(cuts(list, "10.10.0.7", "10.30.0.1") && !cuts(list, "10.10.0.1", "10.30.0.1"));
	json_decref(list);
}

/* The rules ask the sets of isolated pairs only for families in SET_PARTED. */
static void families_are_noted(void **state)
{
	static const char *const ends[][2] = { { "10.10.0.1", "10.30.0.1" },
					       { "2001:db8:10::1", "2001:db8:30::1" },
					       { "2001:db8:10::2", "2001:db8:30::2" } };
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

	(void)state;
	for (unsigned some = 0; some < 4; some++) {
		struct arena *a = arena_new(1u << 20);
		struct apart x = { .n = 0 };
		struct image image;
		size_t n = 0;

		image_init(&image, a);
		for (unsigned i = 0; i < 3; i++) {
			struct apart_pair p = { .permit = 0 };

			if ((some >> (i > 0) & 1u) == 0)
				continue;
			assert_true(addr_parse(ends[i][0], &p.source.lo) && addr_parse(ends[i][1], &p.destination.lo));
			p.source.hi = p.source.lo;
			p.destination.hi = p.destination.lo;
			assert_true(apart_add(&x, &p));
		}
		assert_true(apart_image(&x, SET_APART4, &image) && apart_image(&x, SET_APART4_NEXT, &image));
		for (unsigned six = 0; six < 2; six++) {
			assert_int_equal(image.elements[SET_APART4 + six].n, (some >> six & 1u) * (1 + six));
			if ((some >> six & 1u) != 0)
				assert_int_equal(image.elements[SET_PARTED].list[n++].key[0], families[six]);
		}
		assert_int_equal(image.elements[SET_PARTED].n, n);
		apart_free(&x);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_count_once),	    cmocka_unit_test(kept_by_meaning),
		cmocka_unit_test(by_address_and_interface), cmocka_unit_test(by_mac_address),
		cmocka_unit_test(families_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
