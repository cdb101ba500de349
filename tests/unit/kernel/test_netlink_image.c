/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMMANDS_PARTS)
 * LINK: appliance/kernel/image.c appliance/enforce/expect.c policy/ir/skeleton/%.c
 * LINK: policy/ir/elements.c
 * LINK: policy/ir/names.c appliance/base/addr.c appliance/base/arena.c appliance/base/err.c
 * LINK: appliance/wire/reason.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/kernel/image.h"

#define NOW 1000000u

/* Two interfaces; one permit without inspection, one in a lane, one with an end. */
static struct ir_interface interfaces[] = { { .name = "lan0", .device = "a0" }, { .name = "lan1", .device = "b0" } };
static struct ir_permit permits[] = {
	{ .lane = LANE_NONE },
	{ .lane = 54, .tighten_new_flows = true },
	{ .lane = LANE_NONE, .until = NOW + 100 },
};
static struct ir_cell cells[3];
static const uint32_t ids[] = { 7, 9, 11 };
static const uint32_t kernel_indexes[] = { 0x0a, 0x1234 };

static struct addr_range range(const char *lo, const char *hi)
{
	struct addr_range r;

	assert_true(addr_parse(lo, &r.lo));
	assert_true(addr_parse(hi, &r.hi));
	return r;
}

static struct ir make(void)
{
	cells[0] = (struct ir_cell){ .iif = 0,
				     .oif = 1,
				     .src = range("10.0.0.1", "10.0.0.1"),
				     .dst = range("10.1.0.1", "10.1.0.1"),
				     .l4proto = 6,
				     .lo = 502,
				     .hi = 502,
				     .line = 5 };
	cells[1] = (struct ir_cell){ .iif = 1,
				     .oif = 0,
				     .src = range("2001:db8::1", "2001:db8::ff"),
				     .dst = range("2001:db8:1::", "2001:db8:1::ffff"),
				     .l4proto = 17,
				     .lo = 100,
				     .hi = 258,
				     .permit = 1,
				     .line = 6 };
	cells[2] = (struct ir_cell){ .iif = 0,
				     .oif = 1,
				     .src = range("10.0.0.0", "10.0.0.255"),
				     .dst = range("10.1.0.1", "10.1.0.1"),
				     .l4proto = 6,
				     .lo = 22,
				     .hi = 22,
				     .permit = 2,
				     .layer = 1,
				     .line = 7 };
	return (struct ir){
		.interfaces = interfaces,
		.n_interfaces = 2,
		.permits = permits,
		.n_permits = 3,
		.cells = cells,
		.n_cells = 3,
		.digest = { 0xd1, 0x9e },
	};
}

static void expect_at(struct arena *a, const struct ir *ir, const uint32_t *indexes, uint64_t now, struct image *i)
{
	struct expectation x = { .ir = ir, .ids = ids, .interfaces = indexes, .now = now };
	struct err e = { 0 };

	image_init(i, a);
	assert_int_equal(image_expect(i, &x, &e), 0);
	image_sort(i);
}

static void layout(void **state)
{
	static const uint8_t exact[] = { 10, 0,	   0, 1, 10,   1, 0, 1, 6,    0,    0, 0,
					 1,  0xf6, 0, 0, 0x0a, 0, 0, 0, 0x34, 0x12, 0, 0 };
	struct arena *a = arena_new(16u << 20);
	struct ir ir = make();
	const struct image_element *e;
	struct image i;
	uint8_t digest[32];

	(void)state;
	expect_at(a, &ir, kernel_indexes, NOW, &i);
	assert_int_equal(i.elements[SET_EXACT4].n, 1);
	e = &i.elements[SET_EXACT4].list[0];
	assert_memory_equal(e->key, exact, sizeof(exact));
	assert_memory_equal(e->key, e->key_end, IMAGE_KEY);
	assert_int_equal(e->data, 7);
	assert_int_equal(e->line, 5);
	assert_int_equal(i.elements[SET_RANGE6].n, 1);
	e = &i.elements[SET_RANGE6].list[0];
	assert_int_equal(e->key[40], 0x34);
	assert_int_equal(e->key[36] << 8 | e->key[37], 100);
	assert_int_equal(e->key_end[36] << 8 | e->key_end[37], 258);
	assert_int_equal(e->key_end[15], 0xff);
	assert_int_equal(mark_permit(e->data), 9);
	assert_int_equal(mark_lane(e->data), 54);
	assert_int_equal(i.elements[SET_UNTIL4].n, 1);
	assert_int_equal(i.elements[SET_UNTIL4].list[0].until, NOW + 100);
	assert_int_equal(i.elements[SET_AGREE].n, 3);
	assert_true(image_digest(&i, digest));
	assert_memory_equal(digest, ir.digest, 32);
	/* Only the used lane has a chain, and a jump to it, also for a session's twin. */
	assert_true(i.chains[CHAIN_LANE_FIRST + 54]);
	assert_false(i.chains[CHAIN_LANE_FIRST + 53]);
	assert_int_equal(i.elements[TABLE_LANES].n, 3);
	arena_free(a);
}

static void left_out(void **state)
{
	static const uint32_t away[] = { 0x0a, 0 };
	struct arena *a = arena_new(16u << 20);
	struct ir ir = make();
	struct image i;

	(void)state;
	expect_at(a, &ir, away, NOW, &i);
	assert_int_equal(i.elements[SET_EXACT4].n, 0);
	assert_int_equal(i.elements[SET_RANGE6].n, 0);
	for (size_t k = 0; k < i.elements[SET_LIVE].n; k++)
		assert_int_equal(i.elements[SET_LIVE].list[k].key[0], 0x0a);
	expect_at(a, &ir, kernel_indexes, NOW + 100, &i);
	assert_int_equal(i.elements[SET_UNTIL4].n, 0);
	assert_int_equal(i.elements[SET_AGREE].n, 2);
	arena_free(a);
}

static void differences(void **state)
{
	struct arena *a = arena_new(16u << 20);
	struct ir ir = make();
	struct element_diff d;
	struct image one, two;

	(void)state;
	expect_at(a, &ir, kernel_indexes, NOW, &one);
	expect_at(a, &ir, kernel_indexes, NOW, &two);
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone + d.n_added, 0);
	/* A small difference of clocks does not count; an end that was removed does. */
	two.elements[SET_UNTIL4].list[0].until += TIME_SLACK;
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone + d.n_added, 0);
	two.elements[SET_UNTIL4].list[0].until -= TIME_SLACK - 1;
	two.exact = true; /* the clock was set */
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	assert_int_equal(d.n_added, 1);
	two.exact = false;
	two.elements[SET_UNTIL4].list[0].until = 0;
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	assert_int_equal(d.n_added, 1);
	assert_int_equal(d.gone[0].set, SET_UNTIL4);
	/* A changed mark is a removal and an addition with the same key. */
	expect_at(a, &ir, kernel_indexes, NOW, &two);
	two.elements[SET_EXACT4].list[0].data ^= 1;
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	assert_int_equal(d.n_added, 1);
	assert_memory_equal(d.gone[0].element->key, d.added[0].element->key, IMAGE_KEY);
	/* A verdict that leads to another chain, and one that leads to no chain, even on both
	 * sides. */
	expect_at(a, &ir, kernel_indexes, NOW, &two);
	two.elements[TABLE_LANES].list[0].chain ^= 1;
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	one.elements[TABLE_LANES].list[0].verdict = two.elements[TABLE_LANES].list[0].verdict = VERDICT_FOREIGN;
	assert_int_equal(image_diff(&one, &two, NOW, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	/* An element that ends at this moment is removed like any other, because it still lets
	 * packets pass; it is not added. */
	expect_at(a, &ir, kernel_indexes, NOW, &one);
	expect_at(a, &ir, kernel_indexes, NOW, &two);
	two.elements[SET_UNTIL4].n = 0;
	assert_int_equal(image_diff(&one, &two, NOW + 99, a, &d), 0);
	assert_int_equal(d.n_gone, 1);
	assert_true(image_ending(d.gone[0].element, NOW + 99));
	assert_false(image_ending(d.gone[0].element, NOW));
	assert_int_equal(image_diff(&two, &one, NOW + 99, a, &d), 0);
	assert_int_equal(d.n_added, 0);
	assert_int_equal(image_diff(&two, &one, NOW, a, &d), 0);
	assert_int_equal(d.n_added, 1);
	arena_free(a);
}

/* A permit that is kept for its sessions keeps the elements that let these pass, and none that
 * would let a new session in. */
static void lingering(void **state)
{
	struct arena *a = arena_new(16u << 20);
	struct ir ir = make(), without = make();
	struct image old, now;
	struct expectation x = {
		.ir = &without, .ids = ids, .interfaces = kernel_indexes, .now = NOW, .extra_lanes = (uint64_t)1 << 54
	};
	struct err e = { 0 };
	size_t live = 0;
	uint32_t mark;

	(void)state;
	expect_at(a, &ir, kernel_indexes, NOW, &old);
	without.n_cells = 1;
	without.n_permits = 1;
	image_init(&now, a);
	assert_int_equal(image_expect(&now, &x, &e), 0);
	assert_int_equal(image_linger(&now, &old, 9), 0);
	image_sort(&now);
	assert_int_equal(now.elements[SET_RANGE6].n, 0);
	assert_int_equal(now.elements[SET_AGREE].n, 2);
	assert_int_equal(now.elements[TABLE_LINGERING].n, 1);
	assert_true(now.chains[CHAIN_LANE_FIRST + 54]);
	assert_int_equal(now.elements[SET_RESETS].n, 1);
	for (size_t k = 0; k < now.elements[SET_LIVE].n; k++) {
		memcpy(&mark, now.elements[SET_LIVE].list[k].key + 8, sizeof(mark));
		live += mark_permit(mark) == 9;
	}
	assert_int_equal(live, 2); /* one for each direction */
	arena_free(a);
}

/* Elements that end at the same moment end one after the other, so that a session always meets
 * either all of its old permit or nothing of it. */
static void order_of_ends(void **state)
{
	(void)state;
	for (unsigned set = SET_UNTIL4; set < TABLE_SET_COUNT; set++)
		if (set_spec(set)->timeout)
			assert_int_equal(set_spec(set)->late_ms, 0);
	assert_true(set_spec(SET_AGREE)->late_ms > 0);
	assert_true(set_spec(SET_LIVE)->late_ms > set_spec(SET_AGREE)->late_ms);
	assert_true(set_spec(SET_TOGETHER)->late_ms > set_spec(SET_LIVE)->late_ms);
}

static void texts(void **state)
{
	struct arena *a = arena_new(16u << 20);
	struct ir ir = make();
	struct image i;
	char text[400];

	(void)state;
	expect_at(a, &ir, kernel_indexes, NOW, &i);
	image_element_text(SET_RANGE6, &i.elements[SET_RANGE6].list[0], &ir, kernel_indexes, text, sizeof(text));
	assert_string_equal(
		text,
		"lan1 lan0 2001:db8::1-2001:db8::ff 2001:db8:1::/112 protocol 17 port 100-258 -> permit 9 lane 54");
	image_element_text(SET_EXACT4, &i.elements[SET_EXACT4].list[0], NULL, NULL, text, sizeof(text));
	assert_string_equal(text, "#10 #4660 10.0.0.1 10.1.0.1 protocol 6 port 502-502 -> permit 7 lane 0");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),    cmocka_unit_test(left_out), cmocka_unit_test(differences),
		cmocka_unit_test(lingering), cmocka_unit_test(texts),	 cmocka_unit_test(order_of_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
