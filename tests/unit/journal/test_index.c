/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index: every question has the same answer with and without it, whether the index is complete,
 * half made, damaged, of another segment or with another key; and it does save reading.
 *
 * LINK: appliance/journal/search.c appliance/journal/filter.c
 * LINK: appliance/journal/closed.c
 * LINK: appliance/journal/segment.c appliance/journal/chain.c
 * LINK: $(WIRE_SRC) appliance/base/err.c appliance/base/sha256.c appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c
 * LINK: appliance/base/bytes.c appliance/base/memfd.c appliance/base/clock.c
 * LIBS: jansson nettle zlib
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/journal/closed.h"
#include "appliance/journal/search.h"
#include "appliance/journal/segment.h"
#include "tests/unit/folder.h"

#define FILES 12u
#define LINES 40u /* a file */

static const uint8_t key[INDEX_KEY] = { 7 };
static const char *const zones[] = { "office", "crane", "pump", "gate" };
static const char *const kinds[] = { "notice", "warning", "serious" };
static const char *const verdicts[] = { "allow", "deny", "observe" };

/* Each file has few of all names, and other ones than the next file. */
static json_t *record(unsigned file, unsigned i)
{
	char time[32], client[40], asset[24], conduit[24];

	/* Sometimes a record comes late, or has an invalid time. */
	snprintf(time, sizeof(time), "2026-11-%02uT08:%02u:11.000Z", 1 + (i == 7 ? 20 : file), i);
	snprintf(client, sizeof(client), i % 3 == 0 ? "[2001:db8::%x]:502" : "10.0.%u.9:4000", file * 16 + i % 4);
	snprintf(asset, sizeof(asset), i % 5 == 0 ? "say \"%u\"" : "asset-%u", file * 2 + i % 2);
	snprintf(conduit, sizeof(conduit), "conduit-%u", file / 3);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time", i == 9 ? "soon" : time, "kind",
			      "pdu", "severity", kinds[i == 3 && file % 4 == 1 ? 1 + file % 2 : 0], "verdict",
			      verdicts[file % 3], "client", client, "client_zone", zones[file % 4], "server_zone",
			      zones[(file / 2) % 4], "server_asset", asset, "conduit", conduit);

	json_object_set_new(j, "reason", json_string(file % 4 == 2 ? "modbus.value" : "no_conduit"));
	if (file % 4 == 2)
		json_object_update_new(j, json_pack("{s:s, s:i, s:s, s:{s:s, s:i}}", "protocol", "modbus", "function",
						    6, "function_name", "write_single_register", "limit", "what",
						    "value", "wrote", (int)i));
	else if (file % 4 == 3)
		json_object_update_new(j, json_pack("{s:s, s:i, s:s, s:{s:i, s:i}}", "protocol", "modbus", "function",
						    1, "function_name", "read_coils", "wrote", "low", (int)i * 8,
						    "high", (int)i * 9));
	else if (file == 1)
		json_object_update_new(j, json_pack("{s:s, s:i}", "protocol", "modbus", "function", 99));
	return j;
}

static void make(struct folder *f, struct journal *j)
{
	struct journal_recovery found;
	struct err e = { 0 };

	assert_int_equal(journal_open(f->fd, j, &found, &e), 0);
	for (unsigned file = 0; file < FILES; file++) {
		struct pack *p = NULL;
		int r;

		/* Half of the files are packed. */
		while (file == FILES / 2 && (r = pack_step(&p, f->fd, j->first, &e)) != 0)
			assert_int_equal(r, 1);
		journal_turn(j);
		for (unsigned i = 0; i < LINES; i++)
			assert_int_equal(journal_append(j, record(file, i), &e), 0);
	}
	assert_int_equal(journal_sync(j, &e), 0);
}

static uint64_t first_of(unsigned file)
{
	return file * LINES + 1;
}

/* Makes indexes until every closed file has one. Returns the number of steps. */
static unsigned make_index(struct folder *f, const struct journal *j)
{
	struct index *p = NULL;
	uint64_t below = UINT64_MAX;
	struct err e = { 0 };
	unsigned acts = 0;
	int r;

	while ((r = index_step(&p, f->fd, key, j->first, &below, &e)) > 0)
		acts++;
	assert_int_equal(r, 0);
	assert_null(p);
	return acts;
}

static bool has_index(const struct folder *f, unsigned file)
{
	char name[48];

	snprintf(name, sizeof(name), "index-%020u", (unsigned)first_of(file));
	return faccessat(f->fd, name, F_OK, 0) == 0;
}

/* Returns the records of all pages to the end. */
static json_t *ask(struct journal *j, const struct event_filter *asked)
{
	struct line_filter filter;
	json_t *all = json_array(), *list;
	uint64_t after = 0, next = 0;
	struct err e = { 0 };

	assert_true(line_filter_make(asked, &filter));
	for (;; after = next) {
		list = journal_read(j, after, 7, &filter, NULL, &next, &e);
		assert_non_null(list);
		json_array_extend(all, list);
		json_decref(list);
		if (next == after)
			return all;
	}
}

static struct event_filter by(enum event_filter_key k, const char *text)
{
	struct event_filter f = { 0 };

	assert_true(event_filter_set(&f, k, text));
	return f;
}

/* Asks all questions and compares the answers with those without an index; returns the number of
 * answers. */
static unsigned same_answers(struct journal *j)
{
	static const struct {
		enum event_filter_key key;
		const char *text;
	} asked[] = {
		{ FILTER_SINCE, "2026-11-01T00:00:00" },
		{ FILTER_SINCE, "2026-11-09T08:20:11" },
		{ FILTER_SINCE, "2026-11-30T00:00:00" },
		{ FILTER_ZONE, "pump" },
		{ FILTER_ZONE, "nowhere" },
		{ FILTER_ASSET, "asset-7" },
		{ FILTER_ASSET, "asset-700" },
		{ FILTER_ASSET, "pump" },
		{ FILTER_ASSET, "say \\\"4\\\"" },
		{ FILTER_ASSET, "asset-4\",\"conduit\":\"conduit-0" },
		{ FILTER_CONDUIT, "conduit-2" },
		{ FILTER_VERDICT, "observe" },
		{ FILTER_SEVERITY, "warning" },
		{ FILTER_SEVERITY, "serious" },
		{ FILTER_KIND, "drop" },
		{ FILTER_KIND, "access" },
		{ FILTER_PROTOCOL, "modbus" },
		{ FILTER_UNTIL, "2026-11-09T08:20:11" },
		{ FILTER_UNTIL, "2026-11-01T00:00:00" },
		{ FILTER_REASON, "no_conduit" },
		{ FILTER_REASON, "modbus.value" },
		{ FILTER_REASON, "spoofed" },
		{ FILTER_COMMAND, "write_single_register" },
		{ FILTER_COMMAND, "write" },
		{ FILTER_COMMAND, "diagnose,read_coils" },
		{ FILTER_COMMAND, "99,read_coils" },
		{ FILTER_COMMAND, "program" },
		{ FILTER_VALUE, "9" },
		{ FILTER_VALUE, "100-200" },
		{ FILTER_PROTOCOL, "telnet" },
		{ FILTER_PROTOCOL, FILTER_IN_CLEAR },
		{ FILTER_HOST, "10.0.33.9" },
		{ FILTER_HOST, "10.0.32.0/20" },
		{ FILTER_HOST, "2001:db8::40" },
		{ FILTER_HOST, "192.0.2.1" },
	};
	const uint8_t *with = j->index_key;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		for (size_t k = i; k < sizeof(asked) / sizeof(asked[0]); k++) {
			struct event_filter f = by(asked[i].key, asked[i].text);
			json_t *here, *there;

			assert_true(event_filter_set(&f, asked[k].key, asked[k].text));
			here = ask(j, &f);
			j->index_key = NULL;
			there = ask(j, &f);
			j->index_key = with;
			assert_true(json_equal(here, there));
			n += (unsigned)json_array_size(here);
			json_decref(here);
			json_decref(there);
		}
	return n;
}

static void whatever_is_asked(void **state)
{
	struct folder *f = *state;
	struct journal j;
	unsigned n;

	make(f, &j);
	n = same_answers(&j);
	assert_true(n > 1000);
	j.index_key = key;
	assert_int_equal(same_answers(&j), n); /* there is none yet */
	make_index(f, &j);
	for (unsigned file = 0; file < FILES; file++)
		assert_int_equal(has_index(f, file), file < FILES - 1);
	assert_int_equal(same_answers(&j), n);
	assert_int_equal(make_index(f, &j), 0);
	journal_close(&j);
}

/* A matching record is put into a file whose index does not know it: it is not found, because the
 * file is not read. */
static void what_is_ruled_out_is_not_read(void **state)
{
	struct event_filter asked = by(FILTER_ASSET, "asset-xy");
	struct folder *f = *state;
	struct journal j;
	char name[48], text[1 << 16];
	ssize_t n;
	json_t *list;
	int fd;

	make(f, &j);
	make_index(f, &j);
	journal_segment_name(first_of(8), name);
	fd = openat(f->fd, name, O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	memcpy(strstr(text, "asset-17"), "asset-xy", 8);
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	close(fd);
	list = ask(&j, &asked);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	j.index_key = key;
	list = ask(&j, &asked);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	journal_close(&j);
}

static void put_byte(const struct folder *f, const char *name, off_t at)
{
	int fd = openat(f->fd, name, O_RDWR | O_CLOEXEC);
	char c;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* An index that is damaged in any byte, cut, of another segment, or made with another key counts as
 * missing, and is made anew. */
static void none_of_its_segment(void **state)
{
	static const uint8_t other[INDEX_KEY] = { 8 };
	struct folder *f = *state;
	struct journal j;
	struct sketch s;
	struct stat st;
	char name[48], second[48];

	make(f, &j);
	make_index(f, &j);
	snprintf(name, sizeof(name), "index-%020u", (unsigned)first_of(2));
	snprintf(second, sizeof(second), "index-%020u", (unsigned)first_of(3));
	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	assert_true(index_read(f->fd, key, first_of(2), first_of(3) - 1, &s));
	for (off_t at = 0; at < st.st_size; at += at < 80 || at > st.st_size - 60 ? 1 : 61) {
		put_byte(f, name, at);
		/* The bytes behind the MAC do not matter. */
		if (index_read(f->fd, key, first_of(2), first_of(3) - 1, &s))
			assert_true(at >= st.st_size - 8);
		else
			assert_false(has_index(f, 2));
		make_index(f, &j);
		assert_true(index_read(f->fd, key, first_of(2), first_of(3) - 1, &s));
	}
	assert_int_equal(renameat(f->fd, second, f->fd, name), 0);
	assert_false(index_read(f->fd, key, first_of(2), first_of(3) - 1, &s));
	make_index(f, &j);
	assert_true(has_index(f, 2) && has_index(f, 3));
	/* File 3, behind the file of this index, would be missing, and nobody knows its
	 * contents. */
	assert_false(index_read(f->fd, key, first_of(2), first_of(4) - 1, &s));
	make_index(f, &j);
	assert_false(index_read(f->fd, other, first_of(2), first_of(3) - 1, &s));
	assert_false(has_index(f, 2));
	journal_close(&j);
}

/* Stopped after any step: complete indexes are there, and the next start makes the others. */
static void a_stop_in_the_middle(void **state)
{
	struct folder *f = *state;
	struct journal j;
	struct err e = { 0 };
	unsigned acts = 0;

	make(f, &j);
	j.index_key = key;
	for (bool more = true; more; acts++) {
		uint64_t below = UINT64_MAX;
		struct index *p = NULL;

		for (unsigned i = 0; i <= acts % 3 && more; i++)
			more = index_step(&p, f->fd, key, j.first, &below, &e) == 1;
		index_forget(&p);
		assert_true(acts < 100);
	}
	for (unsigned file = 0; file < FILES - 1; file++)
		assert_true(has_index(f, file));
	assert_true(same_answers(&j) > 1000);
	journal_close(&j);
}

/* A file with a damaged line or a missing number is read for every question. */
static void damage_is_always_read(void **state)
{
	struct folder *f = *state;
	struct journal j;
	struct sketch s;
	char name[48];

	make(f, &j);
	journal_segment_name(first_of(9), name);
	put_byte(f, name, 6); /* a byte of "seq" */
	make_index(f, &j);
	assert_true(has_index(f, 9));
	assert_false(index_read(f->fd, key, first_of(9), first_of(10) - 1, &s));
	assert_true(has_index(f, 9)); /* its index is valid, so it is not made again and again */
	j.index_key = key;
	assert_true(same_answers(&j) > 1000);
	journal_close(&j);
}

/* If an index cannot be written, nothing else stops. An index is removed together with its
 * segment. */
static void no_room_and_no_segment(void **state)
{
	struct folder *f = *state;
	uint64_t below = UINT64_MAX;
	struct index *p = NULL;
	struct journal j;
	struct err e = { 0 };
	int r = 1;

	make(f, &j);
	j.index_key = key;
	assert_int_equal(mkdirat(f->fd, "index.new", 0700), 0);
	while (r > 0)
		r = index_step(&p, f->fd, key, j.first, &below, &e);
	assert_true(r < 0);
	assert_null(p);
	assert_false(has_index(f, FILES - 2));
	assert_int_equal(journal_append(&j, record(FILES, 0), &e), 0);
	assert_true(same_answers(&j) > 1000);
	assert_int_equal(unlinkat(f->fd, "index.new", AT_REMOVEDIR), 0);
	make_index(f, &j);
	assert_true(has_index(f, 0));
	assert_int_equal(keep_delete(f->fd, first_of(0), &e), 0);
	assert_false(has_index(f, 0));
	assert_true(same_answers(&j) > 1000);
	journal_close(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_ruled_out_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(none_of_its_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_always_read, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room_and_no_segment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
