/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For how long observing conduits have been clean: the time begins anew with other rows, does not
 * count while nobody watched, and is never read from a file of another kind.
 *
 * LINK: appliance/journal/clean.c appliance/wire/reason.c appliance/base/sha256.c
 * LINK: appliance/base/bytes.c appliance/base/json.c appliance/base/memfd.c appliance/base/err.c
 * LINK: appliance/wire/msg.c appliance/wire/plain.c
 * LINK: appliance/base/addr.c appliance/base/clock.c appliance/base/utf8.c appliance/base/arena.c
 * LIBS: nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/journal/clean.h"
#include "appliance/wire/reason.h"

#define S 1000000000ull

/* Reports these conduits as observing; `rows`: a number that stands for the rows of each. */
static void observe(struct clean *c, const char *const *names, const uint8_t *rows, size_t n, uint64_t now_ns)
{
	struct clean_conduit *list = calloc(n + 1, sizeof(*list));

	assert_non_null(list);
	for (size_t i = 0; i < n; i++) {
		memcpy(list[i].name, names[i], strlen(names[i]));
		list[i].meaning[0] = rows[i];
	}
	clean_rule(c, list, n, now_ns);
}

static long long said(const struct clean *c, const char *name, const char *what, uint64_t now_ns)
{
	json_t *j = clean_json(c, now_ns), *one = json_object_get(j, name);
	long long n = one == NULL ? -1 : json_integer_value(json_object_get(one, what));

	json_decref(j);
	return n;
}

static void days(void **state)
{
	static const char *const both[] = { "looks", "a" }, *const other[] = { "looks" };
	struct clean c = { 0 };

	(void)state;
	observe(&c, both, (const uint8_t[]){ 1, 1 }, 2, 100 * S);
	assert_int_equal(said(&c, "looks", "clean_s", 160 * S), 60);
	clean_see(&c, "looks", R_NO_CONDUIT, 2, 170 * S);
	clean_see(&c, "nobody", R_NO_CONDUIT, 1, 170 * S);
	assert_int_equal(said(&c, "looks", "clean_s", 180 * S), 10);
	assert_int_equal(said(&c, "looks", "would_refuse", 180 * S), 2);
	assert_int_equal(said(&c, "a", "clean_s", 180 * S), 80);
	/* The same rows again, as after a start: the time goes on. */
	observe(&c, both, (const uint8_t[]){ 1, 1 }, 2, 200 * S);
	assert_int_equal(said(&c, "looks", "clean_s", 200 * S), 30);
	assert_int_equal(said(&c, "a", "clean_s", 200 * S), 100);
	/* Other rows, and a conduit that enforces now. */
	observe(&c, other, (const uint8_t[]){ 2 }, 1, 300 * S);
	assert_int_equal(said(&c, "looks", "clean_s", 310 * S), 10);
	assert_int_equal(said(&c, "looks", "would_refuse", 310 * S), 0);
	assert_int_equal(said(&c, "a", "clean_s", 310 * S), -1);
	clean_free(&c);
}

static void what_nobody_saw(void **state)
{
	static const char *const one[] = { "looks" };
	struct clean c = { 0 };

	(void)state;
	observe(&c, one, (const uint8_t[]){ 1 }, 1, 100 * S);
	spans_add(&c.gaps, 50 * S, 120 * S); /* partly before the clean time began */
	spans_add(&c.gaps, 150 * S, 160 * S);
	spans_add(&c.gaps, 155 * S, 170 * S); /* overlaps the span before it */
	spans_add(&c.gaps, 300 * S, 400 * S); /* partly in the future */
	assert_int_equal(c.gaps.n, 3);
	assert_int_equal(said(&c, "looks", "clean_s", 200 * S), 60);
	assert_int_equal(said(&c, "looks", "clean_s", 350 * S), 160);
	/* After the clock was set back no time is reported, rather than too much. */
	assert_int_equal(said(&c, "looks", "clean_s", 10 * S), 0);
	/* When there are more spans than places, they are merged, and cover all the time that they
	 * covered before. */
	for (uint64_t i = 0; i < 3 * USED_GAPS; i++)
		spans_add(&c.gaps, (1000 + 10 * i) * S, (1001 + 10 * i) * S);
	assert_int_equal(c.gaps.n, USED_GAPS);
	assert_true(said(&c, "looks", "clean_s", 2000 * S) <= 900 - 20 - 20 - 100 + 1000 - 3 * (long long)USED_GAPS);
	clean_free(&c);
}

static void more_reasons_than_are_told_apart(void **state)
{
	static const char *const one[] = { "looks" };
	struct clean c = { 0 };
	json_t *j;

	(void)state;
	observe(&c, one, (const uint8_t[]){ 1 }, 1, 100 * S);
	for (uint16_t r = 1; r <= CLEAN_KINDS + 2; r++)
		clean_see(&c, "looks", r, r, 200 * S);
	assert_int_equal(said(&c, "looks", "would_refuse", 300 * S), 1 + 2 + 3 + 4 + 5 + 6);
	j = clean_json(&c, 300 * S);
	assert_int_equal(json_array_size(json_object_get(json_object_get(j, "looks"), "reasons")), CLEAN_KINDS);
	json_decref(j);
	clean_free(&c);
}

static void on_the_disk(void **state)
{
	static const char *const both[] = { "looks", "a" };
	struct clean c = { 0 }, ret;
	uint8_t *p;
	size_t n;

	(void)state;
	observe(&c, both, (const uint8_t[]){ 1, 2 }, 2, 100 * S);
	clean_see(&c, "looks", R_NO_CONDUIT, 2, 170 * S);
	spans_add(&c.gaps, 150 * S, 160 * S);
	c.alive_ns = 180 * S;
	p = clean_put(&c, &n);
	assert_non_null(p);
	assert_true(clean_take(p, n, &ret));
	assert_int_equal(ret.alive_ns, 180 * S);
	assert_int_equal(said(&ret, "looks", "would_refuse", 200 * S), 2);
	assert_int_equal(said(&ret, "a", "clean_s", 200 * S), 90);
	clean_free(&ret);
	for (size_t i = 0; i < 8 * n; i++) {
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(clean_take(p, n, &ret));
		assert_true(ret.n == 0 && ret.list == NULL && ret.alive_ns == 0);
		p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		assert_false(clean_take(p, i, &ret));
	free(p);
	clean_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days),
		cmocka_unit_test(what_nobody_saw),
		cmocka_unit_test(more_reasons_than_are_told_apart),
		cmocka_unit_test(on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
