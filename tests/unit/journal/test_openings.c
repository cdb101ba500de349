/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which openings of doors a record names: every one that was in force during the time that the
 * record sums up, else the last one before, and none for a permit without a door.
 *
 * LINK: appliance/journal/names.c policy/ir/book.c policy/ir/meaning.c
 * LINK: appliance/base/arena.c appliance/base/addr.c appliance/base/json.c appliance/base/memfd.c
 * LINK: $(WIRE_SRC) appliance/base/err.c appliance/base/sha256.c appliance/base/bytes.c
 * LINK: appliance/base/utf8.c appliance/base/messages.c appliance/base/errno_text.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/base/json.h"
#include "appliance/journal/names.h"
#include "policy/ir/ir.h"
#include "policy/ir/seal.h"

#define BEHIND 7u /* the ids of permits */
#define PLAIN 8u
#define SHADOWED 9u

static struct ir_door doors[] = { { .name = "nagoya", .label = "" }, { .name = "osaka", .label = "" } };
static struct ir_conduit conduits[] = { { .name = "plain", .label = "", .door = UINT32_MAX },
					{ .name = "vendor", .label = "", .door = 0 },
					{ .name = "watched", .label = "", .door = 1 } };
static struct command_grant grants[] = { { .conduit = 0 }, { .conduit = 1 }, { .conduit = 2, .shadow = true } };
static struct command_permit permits[] = { { .permit = 1, .first_grant = 0, .n_grants = 3 },
					   { .permit = 2, .first_grant = 0, .n_grants = 1 },
					   { .permit = 3, .first_grant = 2, .n_grants = 1 } };
static struct ir_permit shown[3];
static struct names names;

/* The policy of this test. */
int ir_unseal(struct bytes in, struct arena *a, struct ir *ret, struct err *e)
{
	(void)in;
	(void)a;
	(void)e;
	*ret = (struct ir){ .doors = doors,
			    .n_doors = 2,
			    .conduits = conduits,
			    .n_conduits = 3,
			    .permits = shown,
			    .n_permits = 3,
			    .table = { .permits = permits, .n_permits = 3, .grants = grants, .n_grants = 3 } };
	return 0;
}

/* Compares the openings of a record, made at `at` and about the `seconds` before. */
static void names_these(uint32_t permit, uint64_t at, uint64_t seconds, const char *want)
{
	struct event e = { .permit = permit, .conduit = UINT32_MAX, .wall_ns = at * 1000000000u };
	json_t *got, *wanted = json_loads(want, JSON_DECODE_ANY, NULL);

	e.generation = event_generation(1, (const uint8_t[32]){ 0 });
	got = names_openings(&names, &e, seconds);
	assert_true(got == NULL ? json_is_null(wanted) : json_equal(got, wanted));
	json_decref(got);
	json_decref(wanted);
}

#define FIRST "{\"opening\":1,\"door\":\"nagoya\",\"person\":\"Tanaka\",\"ticket\":\"4711\"}"
#define SECOND "{\"opening\":3,\"door\":\"nagoya\",\"person\":\"Kato\",\"ticket\":\"\"}"

static void by_their_time(void **state)
{
	(void)state;
	names_these(BEHIND, 150, 0, "[" FIRST "]");
	names_these(BEHIND, 350, 0, "[" SECOND "]");
	/* a sum over both, and over what was between them */
	names_these(BEHIND, 350, 200, "[" FIRST "," SECOND "]");
	names_these(BEHIND, 350, 100, "[" SECOND "]");
	/* the end of a session is on record a little after that of its opening */
	names_these(BEHIND, 205, 0, "[" FIRST "]");
	/* nothing is made up */
	names_these(BEHIND, 99, 0, "[]");
}

static void only_through_a_door(void **state)
{
	(void)state;
	names_these(PLAIN, 150, 0, "null");
	names_these(SHADOWED, 150, 0, "null");
	names_these(0, 150, 0, "null");
}

int main(void)
{
	static const uint8_t ids[] = { 0, 0, 0, BEHIND, 0, 0, 0, PLAIN, 0, 0, 0, SHADOWED };
	const struct names_source from = { .number = 1, .permits = bytes_of(ids, sizeof(ids)) };
	const struct CMUnitTest tests[] = { cmocka_unit_test(by_their_time), cmocka_unit_test(only_through_a_door) };
	struct err e = { 0 };
	int r;

	if (names_add(&names, &from, &e) < 0)
		return 1;
	names_doors(&names,
		    json_loads("[{\"opening\":1,\"door\":\"nagoya\",\"person\":\"Tanaka\",\"ticket\":\"4711\","
			       "\"since\":100,\"ended\":200,\"open\":false},"
			       "{\"opening\":2,\"door\":\"osaka\",\"person\":\"\",\"ticket\":\"\",\"since\":100,"
			       "\"open\":true},"
			       "{\"door\":\"nagoya\",\"asked\":true,\"since\":120},"
			       "{\"opening\":3,\"door\":\"nagoya\",\"person\":\"Kato\",\"ticket\":\"\","
			       "\"since\":300,\"open\":true}]",
			       0, NULL));
	r = cmocka_run_group_tests(tests, NULL, NULL);
	names_forget(&names);
	return r;
}
