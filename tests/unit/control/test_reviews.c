/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which reviews are overdue on which day, and how a change of that is noticed.
 *
 * LINK: appliance/control/overdue.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c
 * LINK: appliance/base/bytes.c appliance/base/sha256.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "appliance/control/overdue.h"
#include "policy/ir/ir.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400u
#define NOON_2027_03_31 1806494400u

static struct ir_conduit conduits[] = {
	{ .name = "a", .label = "", .owner = "IT", .review_by = "2027-03-31" },
	{ .name = "b", .label = "北", .owner = "Cranes", .review_by = "2027-03-30" },
	{ .name = "ended", .label = "", .owner = "IT", .review_by = "2020-01-01", .until = 1700000000u },
	{ .name = "ends", .label = "", .owner = "IT", .review_by = "2027-01-01", .until = NOON_2027_03_31 + DAY },
	{ .name = "old", .label = "", .owner = "IT", .review_by = "" },
};
static const struct ir ir = { .conduits = conduits, .n_conduits = 5 };

static void on_its_day_it_is_not(void **state)
{
	char day[OVERDUE_DAY];
	json_t *names = json_array();
	struct overdue o;

	(void)state;
	overdue_day(NOON_2027_03_31, day);
	assert_string_equal(day, "2027-03-31");
	o = overdue_find(&ir, NULL, NOON_2027_03_31, names);
	assert_int_equal(o.n, 2);
	assert_int_equal(o.since, 1798848000u); /* 2027-01-02 */
	assert_int_equal(json_array_size(names), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(names, 0), "name")), "b");
	assert_string_equal(json_string_value(json_object_get(json_array_get(names, 0), "owner")), "Cranes");
	json_decref(names);
	/* The last second of the day in UTC, and the first second of the next one: then `a` is
	 * overdue, and the conduit that has ended by then is not. */
	assert_int_equal(overdue_find(&ir, NULL, NOON_2027_03_31 + DAY / 2 - 1, NULL).n, 2);
	assert_int_equal(overdue_find(&ir, NULL, NOON_2027_03_31 + DAY / 2, NULL).n, 3);
	assert_int_equal(overdue_find(&ir, NULL, NOON_2027_03_31 + DAY, NULL).n, 2);
	o = overdue_find(&ir, NULL, 1600000000u - 365u * 10u * DAY, NULL);
	assert_int_equal(o.n, 0);
	assert_int_equal(o.since, 0);
}

static void others_are_told_apart(void **state)
{
	struct overdue before = overdue_find(&ir, NULL, NOON_2027_03_31, NULL),
		       later = overdue_find(&ir, NULL, NOON_2027_03_31 + 60, NULL),
		       next = overdue_find(&ir, NULL, NOON_2027_03_31 + DAY / 2, NULL);
	static const uint8_t none[32];

	(void)state;
	assert_memory_equal(before.digest, later.digest, 32);
	assert_memory_not_equal(before.digest, next.digest, 32);
	assert_memory_not_equal(before.digest, none, 32);
	conduits[1].review_by = "2027-03-29";
	later = overdue_find(&ir, NULL, NOON_2027_03_31, NULL);
	assert_memory_not_equal(before.digest, later.digest, 32);
	conduits[1].review_by = "2027-03-30";
	/* If nothing is overdue, the digest is the one of before the first report. */
	assert_memory_equal(overdue_find(&ir, NULL, 0, NULL).digest, none, 32);
}

/* An opening of a door that ended a week ago without a note. */
static void notes_of_openings(void **state)
{
	json_t *doors = json_pack(
		"[{s:I,s:s,s:s,s:I},{s:I,s:s,s:s,s:I,s:s},{s:I,s:s,s:s,s:I},{s:I,s:s,s:b}]", "opening", (json_int_t)17,
		"door", "nagoya", "by", "sato", "ended", (json_int_t)NOON_2027_03_31 - 7 * DAY, "opening",
		(json_int_t)18, "door", "nagoya", "by", "sato", "ended", (json_int_t)NOON_2027_03_31 - 9 * DAY, "note",
		"done", "opening", (json_int_t)19, "door", "osaka", "by", "sato", "ended",
		(json_int_t)NOON_2027_03_31 - 7 * DAY + 1, "opening", (json_int_t)20, "door", "osaka", "open", 1);
	json_t *names = json_array();

	(void)state;
	assert_int_equal(overdue_find(&(struct ir){ 0 }, doors, NOON_2027_03_31, names).n, 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(names, 0), "name")), "17");
	json_decref(names);
	json_decref(doors);
}

/* Other objects with a date: zones and assets with a review, and exceptions that have ended and
 * still lack their report. */
static void not_conduits_alone(void **state)
{
	static struct ir_exception owed = { .applicant = "Aoki", .report = "" },
				   reported = { .applicant = "Aoki", .report = "gone" };
	static struct ir_conduit ended[] = {
		{ .name = "owed",
		  .label = "",
		  .owner = "IT",
		  .review_by = "2019-01-01",
		  .until = 1700000000u,
		  .exception = &owed,
		  .n_exception = 1 },
		{ .name = "reported",
		  .label = "",
		  .owner = "IT",
		  .review_by = "2019-01-01",
		  .until = 1700000000u,
		  .exception = &reported,
		  .n_exception = 1 },
		{ .name = "runs",
		  .label = "",
		  .owner = "IT",
		  .review_by = "2190-01-01",
		  .until = NOON_2027_03_31 + DAY,
		  .exception = &owed,
		  .n_exception = 1 },
	};
	static struct ir_zone zones[] = { { .name = "office", .label = "", .owner = "IT", .review_by = "2027-03-30" },
					  { .name = "self", .label = "", .owner = "", .review_by = "" } };
	static struct ir_asset assets[] = { { .name = "plc", .label = "", .zone = 0, .support_until = "2027-03-31" },
					    { .name = "old", .label = "", .zone = 0, .support_until = "2020-12-31" } };
	const struct ir all = {
		.conduits = ended, .n_conduits = 3, .zones = zones, .n_zones = 2, .assets = assets, .n_assets = 2
	};
	static const char *const want[][4] = { { "exception", "owed", "Aoki", "2023-11-14" },
					       { "zone", "office", "IT", "2027-03-30" },
					       { "asset", "old", "IT", "2020-12-31" } };
	json_t *names = json_array();
	struct overdue o = overdue_find(&all, NULL, NOON_2027_03_31, names);

	(void)state;
	assert_int_equal(o.n, 3);
	assert_int_equal(o.since, 1609459200u); /* 2021-01-01, the date of the asset */
	assert_int_equal(json_array_size(names), 3);
	for (size_t i = 0; i < 3; i++) {
		static const char *const keys[] = { "what", "name", "owner", "day" };

		for (size_t k = 0; k < 4; k++)
			assert_string_equal(json_string_value(json_object_get(json_array_get(names, i), keys[k])),
					    want[i][k]);
	}
	json_decref(names);
	reported.report = "";
	assert_int_equal(overdue_find(&all, NULL, NOON_2027_03_31, NULL).n, 4);
	reported.report = "gone";
}

static void a_crowd(void **state)
{
	static struct ir_conduit many[100];
	const struct ir all = { .conduits = many, .n_conduits = 100 };
	json_t *names = json_array();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		many[i] = (struct ir_conduit){ .name = "x", .label = "", .owner = "o", .review_by = "2020-01-01" };
	assert_int_equal(overdue_find(&all, NULL, NOON_2027_03_31, names).n, 100);
	assert_int_equal(json_array_size(names), OVERDUE_SHOWN);
	json_decref(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_its_day_it_is_not),
		cmocka_unit_test(others_are_told_apart),
		cmocka_unit_test(not_conduits_alone),
		cmocka_unit_test(notes_of_openings),
		cmocka_unit_test(a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
