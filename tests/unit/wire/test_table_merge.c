/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two command tables as one: in the merged image every permit means what it meant in its own table,
 * those of the new table take precedence, and repeated merging does not make it grow.
 *
 * LINK: appliance/wire/table_merge.c appliance/wire/commands.c appliance/wire/protocols.c
 * LINK: appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/wire/commands.h"
#include "appliance/wire/table_merge.h"

struct decoded {
	struct command_table t;
	void *memory;
};

static struct decoded decode(const uint8_t *image, size_t n)
{
	struct decoded d;
	size_t size = (COMMANDS_MEMORY(n) + 15) / 16 * 16;

	d.memory = aligned_alloc(16, size);
	assert_non_null(d.memory);
	assert_true(commands_decode(bytes_of(image, n), d.memory, size, &d.t));
	return d;
}

/* A table with `n` permits with the ids first, first + step, ...; neighbours share rows and
 * ranges. */
static uint8_t *table(uint32_t first, uint32_t step, uint32_t n, uint32_t flavour, size_t *ret_n)
{
	struct command_table t = { .n_permits = n, .n_grants = n * 2, .n_rows = 3, .n_spaces = 3, .n_ranges = 9 };
	struct command_permit *permits = calloc(n + 1u, sizeof(*permits));
	struct command_grant *grants = calloc(n * 2u + 1u, sizeof(*grants));
	struct command_row rows[3] = { 0 };
	struct space_set spaces[3] = { { 0 } };
	/* three lists: all names, the first two, the last one */
	uint8_t names[] = "\1a\2bb\1c\3ddd";
	const uint32_t lists[4][2] = { { 0, 11 }, { 0, 5 }, { 0, 0 }, { 7, 4 } };
	struct number_range ranges[9] = {
		{ 0, flavour }, { flavour + 2, 99 + flavour }, { 502, 502 }, { 7, 9 }, { 11, 12 }, { 1, 1 },
		{ 3, 6 },	{ flavour, flavour },	       { 2, 2 }
	};
	uint8_t *image;
	struct outbuf o;

	assert_non_null(permits);
	assert_non_null(grants);
	for (uint32_t i = 0; i < 3; i++) {
		rows[i].services = (struct number_set){ .first = 7, .n = 1 };
		rows[i].targets[0] = (struct number_set){ .first = 8, .n = 1 };
		rows[i].first_space = i;
		rows[i].n_spaces = 1;
		spaces[i] = (struct space_set){ 3, { .first = i, .n = 2 } };
		rows[i].values = (struct number_set){ .any = true };
		rows[i].line = 100 * flavour + i;
	}
	/* {502}, then {7-9}: not sorted together, so a set may not extend over both. */
	spaces[1].numbers = (struct number_set){ .first = 3, .n = 2 };
	spaces[2].numbers = (struct number_set){ .first = 5, .n = 1 };
	for (uint32_t i = 0; i < n; i++) {
		permits[i] = (struct command_permit){ .permit = first + i * step,
						      .lane = 1 + (i + flavour) % 54,
						      .observe = i % 2 == 0,
						      .ports = { .first = 2, .n = 1 },
						      .first_grant = 2 * i,
						      .n_grants = 2 };
		for (uint32_t g = 0; g < 2; g++)
			grants[2 * i + g] = (struct command_grant){ .conduit = i,
								    .line = flavour,
								    .protocol = PROTO_MODBUS,
								    .first_row = (i + g) % 2,
								    .n_rows = 2,
								    .first_name = lists[(i + g + flavour) % 4][0],
								    .n_names = lists[(i + g + flavour) % 4][1] };
	}
	t.permits = permits;
	t.grants = grants;
	t.rows = rows;
	t.spaces = spaces;
	t.ranges = ranges;
	names[10] = (uint8_t)('a' + flavour);
	t.names = names;
	t.n_names = 11;
	*ret_n = commands_size(&t);
	image = malloc(*ret_n);
	assert_non_null(image);
	o = outbuf_of(image, *ret_n);
	assert_true(commands_encode(&t, &o));
	free(permits);
	free(grants);
	return image;
}

static void same_set(const struct command_table *x, const struct number_set *a, const struct command_table *y,
		     const struct number_set *b)
{
	assert_int_equal(a->any, b->any);
	assert_int_equal(a->n, b->n);
	for (uint32_t i = 0; i < a->n; i++) {
		assert_int_equal(x->ranges[a->first + i].lo, y->ranges[b->first + i].lo);
		assert_int_equal(x->ranges[a->first + i].hi, y->ranges[b->first + i].hi);
	}
}

static void same_permit(const struct command_table *x, const struct command_permit *a, const struct command_table *y,
			const struct command_permit *b)
{
	assert_int_equal(a->permit, b->permit);
	assert_int_equal(a->lane, b->lane);
	assert_int_equal(a->observe, b->observe);
	assert_int_equal(a->n_grants, b->n_grants);
	same_set(x, &a->ports, y, &b->ports);
	for (uint32_t g = 0; g < a->n_grants; g++) {
		const struct command_grant *ga = &x->grants[a->first_grant + g], *gb = &y->grants[b->first_grant + g];

		assert_int_equal(ga->conduit, gb->conduit);
		assert_int_equal(ga->line, gb->line);
		assert_int_equal(ga->n_rows, gb->n_rows);
		assert_int_equal(ga->n_names, gb->n_names);
		if (ga->n_names > 0)
			assert_memory_equal(grant_names(x, ga).p, grant_names(y, gb).p, ga->n_names);
		for (uint32_t r = 0; r < ga->n_rows; r++) {
			const struct command_row *ra = &x->rows[ga->first_row + r], *rb = &y->rows[gb->first_row + r];

			same_set(x, &ra->services, y, &rb->services);
			same_set(x, &ra->targets[0], y, &rb->targets[0]);
			assert_int_equal(rb->n_spaces, 1);
			assert_int_equal(y->spaces[rb->first_space].space, 3);
			assert_int_equal(ra->line, rb->line);
			same_set(x, &x->spaces[ra->first_space].numbers, y, &y->spaces[rb->first_space].numbers);
			same_set(x, &ra->values, y, &rb->values);
		}
	}
}

#define OF_A 7u
#define OF_B 8u

/* The merged image alone. Each permit is from the generation of its table. */
static uint8_t *merged(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
		       bool (*keep)(const void *ctx, uint32_t permit), size_t *ret_n)
{
	const struct table_part x = { .image = a, .n = n_a, .of = { .number = OF_A } },
				y = { .image = b, .n = n_b, .of = { .number = OF_B } };
	struct table t, again;

	if (!table_merge(&x, &y, keep, NULL, &t)) {
		assert_null(t.permits);
		return NULL;
	}
	{
		const struct table_part z = { .image = t.image, .n = t.n, .permits = t.permits };
		struct decoded da = decode(a, n_a), dt = decode(t.image, t.n);

		assert_true(table_merge(&z, &x, NULL, NULL, &again));
		assert_int_equal(t.n_permits, dt.t.n_permits);
		assert_int_equal(again.n_permits, t.n_permits);
		for (uint32_t i = 0; i < t.n_permits; i++) {
			bool of_a = commands_permit(&da.t, t.permits[i].permit) != NULL;

			assert_int_equal(t.permits[i].permit, dt.t.permits[i].permit);
			assert_int_equal(t.permits[i].of.number, of_a ? OF_A : OF_B);
			assert_int_equal(again.permits[i].of.number, t.permits[i].of.number);
		}
		free(da.memory);
		free(dt.memory);
	}
	table_drop(&again);
	free(t.permits);
	*ret_n = t.n;
	return t.image;
}

static bool odd(const void *ctx, uint32_t permit)
{
	(void)ctx;
	return permit % 2 == 1;
}

static void check(uint32_t first_a, uint32_t step_a, uint32_t n_a, uint32_t first_b, uint32_t step_b, uint32_t n_b,
		  bool (*keep)(const void *ctx, uint32_t permit))
{
	size_t size_a, size_b, size_m;
	uint8_t *a = table(first_a, step_a, n_a, 3, &size_a), *b = table(first_b, step_b, n_b, 5, &size_b);
	uint8_t *m = merged(a, size_a, b, size_b, keep, &size_m);
	struct decoded da = decode(a, size_a), db = decode(b, size_b), dm;
	uint32_t want = da.t.n_permits;

	assert_non_null(m);
	dm = decode(m, size_m);
	for (uint32_t i = 0; i < da.t.n_permits; i++) {
		const struct command_permit *p = commands_permit(&dm.t, da.t.permits[i].permit);

		assert_non_null(p);
		same_permit(&da.t, &da.t.permits[i], &dm.t, p);
	}
	for (uint32_t i = 0; i < db.t.n_permits; i++) {
		uint32_t id = db.t.permits[i].permit;
		const struct command_permit *p = commands_permit(&dm.t, id);

		if (commands_permit(&da.t, id) != NULL)
			continue;
		if (keep != NULL && !keep(NULL, id)) {
			assert_null(p);
			continue;
		}
		assert_non_null(p);
		same_permit(&db.t, &db.t.permits[i], &dm.t, p);
		want++;
	}
	assert_int_equal(dm.t.n_permits, want);
	free(a);
	free(b);
	free(m);
	free(da.memory);
	free(db.memory);
	free(dm.memory);
}

static void permits_keep_their_meaning(void **state)
{
	unsigned seed = (unsigned)getpid();

	(void)state;
	check(1, 1, 4, 3, 1, 4, NULL);
	check(1, 2, 10, 2, 2, 10, NULL);
	check(1, 1, 10, 1, 1, 10, NULL);
	check(1, 3, 20, 2, 1, 40, odd);
	check(5, 1, 0, 1, 1, 3, NULL);
	check(5, 1, 3, 1, 1, 0, NULL);
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 300; i++)
		check(1 + (uint32_t)rand() % 50, 1 + (uint32_t)rand() % 4, (uint32_t)rand() % 40,
		      1 + (uint32_t)rand() % 50, 1 + (uint32_t)rand() % 4, (uint32_t)rand() % 40,
		      rand() % 2 == 0 ? odd : NULL);
}

static void leftovers_do_not_grow(void **state)
{
	size_t size_a, size_b, size_m, size_next;
	uint8_t *a = table(100, 1, 5, 3, &size_a), *b = table(1, 1, 5, 5, &size_b);
	uint8_t *m = merged(a, size_a, b, size_b, odd, &size_m), *next;

	(void)state;
	assert_non_null(m);
	for (int i = 0; i < 20; i++) {
		next = merged(a, size_a, m, size_m, odd, &size_next);
		assert_non_null(next);
		assert_int_equal(size_next, size_m);
		assert_memory_equal(next, m, size_m);
		free(m);
		m = next;
	}
	free(m);
	free(a);
	free(b);
}

static void malformed_gives_nothing(void **state)
{
	size_t size_a, n;
	uint8_t *a = table(1, 1, 3, 3, &size_a);

	(void)state;
	assert_null(merged(a, size_a - 1, a, size_a, NULL, &n));
	assert_null(merged(a, size_a, a, 3, NULL, &n));
	free(a);
}

/* The lanes of all permits of a table; none for a table that cannot be read. */
static void lanes_of_a_table(void **state)
{
	size_t size;
	uint8_t *a = table(1, 1, 3, 3, &size);

	(void)state;
	assert_true(table_lanes(a, size) == ((uint64_t)7 << 4));
	assert_true(table_lanes(a, size - 1) == 0);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_of_a_table),
		cmocka_unit_test(permits_keep_their_meaning),
		cmocka_unit_test(leftovers_do_not_grow),
		cmocka_unit_test(malformed_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
