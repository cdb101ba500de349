/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long records are kept: what is deleted by the site's rule and when, what happens when the
 * clock jumps, what the chain records about deletions and how verify judges them; a stop, and a
 * failing disk, at each step. Also which closed files get an index and which are packed. The test
 * has its own clock.
 *
 * LINK: appliance/journal/closed.c appliance/journal/role_keep.c appliance/journal/room.c
 * LINK: appliance/journal/role_write.c appliance/journal/role_take.c
 * LINK: appliance/journal/segment.c appliance/journal/chain.c
 * LINK: appliance/journal/verify.c
 * LINK: appliance/journal/json.c appliance/wire/tls.c appliance/journal/names.c
 * LINK: appliance/journal/flood.c
 * LINK: $(WIRE_SRC) policy/ir/seal.c policy/ir/unseal.c appliance/wire/hours.c policy/ir/objects.c
 * LINK: policy/ir/book.c
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/bytes.c appliance/base/memfd.c appliance/base/arena.c mgmt/state/journal.c
 * LINK: appliance/base/errno_text.c appliance/base/messages.c
 * LINK: appliance/journal/checkpoint.c appliance/journal/signer.c
 * LINK: appliance/journal/search.c appliance/journal/filter.c
 * LINK: appliance/journal/access.c appliance/journal/hold.c appliance/journal/role_hold.c
 * LINK: appliance/journal/role_register.c appliance/journal/role_device.c
 * LINK: appliance/journal/role_weak.c appliance/journal/weak.c
 * LINK: appliance/journal/attack.c appliance/journal/attack_sign.c appliance/journal/attack_file.c
 * LINK: appliance/journal/role_trends.c appliance/journal/trends.c
 * LINK: appliance/journal/role_attack.c appliance/journal/known.c appliance/base/atomic_file.c
 * LINK: appliance/base/columns.c appliance/journal/role_clean.c appliance/journal/clean.c
 * LINK: policy/ir/meaning.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_hold.h"
#include "appliance/journal/role_keep.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "appliance/wire/settings.h"
#include "mgmt/state/journal.h"
#include "policy/ir/ir.h"
#include "policy/ir/seal.h"
#include "tests/unit/folder.h"

#define BEGAN 1780000000u /* some day in 2026 */
#define LINES 3		  /* a file */
#define HOUR 3600u

static const struct keep_rule month = { 30, 40 };

/* ---- the clock ------------------------------------------------------------------------------- */

static uint64_t wall_s = BEGAN, mono_s = 1000;

struct mono clock_mono(void)
{
	return (struct mono){ mono_s * 1000000000ull };
}

uint64_t clock_wall_ns(void)
{
	return wall_s * 1000000000ull;
}

static void passes(uint64_t seconds)
{
	wall_s += seconds;
	mono_s += seconds;
}

/* ---- journals -------------------------------------------------------------------------------- */

static void set_written(struct folder *f, uint64_t first, uint64_t at)
{
	const struct timespec t[2] = { { .tv_sec = (time_t)at }, { .tv_sec = (time_t)at } };
	char name[48];

	journal_segment_name(first, name);
	assert_int_equal(utimensat(f->fd, name, t, 0), 0);
}

static void open_with(struct folder *f, struct journal_role *j, struct ir *policy)
{
	struct journal_recovery found;
	struct err e = { 0 };
	uint8_t *sealed;
	size_t n;

	memset(j, 0, sizeof(*j));
	assert_int_equal(journal_open(f->fd, &j->chain, &found, &e), 0);
	assert_int_equal(found.missing + found.torn_bytes, 0);
	/* Nothing is packed before a rule is known. */
	assert_int_equal(ir_seal(policy, &sealed, &n, &e), 0);
	assert_int_equal(
		names_add(&j->names,
			  &(struct names_source){ 1, sealed, n, bytes_of(NULL, 0), NULL, 0, bytes_of(NULL, 0) }, &e),
		0);
	free(sealed);
}

/* Opens a journal whose records no other program reads. */
static void open_journal(struct folder *f, struct journal_role *j)
{
	open_with(f, j,
		  &(struct ir){ .site_name = "",
				.site_label = "",
				.site_contact = "",
				.records_purpose = "",
				.records_responsible = "" });
}

/* Opens a journal whose records are sent to a log server. */
static void open_sent_on(struct folder *f, struct journal_role *j)
{
	struct ir_peer server = { .name = "log.example.jp",
				  .ca = "/etc/ssl/log.pem",
				  .l4proto = IPPROTO_TCP,
				  .port = 6514,
				  .use = PEER_LOG };

	assert_true(addr_parse("10.99.0.9", &server.address));

	open_with(f, j,
		  &(struct ir){ .site_name = "",
				.site_label = "",
				.site_contact = "",
				.records_purpose = "",
				.records_responsible = "",
				.peers = &server,
				.n_peers = 1 });
}

static void stop(struct journal_role *j)
{
	pack_forget(&j->pack);
	index_forget(&j->index);
	names_forget(&j->names);
	reserve_end(&j->reserve);
	journal_close(&j->chain);
}

/* A file with records that are all written at this moment. */
static uint64_t write_file(struct folder *f, struct journal_role *j)
{
	uint64_t first = j->chain.next_seq;
	struct err e = { 0 };

	journal_turn(&j->chain);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(journal_append(&j->chain, json_pack("{s:s}", "kind", "test"), &e), 0);
	assert_int_equal(journal_sync(&j->chain, &e), 0);
	set_written(f, first, wall_s);
	return first;
}

/* A file for each day, for this number of days; the last one is open. */
static void days(struct folder *f, struct journal_role *j, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		passes(KEEP_DAY);
		write_file(f, j);
	}
}

static uint64_t oldest(struct folder *f, size_t *ret_n)
{
	struct segment_file *list;
	struct err e = { 0 };
	uint64_t first;
	size_t n;

	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	first = n > 0 ? list[0].first : 0;
	free(list);
	if (ret_n != NULL)
		*ret_n = n;
	return first;
}

static int due(struct folder *f, const struct journal_role *j, struct keep_file *ret)
{
	struct err e = { 0 };

	return keep_due(f->fd, j->chain.first, &month, wall_s, ret, &e);
}

/* Does everything that is due now. */
static void act(struct journal_role *j)
{
	for (int i = 0; i < 1000 && role_keep_due(j) <= clock_mono().ns; i++)
		role_keep(j, clock_mono().ns);
}

static void judge(struct folder *f, unsigned open, uint64_t deleted)
{
	struct journal_report r;
	struct err e = { 0 };

	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.open, open);
	assert_int_equal(r.deleted, deleted);
	if (deleted != 0)
		assert_in_range(r.deleted_by, r.first, r.last);
}

/* ---- what goes, and when --------------------------------------------------------------------- */

static void only_what_is_old_enough(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;
	struct err e = { 0 };
	unsigned gone = 0;
	uint64_t last;

	open_journal(f, &j);
	days(f, &j, 39);
	assert_int_equal(due(f, &j, &file), 0);
	days(f, &j, 21);
	last = wall_s;
	while (due(f, &j, &file) == 1) {
		assert_int_equal(file.first, gone * LINES + 1);
		assert_int_equal(file.last, (gone + 1) * LINES);
		/* Files are deleted after keep_days at the earliest, and by delete_after_days. */
		assert_in_range(last - file.written, 39 * KEEP_DAY, 60 * KEEP_DAY);
		assert_int_equal(keep_delete(f->fd, file.first, &e), 0);
		gone++;
	}
	assert_int_equal(gone, 21);
	/* Without a rule, or with a senseless one, nothing is deleted. */
	passes(1000 * HOUR);
	for (unsigned i = 0; i < 4; i++) {
		struct keep_rule r = { i == 0 ? 0 : 40, i == 1 ? 0 : i == 2 ? 40 : i == 3 ? 39 : 0 };

		assert_int_equal(keep_due(f->fd, j.chain.first, &r, wall_s + 400 * KEEP_DAY, &file, &e), 0);
	}
	stop(&j);
}

static void packed_ones_have_their_age(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file plain, packed;

	open_journal(f, &j);
	days(f, &j, 60);
	assert_int_equal(due(f, &j, &plain), 1);
	act(&j);
	assert_int_equal(due(f, &j, &packed), 1);
	assert_memory_equal(&plain, &packed, sizeof(plain));
	stop(&j);
}

/* The open file stays whatever its age, and so does the only file. */
static void the_open_one_stays(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;

	open_journal(f, &j);
	passes(KEEP_DAY);
	write_file(f, &j);
	for (int i = 0; i < 20; i++)
		passes(5 * KEEP_DAY);
	assert_int_equal(due(f, &j, &file), 0);
	stop(&j);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void a_jump_forward_deletes_nothing(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;

	open_journal(f, &j);
	days(f, &j, 20);
	wall_s += 3650ull * KEEP_DAY; /* only the clock was changed */
	assert_int_equal(due(f, &j, &file), 0);
	write_file(f, &j);
	assert_int_equal(due(f, &j, &file), 0);
	/* The time that then passes counts: the oldest file is 19 days old, and is deleted when it
	 * is 39 days old. */
	days(f, &j, 19);
	assert_int_equal(due(f, &j, &file), 0);
	days(f, &j, 1);
	assert_int_equal(due(f, &j, &file), 1);
	assert_int_equal(file.first, 1);
	stop(&j);
}

/* A file that was written while the clock was wrong neither makes others older nor stays for ever
 * when the clock is right again. */
static void a_clock_that_was_ahead_for_a_while(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;
	struct err e = { 0 };
	unsigned gone = 0;

	open_journal(f, &j);
	days(f, &j, 10);
	wall_s += 3650ull * KEEP_DAY;
	write_file(f, &j);
	wall_s -= 3650ull * KEEP_DAY;
	write_file(f, &j);
	assert_int_equal(due(f, &j, &file), 0);
	days(f, &j, 29);
	assert_int_equal(due(f, &j, &file), 0); /* 38 days */
	days(f, &j, 20);
	while (due(f, &j, &file) == 1) {
		assert_int_equal(keep_delete(f->fd, file.first, &e), 0);
		gone++;
	}
	assert_int_equal(gone, 12 + 10); /* the file from the wrong time is among them */
	stop(&j);
}

/* The clock goes back: earlier files do not become older because of that. */
static void a_jump_backwards(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;

	open_journal(f, &j);
	days(f, &j, 60);
	assert_int_equal(due(f, &j, &file), 1);
	wall_s -= 1000ull * KEEP_DAY;
	write_file(f, &j);
	assert_int_equal(due(f, &j, &file), 0);
	stop(&j);
}

/* Three months in a store-room look like a jump of the clock: records are kept longer, never
 * shorter. */
static void switched_off_for_a_season(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;

	open_journal(f, &j);
	days(f, &j, 20);
	passes(90ull * KEEP_DAY);
	write_file(f, &j);
	assert_int_equal(due(f, &j, &file), 0);
	days(f, &j, 20);
	assert_int_equal(due(f, &j, &file), 1);
	stop(&j);
}

/* A clock that stood back while a later file was closed makes the file before it older, but not the
 * file under the hold. */
static void a_hold_and_a_clock_that_stood_back(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;
	struct err e = { 0 };
	uint64_t began;

	open_journal(f, &j);
	began = wall_s;
	journal_turn(&j.chain);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(
			journal_append(&j.chain, json_pack("{s:o}", "time", json_time(wall_s * 1000000000ull)), &e), 0);
	assert_int_equal(journal_sync(&j.chain, &e), 0);
	passes(20 * KEEP_DAY);
	set_written(f, 1, wall_s);
	wall_s -= 80 * KEEP_DAY;
	write_file(f, &j);
	wall_s += 80 * KEEP_DAY;
	write_file(f, &j);
	days(f, &j, 45);
	assert_int_equal(due(f, &j, &file), 1);
	assert_int_equal(file.first, 1);
	assert_int_equal(file.written, began - 60 * KEEP_DAY);
	for (int i = 0; i < 2; i++) {
		j.keeping.holds = (struct holds){ .n = 1 };
		j.keeping.holds.list[0] =
			(struct hold){ .number = 1, .from = began + 9 * KEEP_DAY, .until = began + 18 * KEEP_DAY };
		assert_true(role_hold_keeps(&j, &file));
		j.keeping.holds.list[0].from = j.keeping.holds.list[0].until = began - 30 * KEEP_DAY;
		assert_true(role_hold_keeps(&j, &file));
		j.keeping.holds.list[0].from = began + 22 * KEEP_DAY;
		j.keeping.holds.list[0].until = HOLD_OPEN;
		assert_false(role_hold_keeps(&j, &file));
		/* This holds for packed files as well. */
		act(&j);
		assert_int_equal(due(f, &j, &file), 1);
	}
	stop(&j);
}

/* ---- the role -------------------------------------------------------------------------------- */

/* One file an hour, the first an hour after the rule; each with a record, from which verify knows
 * what is missing. */
static void one_an_hour_and_each_is_recorded(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	uint64_t first;
	size_t n;

	open_journal(f, &j);
	days(f, &j, 45);
	role_keep_rule(&j, &month);
	act(&j);
	assert_int_equal(oldest(f, &n), 1);
	assert_int_equal(n, 45);
	judge(f, 0, 0);
	for (unsigned gone = 1; gone <= 6; gone++) {
		passes(HOUR - 1);
		act(&j);
		assert_int_equal(oldest(f, NULL), (gone - 1) * LINES + 1);
		passes(1);
		act(&j);
		first = oldest(f, NULL);
		assert_int_equal(first, gone * LINES + 1);
		judge(f, 0, first - 1);
	}
	passes(HOUR);
	act(&j);
	assert_int_equal(oldest(f, NULL), first);
	/* A file that somebody deleted by hand is not covered by the rule: another file is missing
	 * without a record. */
	{
		struct err e = { 0 };

		assert_int_equal(keep_delete(f->fd, first, &e), 0);
		judge(f, JOURNAL_BEGIN_OPEN, 0);
	}
	stop(&j);
}

/* The same rule again changes nothing. Another rule, or none (during a trial), begins a new
 * hour. */
static enum answer_status order(struct journal_role *j, enum hold_order what, uint32_t number, uint64_t since,
				const char *reason)
{
	struct msg m = { .body = { MSG_HOLD, .hold = { .order = (uint8_t)what,
						       .number = number,
						       .since = since,
						       .until = HOLD_OPEN,
						       .by = "sato",
						       .person = "Sato",
						       .reason = reason } } };
	enum answer_status status;

	json_decref(role_hold_order(j, &m, &status));
	return status;
}

/* Records older than a hold are deleted. Records under the hold are kept from age and lack of room,
 * also over a restart, until the hold is lifted. */
static void what_is_held_stays(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	uint64_t first;

	open_journal(f, &j);
	days(f, &j, 45);
	assert_int_equal(order(&j, HOLD_PLACE, 0, BEGAN, ""), ANSWER_INVALID);
	assert_int_equal(order(&j, HOLD_PLACE, 0, BEGAN + 4 * KEEP_DAY, "case 12"), ANSWER_YES);
	role_keep_rule(&j, &month);
	for (unsigned hour = 0; hour < 12; hour++) {
		act(&j);
		passes(HOUR);
	}
	first = oldest(f, NULL);
	assert_in_range(first, LINES + 1, 5 * LINES);
	assert_true(j.keeping.held);
	j.writing.pressed = j.writing.full = true;
	j.writing.retry_at = UINT64_MAX;
	for (unsigned hour = 0; hour < 3; hour++) {
		passes(HOUR);
		act(&j);
		assert_int_equal(oldest(f, NULL), first);
	}
	stop(&j);
	open_journal(f, &j);
	role_hold_open(&j);
	assert_int_equal(j.keeping.holds.n, 1);
	role_keep_rule(&j, &month);
	passes(HOUR);
	act(&j);
	assert_int_equal(oldest(f, NULL), first);
	assert_int_equal(order(&j, HOLD_LIFT, 2, 0, "closed"), ANSWER_NO);
	assert_int_equal(order(&j, HOLD_LIFT, 1, 0, "closed"), ANSWER_YES);
	passes(HOUR);
	act(&j);
	assert_true(oldest(f, NULL) > first);
	assert_false(j.keeping.held);
	stop(&j);
}

static void another_rule_waits(void **state)
{
	static const struct keep_rule none = { 0, 0 }, week = { 7, 8 };
	static struct journal_role j;
	struct folder *f = *state;

	open_journal(f, &j);
	days(f, &j, 20);
	role_keep_rule(&j, &month);
	passes(HOUR / 2);
	role_keep_rule(&j, &none);
	passes(HOUR);
	act(&j);
	assert_int_equal(oldest(f, NULL), 1);
	role_keep_rule(&j, &week);
	passes(HOUR / 2);
	role_keep_rule(&j, &week);
	act(&j);
	assert_int_equal(oldest(f, NULL), 1);
	passes(HOUR / 2);
	act(&j);
	assert_int_equal(oldest(f, NULL), LINES + 1);
	judge(f, 0, LINES);
	/* The rule becomes longer before the next deletion: the rest stays. */
	role_keep_rule(&j, &month);
	for (int i = 0; i < 30; i++) {
		passes(HOUR);
		act(&j);
	}
	assert_int_equal(oldest(f, NULL), LINES + 1);
	judge(f, 0, LINES);
	stop(&j);
}

/* With a rule, a new file begins after a day at the latest, so that whole days can be deleted. */
static void a_file_each_day(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct err e = { 0 };
	size_t n;

	open_journal(f, &j);
	write_file(f, &j);
	role_keep_rule(&j, &month);
	for (int hour = 0; hour < 5 * 24; hour++) {
		passes(HOUR);
		act(&j);
		assert_int_equal(journal_append(&j.chain, json_pack("{s:s}", "kind", "test"), &e), 0);
		assert_int_equal(journal_sync(&j.chain, &e), 0);
		set_written(f, j.chain.first, wall_s);
	}
	oldest(f, &n);
	assert_in_range(n, 5, 7);
	judge(f, 0, 0);
	stop(&j);
}

/* An hour with one record. */
static void an_hour(struct folder *f, struct journal_role *j)
{
	struct err e = { 0 };

	passes(HOUR);
	act(j);
	assert_int_equal(journal_append(&j->chain, json_pack("{s:I}", "at", (json_int_t)wall_s), &e), 0);
	assert_int_equal(journal_sync(&j->chain, &e), 0);
	set_written(f, j->chain.first, wall_s);
}

/* There is no rule for a hundred days, then one comes: older files are deleted, one an hour, and
 * nothing else. */
static void a_rule_that_comes_late(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	uint64_t first;
	size_t n;

	open_journal(f, &j);
	role_keep(&j, clock_mono().ns);
	for (int hour = 0; hour < 100 * 24; hour++)
		an_hour(f, &j);
	oldest(f, &n);
	/* A new file begins at the first hourly look that finds the present one a day old. So a
	 * file may last for 25 hours. */
	assert_in_range(n, 95, 108);
	role_keep_rule(&j, &month);
	for (int hour = 0; hour < 4 * 24; hour++)
		an_hour(f, &j);
	oldest(f, &n);
	assert_in_range(n, 38, 45);
	judge(f, 0, oldest(f, NULL) - 1);
	/* While the disk is full no new file begins. */
	first = j.chain.first;
	j.writing.pressed = j.writing.full = true;
	j.writing.retry_at = UINT64_MAX;
	for (int hour = 0; hour < 2 * 24; hour++)
		an_hour(f, &j);
	assert_int_equal(j.chain.first, first);
	stop(&j);
}

/* The reason why the oldest file stays is in Japanese; only the file's name is not. */
static void in_japanese(const char *text)
{
	char *said = NULL, *name;
	size_t size;
	FILE *to = open_memstream(&said, &size);

	assert_non_null(to);
	lost_print(to, LANG_JA, text);
	assert_int_equal(fclose(to), 0);
	name = strstr(said, "events-");
	if (name != NULL)
		memset(name, '0', strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-"));
	if (strpbrk(said, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		fail_msg("%s: %s", text, said);
	free(said);
}

/* Hours with one record each, in which files begin as the rule wants; returns the number of new
 * files. */
static size_t hours(struct folder *f, struct journal_role *j, int n)
{
	struct err e = { 0 };
	size_t before, after;

	oldest(f, &before);
	for (int hour = 0; hour < n; hour++) {
		passes(HOUR);
		act(j);
		assert_int_equal(journal_append(&j->chain, json_pack("{s:s}", "kind", "test"), &e), 0);
		assert_int_equal(journal_sync(&j->chain, &e), 0);
		set_written(f, j->chain.first, wall_s);
	}
	oldest(f, &after);
	return after - before;
}

/* A file that was closed while the clock was years ahead does not keep later files open until
 * then. */
static void a_file_each_day_after_a_clock_that_was_ahead(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	size_t n;

	open_journal(f, &j);
	write_file(f, &j);
	role_keep_rule(&j, &month);
	hours(f, &j, 48);
	wall_s += 3650ull * KEEP_DAY;
	n = hours(f, &j, 48);
	assert_in_range(n, 2, 4);
	wall_s -= 3650ull * KEEP_DAY;
	n = hours(f, &j, 5 * 24);
	assert_in_range(n, 5, 7);
	/* So no record stays longer than the rule says. */
	hours(f, &j, 41 * 24);
	{
		struct segment_file *list;
		struct err e = { 0 };
		uint64_t written;

		assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
		assert_int_equal(segment_written(f->fd, &list[0], &written, &e), 0);
		free(list);
		assert_in_range(wall_s - written, 30 * KEEP_DAY, 40 * KEEP_DAY);
		assert_in_range(n, 38, 43);
	}
	judge(f, 0, oldest(f, NULL) - 1);
	stop(&j);
}

/* A file whose header has no time does not keep later files open either. */
static void a_file_each_day_after_damage(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	char name[48];
	int fd;

	open_journal(f, &j);
	days(f, &j, 3);
	act(&j);
	segment_packed_name(LINES + 1, name);
	fd = openat(f->fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	role_keep_rule(&j, &month);
	assert_in_range(hours(f, &j, 3 * 24), 3, 4);
	in_japanese(j.keeping.stuck);
	stop(&j);
}

/* The journal stops after it recorded a deletion and before it deletes, or the deletion does not
 * reach the disk: the next start records the deletion again, and deletes. */
static void a_stop_in_the_middle(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	char name[48];

	open_journal(f, &j);
	days(f, &j, 45);
	act(&j); /* all is packed */
	role_keep_rule(&j, &month);
	segment_packed_name(1, name);
	assert_int_equal(linkat(f->fd, name, f->fd, "aside", 0), 0);
	passes(HOUR);
	act(&j);
	judge(f, 0, LINES);
	stop(&j);
	assert_int_equal(renameat(f->fd, "aside", f->fd, name), 0);
	judge(f, 0, 0);
	open_journal(f, &j);
	role_keep_rule(&j, &month);
	act(&j);
	assert_int_equal(oldest(f, NULL), 1);
	for (int i = 0; i < 3; i++) {
		passes(HOUR);
		act(&j);
	}
	assert_int_equal(oldest(f, NULL), 3 * LINES + 1);
	judge(f, 0, 3 * LINES);
	stop(&j);
}

/* A name that cannot be removed: the failure is reported, and the removal is tried again without a
 * second record. */
static void a_disk_that_refuses_to_delete(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	uint64_t records = 0;
	char name[48];

	open_journal(f, &j);
	days(f, &j, 45);
	role_keep_rule(&j, &month);
	act(&j);
	/* A folder takes the name of the file for a while, so the file cannot be removed. */
	segment_packed_name(1, name);
	assert_int_equal(linkat(f->fd, name, f->fd, "aside", 0), 0);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	journal_segment_name(1, name);
	assert_int_equal(mkdirat(f->fd, name, 0700), 0);
	set_written(f, 1, BEGAN + KEEP_DAY);
	for (int i = 0; i < 3; i++) {
		passes(HOUR);
		act(&j);
		assert_int_equal(oldest(f, NULL), 1);
		if (i == 0)
			records = j.chain.next_seq;
		in_japanese(j.keeping.stuck);
	}
	assert_int_equal(j.chain.next_seq, records);
	assert_int_equal(unlinkat(f->fd, name, AT_REMOVEDIR), 0);
	segment_packed_name(1, name);
	assert_int_equal(renameat(f->fd, "aside", f->fd, name), 0);
	passes(HOUR);
	act(&j);
	assert_int_equal(j.chain.next_seq, records);
	assert_int_equal(oldest(f, NULL), LINES + 1);
	judge(f, 0, LINES);
	stop(&j);
}

/* If the disk does not accept the record, the file stays. */
static void no_record_no_deletion(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct rlimit old, tight;

	signal(SIGXFSZ, SIG_IGN);
	open_journal(f, &j);
	days(f, &j, 45);
	act(&j);
	role_keep_rule(&j, &month);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = 20; /* a new file accepts nothing either */
	passes(HOUR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	act(&j);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(j.writing.pressed);
	assert_int_equal(oldest(f, NULL), 1);
	judge(f, 0, 0);
	/* The disk accepts lines again: an hour later the file is deleted. */
	passes(HOUR);
	role_retry(&j, clock_mono().ns);
	assert_false(j.writing.pressed);
	assert_int_equal(oldest(f, NULL), 1);
	judge(f, 0, 0);
	act(&j);
	assert_int_equal(oldest(f, NULL), LINES + 1);
	judge(f, 0, LINES);
	stop(&j);
}

/* The file behind the oldest one is damaged, so that the chain could not be continued from it: the
 * oldest one stays. */
static void damage_stops_it(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct keep_file file;
	char name[48];
	int fd;

	open_journal(f, &j);
	days(f, &j, 60);
	journal_segment_name(LINES + 1, name);
	fd = openat(f->fd, name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "#", 1, 9), 1);
	close(fd);
	set_written(f, LINES + 1, BEGAN + 2 * KEEP_DAY);
	assert_true(due(f, &j, &file) < 0);
	role_keep_rule(&j, &month);
	for (int i = 0; i < 5; i++) {
		uint64_t next = j.chain.next_seq;

		passes(HOUR);
		act(&j);
		/* Reported once, and known as long as it lasts. */
		assert_int_equal(j.chain.next_seq, i == 0 ? next + 1 : next);
		assert_non_null(strstr(j.keeping.stuck, "cannot be read"));
		in_japanese(j.keeping.stuck);
	}
	assert_int_equal(oldest(f, NULL), 1);
	role_keep_rule(&j, &(struct keep_rule){ 0, 0 });
	assert_int_equal(j.keeping.stuck[0], 0);
	stop(&j);
}

/* On a full disk, files older than keep_days are deleted early, one in ten minutes, while the disk
 * is full; younger files never. */
static void for_room_before_its_time(void **state)
{
	static const struct keep_rule long_rule = { 30, 400 };
	static struct journal_role j;
	struct folder *f = *state;
	struct err full = { .code = -ENOSPC, .text = "write: no room" };
	unsigned gone = 0;

	open_journal(f, &j);
	days(f, &j, 40);
	act(&j);
	role_keep_rule(&j, &long_rule);
	role_press(&j, &full);
	passes(HOUR - 1);
	act(&j);
	assert_int_equal(oldest(f, NULL), 1);
	passes(1);
	for (int i = 0; i < 50; i++, passes(HOUR / 6)) {
		act(&j);
		act(&j);
		if (oldest(f, NULL) == gone * LINES + 1)
			break;
		gone++;
		assert_int_equal(oldest(f, NULL), gone * LINES + 1);
		judge(f, 0, gone * LINES);
	}
	/* Files that are 39, 38, ... 30 days old; the open one is that of the 40th day. */
	assert_int_equal(gone, 10);
	/* A broken disk does not count as a full one. */
	passes(10 * KEEP_DAY / 2);
	full.code = -EIO;
	role_press(&j, &full);
	passes(HOUR);
	act(&j);
	assert_int_equal(oldest(f, NULL), gone * LINES + 1);
	stop(&j);
}

/* ---- signed ---------------------------------------------------------------------------------- */

static void give_key(struct folder *f, struct journal_role *j)
{
	if (mkdirat(f->fd, "keys", 0700) < 0)
		assert_int_equal(errno, EEXIST);
	j->signing.folder = openat(f->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(j->signing.folder > 0);
	assert_true(role_key(j));
}

static struct journal_report judged_by_key(struct folder *f, const struct journal_role *j)
{
	struct checkpoint_keys keys = { .n = 1 };
	const struct journal_trust trust = { &keys, NULL };
	struct journal_report r;
	struct err e = { 0 };

	memcpy(keys.list[0], j->signing.signer.public, CHECKPOINT_KEY);
	assert_int_equal(journal_verify(f->path, &trust, &r, &e), 0);
	return r;
}

/* A check with the key alone reports no damage if files were deleted for room, at whatever
 * moment. */
static void for_room_by_a_signed_word(void **state)
{
	static const struct keep_rule long_rule = { 30, 400 };
	static struct journal_role j;
	struct folder *f = *state;
	struct err full = { .code = -ENOSPC, .text = "write: no room" };
	struct journal_report r;

	open_journal(f, &j);
	give_key(f, &j);
	days(f, &j, 40);
	act(&j);
	role_keep_rule(&j, &long_rule);
	role_press(&j, &full);
	passes(HOUR);
	for (unsigned gone = 1; gone <= 3; gone++, passes(HOUR / 6)) {
		act(&j);
		assert_true(j.writing.pressed);
		assert_int_equal(oldest(f, NULL), gone * LINES + 1);
		r = judged_by_key(f, &j);
		assert_int_equal(r.faults, 0);
		assert_int_equal(r.open, 0);
		assert_int_equal(r.deleted, gone * LINES);
		assert_true(r.signed_to >= r.deleted_by);
	}
	close(j.signing.folder);
	stop(&j);
}

/* The n-th memory allocation for JSON fails. */
static unsigned fail_at;

static void *scarce(size_t n)
{
	if (fail_at > 0 && --fail_at == 0)
		return NULL;
	return malloc(n);
}

/* The number of lines in the first file with the one text and without the other. */
static unsigned lines_with(struct folder *f, const char *what, const char *without)
{
	struct err e = { 0 };
	unsigned found = 0;
	char *text, *rest;
	size_t n;

	assert_int_equal(segment_whole(f->fd, 1, &text, &n, &e), 0);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		found += strstr(line, what) != NULL && (without == NULL || strstr(line, without) == NULL);
	free(text);
	return found;
}

/* Whichever allocation fails: no record claims to have a signature without having one. */
static void no_checkpoint_without_a_signature(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct journal_report r;
	unsigned refused = 0;

	open_journal(f, &j);
	give_key(f, &j);
	write_file(f, &j);
	json_set_alloc_funcs(scarce, free);
	for (unsigned at = 1; at < 400; at++) {
		fail_at = at;
		refused += !role_checkpoint(&j, false);
		if (fail_at != 0)
			break;
	}
	fail_at = 0;
	json_set_alloc_funcs(malloc, free);
	assert_true(refused > 5);
	r = judged_by_key(f, &j);
	assert_int_equal(r.faults, 0);
	assert_int_equal(lines_with(f, "\"code\":\"checkpoint\"", "\"signature\":\""), 0);
	assert_int_equal(r.checkpoints, lines_with(f, "\"signature\":\"", NULL));
	close(j.signing.folder);
	stop(&j);
}

static unsigned indexed(struct folder *f)
{
	struct segment_file *list;
	struct err e = { 0 };
	unsigned found = 0;
	size_t n;

	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		char name[48];

		snprintf(name, sizeof(name), "index-%020llu", (unsigned long long)list[i].first);
		found += faccessat(f->fd, name, F_OK, 0) == 0;
	}
	free(list);
	return found;
}

/* Closed files have an index, the open one has none. If an index cannot be made, everything else
 * goes on. */
static void each_closed_file_has_an_index(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	size_t n;

	open_journal(f, &j);
	days(f, &j, 3);
	act(&j);
	/* without a key an index could not be told from a forged one */
	assert_int_equal(indexed(f), 0);
	give_key(f, &j);
	act(&j);
	assert_int_equal(indexed(f), 2);
	assert_true(role_keep_due(&j) > clock_mono().ns);
	assert_int_equal(mkdirat(f->fd, "index.new", 0700), 0);
	days(f, &j, 38);
	role_keep_rule(&j, &month);
	passes(HOUR);
	for (int i = 0; i < 60; i++, passes(HOUR / 6))
		act(&j);
	assert_int_equal(indexed(f), 0);
	assert_true(oldest(f, &n) > 2 * LINES);
	assert_int_equal(unlinkat(f->fd, "index.new", AT_REMOVEDIR), 0);
	passes(HOUR / 6);
	act(&j);
	oldest(f, &n);
	assert_int_equal(indexed(f), n - 1);
	close(j.signing.folder);
	stop(&j);
}

/* A missing key is reported at first and once a day, with the number of unsigned records, and not
 * at each attempt. */
static void without_a_key(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;

	open_journal(f, &j);
	j.signing.folder = -1;
	write_file(f, &j);
	for (unsigned day = 1; day <= 3; day++) {
		for (unsigned hour = 0; hour < 24; hour++, passes(HOUR))
			assert_false(role_checkpoint(&j, false));
		assert_int_equal(lines_with(f, "\"code\":\"unsigned\"", NULL), day);
		for (unsigned i = 0; i < 5; i++)
			role_put_own(&j, LOST_STUCK, 1, 0, NULL);
	}
	assert_string_equal(j.signing.no_key, "no folder for the signing key");
	/* Five records of the first day, and the report itself. */
	assert_int_equal(j.signing.unsigned_n, 3 + 15);
	assert_int_equal(lines_with(f, "\"count\":6", NULL), 1);
	stop(&j);
}

static void nothing_to_sign(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;

	open_journal(f, &j);
	give_key(f, &j);
	assert_false(role_checkpoint(&j, false));
	/* The journal does not wake up to sign. */
	assert_int_equal(j.signing.at, 0);
	write_file(f, &j);
	assert_true(role_checkpoint(&j, false));
	assert_int_equal(j.signing.to, LINES);
	assert_int_equal(j.signing.unsigned_n, 0);
	close(j.signing.folder);
	stop(&j);
}

/* ---- what waits for a log server ------------------------------------------------------------- */

/* Makes a closed file look as if it had this many bytes. */
static void lengthen(struct folder *f, uint64_t first, uint64_t bytes)
{
	char name[48];
	int fd;

	journal_segment_name(first, name);
	fd = openat(f->fd, name, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

/* The oldest plain file, which the sender reads, and the number of plain files. */
static uint64_t oldest_plain(struct folder *f, size_t *ret_n)
{
	struct segment_file *list;
	struct err e = { 0 };
	uint64_t first = 0;
	size_t n;

	assert_int_equal(segment_list(f->fd, &list, &n, &e), 0);
	*ret_n = 0;
	for (size_t i = n; i-- > 0 && list[i].plain; ++*ret_n)
		first = list[i].first;
	free(list);
	return first;
}

static void pack_all(struct journal_role *j)
{
	for (int i = 0; i < 10000 && role_keep_due(j) <= clock_mono().ns; i++)
		role_keep(j, clock_mono().ns);
	assert_true(role_keep_due(j) > clock_mono().ns);
}

/* One file a day, far from full: a log server that is away for weeks still gets them all. */
static void small_files_wait_for_the_server(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	size_t n;

	open_sent_on(f, &j);
	days(f, &j, 40);
	pack_all(&j);
	assert_int_equal(oldest_plain(f, &n), 1);
	assert_int_equal(n, 40);
	stop(&j);
	/* After months as many files wait as `status` can search, and no more. */
	open_sent_on(f, &j);
	days(f, &j, 30);
	pack_all(&j);
	assert_int_equal(oldest_plain(f, &n), 9 * LINES + 1);
	assert_int_equal(n, 61);
	stop(&j);
	/* No log server reads the files any more. */
	open_journal(f, &j);
	pack_all(&j);
	assert_int_equal(oldest_plain(f, &n), 69 * LINES + 1);
	stop(&j);
}

/* Of full files the last four stay plain, with any small ones between them; older files are
 * packed. */
static void as_many_wait_as_four_full_ones_hold(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	size_t n;

	open_sent_on(f, &j);
	for (int i = 0; i < 12; i++) {
		uint64_t first = write_file(f, &j);

		if (i % 2 == 0)
			lengthen(f, first, JOURNAL_SEGMENT_BYTES);
	}
	pack_all(&j);
	/* 10, 8, 6 and 4 are full; the open one is 11. */
	assert_int_equal(oldest_plain(f, &n), 4 * LINES + 1);
	assert_int_equal(n, 8);
	/* A fifth full file is closed: the oldest waiting file is packed, with the small one behind
	 * it. */
	lengthen(f, write_file(f, &j), JOURNAL_SEGMENT_BYTES);
	write_file(f, &j);
	pack_all(&j);
	assert_int_equal(oldest_plain(f, &n), 6 * LINES + 1);
	assert_int_equal(n, 8);
	stop(&j);
}

static int fresh(void **state)
{
	wall_s = BEGAN;
	mono_s = 1000;
	return setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_is_old_enough, fresh, teardown),
		cmocka_unit_test_setup_teardown(packed_ones_have_their_age, fresh, teardown),
		cmocka_unit_test_setup_teardown(the_open_one_stays, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_jump_forward_deletes_nothing, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_for_a_while, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_jump_backwards, fresh, teardown),
		cmocka_unit_test_setup_teardown(switched_off_for_a_season, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_hold_and_a_clock_that_stood_back, fresh, teardown),
		cmocka_unit_test_setup_teardown(one_an_hour_and_each_is_recorded, fresh, teardown),
		cmocka_unit_test_setup_teardown(what_is_held_stays, fresh, teardown),
		cmocka_unit_test_setup_teardown(another_rule_waits, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_file_each_day, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_rule_that_comes_late, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_file_each_day_after_a_clock_that_was_ahead, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_file_each_day_after_damage, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_stop_in_the_middle, fresh, teardown),
		cmocka_unit_test_setup_teardown(a_disk_that_refuses_to_delete, fresh, teardown),
		cmocka_unit_test_setup_teardown(no_record_no_deletion, fresh, teardown),
		cmocka_unit_test_setup_teardown(damage_stops_it, fresh, teardown),
		cmocka_unit_test_setup_teardown(for_room_before_its_time, fresh, teardown),
		cmocka_unit_test_setup_teardown(for_room_by_a_signed_word, fresh, teardown),
		cmocka_unit_test_setup_teardown(no_checkpoint_without_a_signature, fresh, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_sign, fresh, teardown),
		cmocka_unit_test_setup_teardown(without_a_key, fresh, teardown),
		cmocka_unit_test_setup_teardown(each_closed_file_has_an_index, fresh, teardown),
		cmocka_unit_test_setup_teardown(small_files_wait_for_the_server, fresh, teardown),
		cmocka_unit_test_setup_teardown(as_many_wait_as_four_full_ones_hold, fresh, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
