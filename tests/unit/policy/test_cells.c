/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS)
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/space/boxes.h"
#include "policy/space/cells.h"
#include "tests/unit/policy/model_make.h"

static struct cells make(struct model_maker *k)
{
	struct cells c;

	assert_true(cells_make(&k->m, CELLS_APART, k->arena, &k->c.diags, &c));
	return c;
}

static void expect_cell(const struct cell *c, uint8_t layer, const char *src, const char *dst, uint8_t proto,
			unsigned lo, unsigned hi, uint32_t n_pairs, const struct cells *all)
{
	char text[2 * ADDR_TEXT];

	assert_int_equal(c->layer, layer);
	addr_range_text(&c->src, text, sizeof(text));
	assert_string_equal(text, src);
	addr_range_text(&c->dst, text, sizeof(text));
	assert_string_equal(text, dst);
	assert_int_equal(c->l4proto, proto);
	assert_int_equal(c->lo, lo);
	assert_int_equal(c->hi, hi);
	assert_int_equal(all->sets[c->set].n, n_pairs);
}

static void two_zones(struct model_maker *k, struct model_zone **a, struct model_zone **b)
{
	maker_init(k);
	maker_interface(k, "lan0");
	maker_interface(k, "lan1");
	maker_interface(k, "lan2");
	*a = maker_zone(k, "a", "lan0", "10.1.0.0/24 2001:db8:1::/64");
	*b = maker_zone(k, "b", "lan1", "10.2.0.0/24 2001:db8:2::/64");
}

static void overlap_is_cut_out(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells c;

	(void)state;
	two_zones(&k, &a, &b);
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	maker_conduit(&k, "all", a, b, "10.1.0.0/24", "10.2.0.0/24", s);
	maker_conduit(&k, "one", a, b, "10.1.0.7", "10.2.0.9", s);
	c = make(&k);
	assert_int_equal(c.n_sets, 2);
	/* The rest of the square around one point: below, above, and on both sides. */
	assert_int_equal(c.n, 5);
	expect_cell(&c.list[0], 0, "10.1.0.0-10.1.0.6", "10.2.0.0/24", 6, 502, 502, 1, &c);
	expect_cell(&c.list[1], 0, "10.1.0.7", "10.2.0.0-10.2.0.8", 6, 502, 502, 1, &c);
	expect_cell(&c.list[2], 0, "10.1.0.7", "10.2.0.9", 6, 502, 502, 2, &c);
	expect_cell(&c.list[3], 0, "10.1.0.7", "10.2.0.10-10.2.0.255", 6, 502, 502, 1, &c);
	expect_cell(&c.list[4], 0, "10.1.0.8-10.1.0.255", "10.2.0.0/24", 6, 502, 502, 1, &c);
	maker_free(&k);
}

static void a_pair_lies_over_a_range(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells c;

	(void)state;
	two_zones(&k, &a, &b);
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	maker_conduit(&k, "all", a, b, "10.1.0.0/24", "10.2.0.0/24", s);
	maker_conduit(&k, "corner", a, b, "10.1.0.0", "10.2.0.0", s);
	maker_conduit(&k, "one", a, b, "10.1.0.7", "10.2.0.9", s);
	maker_conduit(&k, "same", a, b, "10.1.0.7", "10.2.0.9", s);
	maker_conduit(&k, "row", a, b, "10.1.0.7", "10.2.0.0/24", s);
	assert_true(cells_make(&k.m, CELLS_OVER, k.arena, &k.c.diags, &c));
	assert_int_equal(c.n, 5);
	expect_cell(&c.list[0], 0, "10.1.0.0", "10.2.0.0", 6, 502, 502, 2, &c);
	expect_cell(&c.list[1], 0, "10.1.0.0-10.1.0.6", "10.2.0.0/24", 6, 502, 502, 1, &c);
	expect_cell(&c.list[2], 0, "10.1.0.7", "10.2.0.0/24", 6, 502, 502, 2, &c);
	expect_cell(&c.list[3], 0, "10.1.0.7", "10.2.0.9", 6, 502, 502, 4, &c);
	expect_cell(&c.list[4], 0, "10.1.0.8-10.1.0.255", "10.2.0.0/24", 6, 502, 502, 1, &c);
	maker_free(&k);
}

/* Two ranges that overlap in one point leave this point as a piece of its own, and there is a pair
 * of hosts at this point already. */
static void a_point_stands_once(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells c;
	size_t exact = 0;

	(void)state;
	two_zones(&k, &a, &b);
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	maker_conduit(&k, "row", a, b, "10.1.0.7", "10.2.0.0/24", s);
	maker_conduit(&k, "column", a, b, "10.1.0.0/24", "10.2.0.9", s);
	maker_conduit(&k, "one", a, b, "10.1.0.7", "10.2.0.9", s);
	assert_true(cells_make(&k.m, CELLS_OVER, k.arena, &k.c.diags, &c));
	for (size_t i = 0; i < c.n; i++)
		if (addr_cmp(&c.list[i].src.lo, &c.list[i].src.hi) == 0 &&
		    addr_cmp(&c.list[i].dst.lo, &c.list[i].dst.hi) == 0) {
			assert_int_equal(c.sets[c.list[i].set].n, 3);
			exact++;
		}
	assert_int_equal(exact, 1);
	maker_free(&k);
}

static void what_touches_is_one(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct cells c;

	(void)state;
	two_zones(&k, &a, &b);
	maker_conduit(&k, "c", a, b, "10.1.0.0/25 10.1.0.128/25", "10.2.0.0/25 10.2.0.128/25",
		      maker_service(&k, "s", PROTO_TCP, "tcp/1-9 tcp/10-20 tcp/5-12"));
	c = make(&k);
	assert_int_equal(c.n, 1);
	expect_cell(&c.list[0], 0, "10.1.0.0/24", "10.2.0.0/24", 6, 1, 20, 1, &c);
	maker_free(&k);
}

static void both_families_and_icmp(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct cells c;

	(void)state;
	two_zones(&k, &a, &b);
	maker_conduit(&k, "p", a, b, "", "", maker_service(&k, "ping", PROTO_ICMP, "icmp/8 icmp/0 icmp/13"));
	c = make(&k);
	assert_int_equal(c.n, 5);
	expect_cell(&c.list[0], 0, "10.1.0.0/24", "10.2.0.0/24", 1, 0, 0, 1, &c);
	expect_cell(&c.list[1], 0, "10.1.0.0/24", "10.2.0.0/24", 1, 8 << 8, 8 << 8, 1, &c);
	expect_cell(&c.list[2], 0, "10.1.0.0/24", "10.2.0.0/24", 1, 13 << 8, 13 << 8, 1, &c);
	expect_cell(&c.list[3], 0, "2001:db8:1::/64", "2001:db8:2::/64", 58, 128 << 8, 128 << 8, 1, &c);
	expect_cell(&c.list[4], 0, "2001:db8:1::/64", "2001:db8:2::/64", 58, 129 << 8, 129 << 8, 1, &c);
	maker_free(&k);
}

static void until_lies_over_the_base(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells c;

	(void)state;
	two_zones(&k, &a, &b);
	s = maker_service(&k, "s", PROTO_TLS, "tcp/443");
	maker_conduit(&k, "base", a, b, "10.1.0.0/25", "10.2.0.5", s);
	maker_conduit(&k, "vendor", a, b, "10.1.0.64/26", "10.2.0.5 10.2.0.6", s)->until = 5000;
	c = make(&k);
	assert_int_equal(c.n, 3);
	expect_cell(&c.list[0], 0, "10.1.0.0/25", "10.2.0.5", 6, 443, 443, 1, &c);
	expect_cell(&c.list[1], 1, "10.1.0.64/26", "10.2.0.5", 6, 443, 443, 2, &c);
	expect_cell(&c.list[2], 1, "10.1.0.64/26", "10.2.0.6", 6, 443, 443, 1, &c);
	maker_free(&k);
}

static void interfaces_are_crossed(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b, *z;
	struct cells c;
	bool seen[3][3] = { { false } };

	(void)state;
	two_zones(&k, &a, &b);
	z = maker_zone(&k, "z", "lan1 lan2", "10.3.0.0/24");
	maker_conduit(&k, "in", z, z, "", "", maker_service(&k, "s", PROTO_TCP, "tcp/1"));
	c = make(&k);
	assert_int_equal(c.n, 4);
	for (size_t i = 0; i < c.n; i++)
		seen[c.list[i].iif][c.list[i].oif] = true;
	assert_true(seen[1][1] && seen[1][2] && seen[2][1] && seen[2][2]);
	maker_free(&k);
}

/* The cells of a conduit do not depend on other conduits in another region that are written before
 * it. */
static void form_depends_on_the_region(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells one, two;

	(void)state;
	two_zones(&k, &a, &b);
	s = maker_service(&k, "s", PROTO_TCP, "tcp/100-200");
	maker_conduit(&k, "x", a, b, "10.1.0.0/25", "10.2.0.0/25", s);
	maker_conduit(&k, "y", a, b, "10.1.0.16/28", "10.2.0.16/28", s);
	one = make(&k);
	/* Two conduits that overlap each other. They share source and port with x and y, but not
	 * the destination. */
	maker_conduit(&k, "v", a, b, "10.1.0.0/24", "10.2.0.200", s);
	maker_conduit(&k, "w", a, b, "10.1.0.3", "10.2.0.200", s);
	two = make(&k);
	for (size_t i = 0; i < one.n; i++) {
		bool found = false;

		for (size_t j = 0; j < two.n; j++)
			found = found || (memcmp(&one.list[i].src, &two.list[j].src, sizeof(one.list[i].src)) == 0 &&
					  memcmp(&one.list[i].dst, &two.list[j].dst, sizeof(one.list[i].dst)) == 0 &&
					  one.sets[one.list[i].set].n == two.sets[two.list[j].set].n);
		assert_true(found);
	}
	maker_free(&k);
}

static void edges_of_address_space(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells c;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "::/0 0.0.0.0/0");
	b = maker_zone(&k, "b", "lan1", "::/0 0.0.0.0/0");
	s = maker_service(&k, "s", PROTO_TCP, "tcp/0-65535");
	maker_conduit(&k, "x", a, b, "", "", s);
	maker_conduit(&k, "y", a, b, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 255.255.255.255", ":: 0.0.0.0", s);
	c = make(&k);
	assert_int_equal(c.n, 6);
	maker_free(&k);
}

static double seconds_of(struct model_maker *k, bool *fits)
{
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	*fits = maker_lower(k);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	return (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
}

/* 10,000 conduits in arrangements that a careless algorithm cuts in quadratic time: pairs of hosts,
 * alone and under a net-wide conduit; single hosts mixed with whole rows, alone and under such a
 * conduit. The time limit is generous because sanitizers and other processes slow the test down. */
static void ten_thousand(void **state)
{
	for (int shape = 0; shape < 4; shape++) {
		struct model_maker k;
		struct model_zone *a, *b;
		struct model_service *s, *t;
		double seconds;
		bool fits;

		(void)state;
		maker_init(&k);
		maker_interface(&k, "lan0");
		maker_interface(&k, "lan1");
		a = maker_zone(&k, "a", "lan0", "10.1.0.0/16");
		b = maker_zone(&k, "b", "lan1", "10.2.0.0/16");
		s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
		t = maker_service(&k, "t", PROTO_TLS, "tcp/443");
		if (shape % 2 == 1)
			maker_conduit(&k, "wide", a, b, "", "", s);
		for (unsigned i = 0; i < 10000; i++) {
			char src[32], dst[32], name[16];

			snprintf(name, sizeof(name), "c%u", i);
			snprintf(src, sizeof(src), "10.1.%u.%u", i / 256, i % 256);
			snprintf(dst, sizeof(dst), "10.2.%u.%u", i / 256, i % 256);
			if (shape >= 2)
				maker_conduit(&k, name, a, b, i % 2 ? "" : src, dst, i % 3 ? s : t);
			else
				maker_conduit(&k, name, a, b, src, dst, s);
		}
		seconds = seconds_of(&k, &fits);
		print_message("shape %d: %u cells, %.3f s\n", shape, fits ? k.c.ir->n_cells : 0, seconds);
		assert_true(fits);
		assert_true(k.c.ir->n_cells >= 10000);
		assert_true(seconds < 10);
		maker_free(&k);
	}
}

/* The policy is refused as too large, and the message has this sentence and names the conduits. */
static void refused(struct model_maker *k, const char *sentence)
{
	const struct diag *g;
	struct cells c;

	assert_false(cells_make(&k->m, CELLS_APART, k->arena, &k->c.diags, &c));
	assert_int_equal(k->c.diags.errors, 1);
	g = k->c.diags.list[0];
	assert_string_equal(g->code, "policy.too_large");
	if (strstr(g->text[LANG_EN], sentence) == NULL)
		fail_msg("%s", g->text[LANG_EN]);
	assert_non_null(strstr(g->hint[LANG_EN], "row (site.cfg:"));
	maker_free(k);
}

/* A policy with too many cells is refused, within limited time and memory. The message says how
 * many there would be. */
static void too_many_is_refused(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/16");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/16");
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	for (unsigned i = 0; i < 1500; i++) {
		char host[32];

		snprintf(host, sizeof(host), "10.%u.%u.%u", i % 2 + 1, i / 256, i % 256);
		maker_conduit(&k, "row", a, b, i % 2 ? "" : host, i % 2 ? host : "", s);
	}
	refused(&k, "at least 1688250 cells of packet space, and 262144 are the most");
}

/* So is one that names too many combinations, before they are listed. */
static void too_many_hosts_are_refused(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_conduit *c;
	struct addr_range *hosts;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/16");
	b = maker_zone(&k, "b", "lan0 lan1", "10.2.0.0/16");
	c = maker_conduit(&k, "row", a, b, "10.1.0.1", "10.2.0.1",
			  maker_service(&k, "s", PROTO_MODBUS, "tcp/502 tcp/503"));
	for (unsigned side = 0; side < 2; side++) {
		hosts = arena_array(k.arena, 1000, sizeof(*hosts));
		for (unsigned i = 0; i < 1000; i++) {
			hosts[i] = side == 0 ? c->sources[0] : c->destinations[0];
			hosts[i].lo.b[2] = hosts[i].hi.b[2] = (uint8_t)(i / 250);
			hosts[i].lo.b[3] = hosts[i].hi.b[3] = (uint8_t)(i % 250);
		}
		if (side == 1) {
			c->destinations = hosts;
			c->n_destinations = 1000;
		} else {
			c->sources = hosts;
			c->n_sources = 1000;
		}
	}
	refused(&k,
		"name 4000000 combinations of a source, a destination, a port and interfaces, and 524288 are the most");
}

/* As many doors as may lie over one packet, and a conduit that has ended: it takes no layer. */
static void past_takes_no_layer(void **state)
{
	static const struct model_door doors[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct model_conduit *past;
	struct cells c;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/16");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/16");
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	for (unsigned i = 0; i < 3; i++)
		maker_conduit(&k, doors[i].name, a, b, "", "", s)->door = &doors[i];
	past = maker_conduit(&k, "past", a, b, "", "", s);
	past->until = 5000;
	k.m.now = 4999;
	assert_true(cells_make(&k.m, CELLS_APART, k.arena, &k.c.diags, &c));
	assert_int_not_equal(k.c.diags.errors, 0);
	assert_string_equal(k.c.diags.list[0]->code, "policy.too_many_ends");
	k.c.diags.errors = 0;
	k.m.now = 5000;
	assert_true(cells_make(&k.m, CELLS_APART, k.arena, &k.c.diags, &c));
	assert_int_equal(k.c.diags.errors, 0);
	maker_free(&k);
}

/* The same policy has the same cells, and so the same digest, before and after a conduit has
 * ended. */
static void past_changes_no_cells(void **state)
{
	static const struct model_door door = { .name = "a" };
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct cells before, after;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/16");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/16");
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502");
	maker_conduit(&k, "door", a, b, "", "", s)->door = &door;
	maker_conduit(&k, "past", a, b, "", "", s)->until = 5000;
	k.m.now = 4999;
	assert_true(cells_make(&k.m, CELLS_APART, k.arena, &k.c.diags, &before));
	k.m.now = 5000;
	assert_true(cells_make(&k.m, CELLS_APART, k.arena, &k.c.diags, &after));
	assert_int_equal(before.n, after.n);
	for (size_t i = 0; i < before.n; i++)
		assert_int_equal(before.list[i].layer, after.list[i].layer);
	assert_int_equal(k.c.diags.errors, 0);
	maker_free(&k);
}

static bool count_piece(void *ctx, const struct span d[DIMS], const uint32_t *tags, size_t n_tags)
{
	(void)d;
	(void)tags;
	assert_int_equal(n_tags, 1);
	++*(size_t *)ctx;
	return true;
}

#define SPIRAL 6000u

static void *split_a_spiral(void *ret)
{
	struct box *boxes = calloc(SPIRAL, sizeof(*boxes));
	struct arena *a = arena_new((size_t)64 << 20);
	uint64_t steps = 60000000;
	size_t pieces = 0;
	struct box_sink sink = { &pieces, count_piece };

	assert_true(boxes != NULL && a != NULL);
	for (uint32_t i = 0; i < SPIRAL; i++) {
		boxes[i].tag = i;
		boxes[i].d[i % 2] = (struct span){ i, i };
		boxes[i].d[1 - i % 2] = (struct span){ i, 2 * SPIRAL };
	}
	*(bool *)ret = boxes_split(boxes, SPIRAL, NULL, a, &steps, &sink) && pieces == SPIRAL;
	arena_free(a);
	free(boxes);
	return NULL;
}

/* Each box connects the boxes behind it until it is removed, so a list falls apart one box at a
 * time, once in each direction. The stack must not grow with the list. */
static void lists_that_fall_apart_slowly(void **state)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool done = false;

	(void)state;
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, 128u << 10), 0);
	assert_int_equal(pthread_create(&thread, &attr, split_a_spiral, &done), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_that_fall_apart_slowly),
		cmocka_unit_test(overlap_is_cut_out),
		cmocka_unit_test(a_pair_lies_over_a_range),
		cmocka_unit_test(a_point_stands_once),
		cmocka_unit_test(what_touches_is_one),
		cmocka_unit_test(both_families_and_icmp),
		cmocka_unit_test(until_lies_over_the_base),
		cmocka_unit_test(interfaces_are_crossed),
		cmocka_unit_test(form_depends_on_the_region),
		cmocka_unit_test(edges_of_address_space),
		cmocka_unit_test(ten_thousand),
		cmocka_unit_test(too_many_is_refused),
		cmocka_unit_test(too_many_hosts_are_refused),
		cmocka_unit_test(past_takes_no_layer),
		cmocka_unit_test(past_changes_no_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
