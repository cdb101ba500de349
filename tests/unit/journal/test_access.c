/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of who read which records: one record for one reading, however often a page asks; nothing
 * that causes itself again; and limits for many readers and many questions.
 *
 * LINK: appliance/journal/access.c $(WIRE_SRC)
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c
 * LIBS: jansson nettle
 */
#include "appliance/journal/access.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#define S 1000000000ull

static struct access a;
static struct event told;

static struct access_reader reader(const char *by)
{
	struct access_reader r = { 0 };

	snprintf(r.by, sizeof(r.by), "%s", by);
	return r;
}

static bool asks(const char *by, const char *what, uint64_t records, uint64_t fresh, uint64_t now)
{
	struct access_reader r = reader(by);

	return access_in(&a, &r, what, records, fresh, now, now, &told);
}

static unsigned out(uint64_t now, bool all)
{
	unsigned n = 0;
	struct event e;

	while (access_out(&a, now, all, &e)) {
		told = e;
		n++;
	}
	return n;
}

static int fresh_table(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	return 0;
}

static void one_reading_is_one_record(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_false(asks("sato", "zone crane", 5, 5, i));
	assert_int_equal(out(S, false), 0);
	assert_int_equal(access_due(&a), ACCESS_FIRST_NS);
	assert_int_equal(out(ACCESS_FIRST_NS, false), 1);
	assert_int_equal(told.kind, EVENT_ACCESS);
	assert_int_equal(told.code, ACCESS_AT_BOX);
	assert_int_equal(told.count, 100);
	assert_int_equal(told.value, 20);
	assert_string_equal(told.text[EVENT_BY], "sato");
	assert_string_equal(told.text[EVENT_OBJECT], "zone crane");
	/* A page asks each second for an hour: one record in five minutes. */
	for (unsigned i = 0, n = 0; i < 3600; i++) {
		asks("sato", "zone crane", 1, 1, ACCESS_FIRST_NS + i * S);
		n += out(ACCESS_FIRST_NS + i * S, false);
		if (i == 3599)
			assert_int_equal(n, 11);
	}
	/* When the reading stops, one record of the rest is written. */
	assert_int_equal(out(2 * 3600 * S, false), 1);
	assert_int_equal(out(3 * 3600 * S, false), 0);
	assert_int_equal(access_due(&a), UINT64_MAX);
}

/* A reader who follows all records sees the record of their own reading, which causes no further
 * record. */
static void reading_does_not_feed_itself(void **state)
{
	unsigned n = 0;

	(void)state;
	for (uint64_t now = 0; now < 3600 * S; now += S) {
		unsigned came = out(now, false);

		n += came;
		asks("sato", "", came, 0, now);
	}
	assert_int_equal(n, 1);
	/* The end of a reading is known after five minutes without a question. */
	assert_int_equal(out(2 * 3600 * S, false), 0);
	assert_int_equal(out(3 * 3600 * S, false), 1);
	assert_int_equal(told.count, 1);
	assert_int_equal(out(4 * 3600 * S, false), 0);
}

static void the_end_tells_all(void **state)
{
	(void)state;
	asks("sato", "", 3, 3, 0);
	asks("abe", "record 7", 1, 1, 0);
	assert_int_equal(out(1, true), 2);
	assert_int_equal(access_due(&a), UINT64_MAX);
}

/* A thousand different questions of one reader make nine records of readings; a thousand readers do
 * not use memory without limit. */
static void many_are_bounded(void **state)
{
	uint64_t reads = 0;
	unsigned n = 0;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "record %u", i);
		assert_false(asks("sato", text, 1, 1, 0));
	}
	for (struct event e; access_out(&a, ACCESS_FIRST_NS, false, &e); n++)
		reads += e.value;
	assert_int_equal(n, ACCESS_EACH + 1);
	assert_int_equal(reads, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "reader %u", i);
		if (asks(text, "", 1, 1, ACCESS_FIRST_NS + i)) {
			n++;
			reads += told.value;
		}
	}
	for (struct event e; access_out(&a, ACCESS_FIRST_NS, true, &e); n++)
		reads += e.value;
	assert_int_equal(reads, 2000);
	assert_int_equal(n, ACCESS_EACH + 1 + 1000);
}

static void what_was_asked_in_words(void **state)
{
	struct event_filter f = { 0 };
	char text[EVENT_TEXT], longest[FILTER_TEXT];

	(void)state;
	access_filter_text(&f, text);
	assert_string_equal(text, "");
	assert_true(event_filter_set(&f, FILTER_SINCE, "2026-11-20T08:10:11.000Z"));
	assert_true(event_filter_set(&f, FILTER_ZONE, "crane"));
	access_filter_text(&f, text);
	assert_string_equal(text, "since 2026-11-20T08, zone crane");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (unsigned k = 0; k < FILTER_KEYS; k++)
		assert_true(event_filter_set(&f, (enum event_filter_key)k, longest));
	access_filter_text(&f, text);
	assert_int_equal(strlen(text), EVENT_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_reading_is_one_record, fresh_table),
		cmocka_unit_test_setup(reading_does_not_feed_itself, fresh_table),
		cmocka_unit_test_setup(the_end_tells_all, fresh_table),
		cmocka_unit_test_setup(many_are_bounded, fresh_table),
		cmocka_unit_test_setup(what_was_asked_in_words, fresh_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
