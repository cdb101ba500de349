/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full disk: serious records are written from the reserve, the others wait or are counted.
 * Whichever step of the disk fails, the records that were sent are either written or reported as
 * left out. The test has its own clock and its own disk space.
 *
 * LINK: appliance/journal/role_write.c appliance/journal/role_take.c appliance/journal/room.c
 * LINK: appliance/journal/role_keep.c appliance/journal/closed.c
 * LINK: appliance/journal/segment.c appliance/journal/chain.c
 * LINK: appliance/journal/verify.c
 * LINK: appliance/journal/json.c appliance/wire/tls.c appliance/journal/names.c
 * LINK: appliance/journal/flood.c
 * LINK: $(WIRE_SRC) policy/ir/unseal.c appliance/wire/hours.c policy/ir/objects.c policy/ir/book.c
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
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_take.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/wait.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "mgmt/state/journal.h"
#include "tests/unit/folder.h"

#define SECOND 1000000000ull

/* ---- the clock and the disk ------------------------------------------------------------------ */

static uint64_t mono_ns = 1000 * SECOND;
static const uint64_t plenty = 1ull << 40;
static uint64_t room; /* bytes */
/* the call on the disk that fails, counted from now, and its error; 0 = none fails */
static int steps, fail_as;

struct mono clock_mono(void)
{
	return (struct mono){ mono_ns };
}

uint64_t clock_wall_ns(void)
{
	return 1780000000ull * SECOND + mono_ns;
}

static bool fails(void)
{
	if (steps == 0 || --steps > 0)
		return false;
	errno = fail_as;
	return true;
}

static bool takes(uint64_t n)
{
	if (n > room) {
		errno = ENOSPC;
		return false;
	}
	room -= n;
	return true;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (fd > 2 && (fails() || !takes(n)))
		return -1;
	return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return fails() ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

int fdatasync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int fsync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

static uint64_t size_of(int fd)
{
	struct stat s;

	assert_int_equal(fstat(fd, &s), 0);
	return (uint64_t)s.st_size;
}

int ftruncate(int fd, off_t n)
{
	uint64_t was = size_of(fd);

	if (fails())
		return -1;
	room += was > (uint64_t)n ? was - (uint64_t)n : 0;
	return (int)syscall(SYS_ftruncate, fd, n);
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
	uint64_t was = size_of(fd);

	if (fails() || !takes((uint64_t)n > was ? (uint64_t)n - was : 0))
		return -1;
	return (int)syscall(SYS_fallocate, fd, mode, at, n);
}

int unlinkat(int dirfd, const char *name, int flags)
{
	struct stat s;

	if (fstatat(dirfd, name, &s, AT_SYMLINK_NOFOLLOW) == 0)
		room += (uint64_t)s.st_size;
	return (int)syscall(SYS_unlinkat, dirfd, name, flags);
}

int fstatvfs(int fd, struct statvfs *ret)
{
	(void)fd;
	*ret = (struct statvfs){ .f_blocks = 1u << 20, .f_frsize = 4096 };
	return 0;
}

/* ---- journals -------------------------------------------------------------------------------- */

static void begin(struct folder *f, struct journal_role *j)
{
	struct journal_recovery found;
	struct err e = { 0 };

	memset(j, 0, sizeof(*j));
	assert_int_equal(role_open(j, f->fd, &found, &e), 0);
	assert_int_equal(found.torn_bytes + found.missing, 0);
}

static void stop(struct journal_role *j)
{
	names_forget(&j->names);
	reserve_end(&j->reserve);
	journal_close(&j->chain);
}

/* A record of this class; `count` makes it recognisable. */
static struct event one(enum wait_class c, uint64_t count)
{
	static const enum event_kind kinds[WAIT_CLASSES] = { EVENT_POLICY, EVENT_DRIFT, EVENT_DECIDED, EVENT_PDU };
	struct event e = event_new(kinds[c], clock_wall_ns());

	if (c <= WAIT_BOX)
		e.code = 1;
	e.count = count;
	return e;
}

static void say(struct journal_role *j, enum wait_class c, uint64_t count)
{
	struct event e = one(c, count);

	role_put(j, &e, c == WAIT_POLICY ? ROLE_SUPERVISOR : ROLE_ENFORCE, 1);
}

struct found {
	uint64_t of[WAIT_CLASSES], packets, told[WAIT_CLASSES], told_packets, tellings;
	char order[4096]; /* the class of each record, as a digit */
};

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* Which records were left out, and why none can be written, is also told in Japanese, without
 * English words. */
static void in_japanese(const char *object)
{
	char *said = NULL, *head;
	size_t size;
	FILE *to = open_memstream(&said, &size);

	assert_non_null(to);
	lost_print(to, LANG_JA, object);
	assert_int_equal(fclose(to), 0);
	assert_true(size > 0);
	head = strstr(said, "head ファイル");
	if (head != NULL)
		memset(head, ' ', strlen("head"));
	if (strpbrk(said, "abcdefghijklmnopqrstuvwxyz") != NULL)
		fail_msg("%s: %s", object, said);
	free(said);
}

/* Lets seconds pass in which the journal may try again. */
static void pass(struct journal_role *j, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		if (j->writing.trouble[0] != 0)
			in_japanese(j->writing.trouble);
		mono_ns += SECOND;
		role_retry(j, clock_mono().ns);
		role_sync(j, clock_mono().ns, false);
	}
}

static void count_line(struct found *r, const char *line, size_t n)
{
	static const char *const kinds[WAIT_CLASSES] = { "policy", "drift", "decided", "pdu" };
	json_t *o = json_loadb(line, n, 0, NULL);
	const json_t *d = json_object_get(o, "dropped");
	const char *kind = json_string_value(json_object_get(o, "kind"));

	assert_non_null(kind);
	for (unsigned c = 0; c < WAIT_CLASSES; c++) {
		if (strcmp(kind, kinds[c]) == 0) {
			r->of[c]++;
			r->packets += c == WAIT_TRAFFIC ? number(o, "count") : 0;
			if (strlen(r->order) + 1 < sizeof(r->order))
				r->order[strlen(r->order)] = (char)('0' + c);
		}
		r->told[c] += number(d, wait_class_word(c));
	}
	r->told_packets += number(d, "packets");
	if (d != NULL) {
		r->tellings++;
		in_japanese(json_string_value(json_object_get(o, "object")));
		assert_true(strcmp(json_string_value(json_object_get(d, "first")),
				   json_string_value(json_object_get(d, "last"))) <= 0);
	}
	json_decref(o);
}

static struct found read_all(struct folder *f)
{
	struct segment_file *list;
	struct found r = { 0 };
	struct journal_report report;
	struct err e = { 0 };
	size_t files, n;
	char *text;

	assert_int_equal(journal_verify(f->path, NULL, &report, &e), 0);
	assert_int_equal(report.faults + report.open, 0);
	assert_int_equal(segment_list(f->fd, &list, &files, &e), 0);
	for (size_t i = 0; i < files; i++) {
		assert_int_equal(segment_whole(f->fd, list[i].first, &text, &n, &e), 0);
		for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
			count_line(&r, at, (size_t)(end - at));
		free(text);
	}
	free(list);
	return r;
}

/* ---- what waits ------------------------------------------------------------------------------ */

/* Records arrive and leave in any order: each one comes out or is counted, and no record leaves
 * before a more serious one. */
static void what_waits(void **state)
{
	static struct wait w;
	unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
	uint64_t in[WAIT_CLASSES] = { 0 }, out[WAIT_CLASSES] = { 0 }, packets = 0, lost = 0, lost_out = 0;

	(void)state;
	printf("SEED=%u\n", seed);
	srandom(seed);
	memset(&w, 0, sizeof(w));
	for (int i = 0; i < 20000; i++) {
		enum wait_class c = (enum wait_class)(random() % WAIT_CLASSES);
		const struct wait_record *r;
		struct event e = one(c, 1 + (uint64_t)random() % 9);
		uint64_t before[WAIT_CLASSES];

		memcpy(before, w.dropped.of, sizeof(before));
		if (random() % 50 == 0) {
			e = event_new(EVENT_LOST, clock_wall_ns());
			e.count = 7;
			lost += 7;
		} else {
			in[c]++;
			packets += c == WAIT_TRAFFIC ? e.count : 0;
		}
		wait_in(&w, &e, (enum role)(1 + random() % 3), 1);
		assert_true(wait_count(&w) <= WAIT_SLOTS);
		for (enum wait_class gone = 0; gone < WAIT_CLASSES; gone++)
			for (enum wait_class less = gone + 1; less < WAIT_CLASSES && w.dropped.of[gone] > before[gone];
			     less++)
				assert_true(w.n[less] <= (less == WAIT_OTHER ? 3 : 0));
		for (int k = random() % 300 == 0 ? 200 : 0; k > 0 && (r = wait_first(&w, WAIT_TRAFFIC)) != NULL; k--) {
			enum wait_class of = wait_class_of(&r->event);

			if (r->event.kind == EVENT_LOST)
				lost_out += r->event.count;
			else
				out[of]++;
			packets -= of == WAIT_TRAFFIC ? r->event.count : 0;
			wait_taken(&w, r);
		}
	}
	for (const struct wait_record *r; (r = wait_first(&w, WAIT_TRAFFIC)) != NULL; wait_taken(&w, r)) {
		if (r->event.kind == EVENT_LOST)
			lost_out += r->event.count;
		else
			out[wait_class_of(&r->event)]++;
		packets -= wait_class_of(&r->event) == WAIT_TRAFFIC ? r->event.count : 0;
	}
	assert_int_equal(wait_count(&w), 0);
	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		if (c != WAIT_OTHER)
			assert_int_equal(in[c], out[c] + w.dropped.of[c]);
	assert_int_equal(packets, w.dropped.packets);
	assert_int_equal(lost, lost_out + w.dropped.lost);
	assert_true(w.dropped.of[WAIT_TRAFFIC] > w.dropped.of[WAIT_POLICY]);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

static void the_grave_ones_stay(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct found r;

	room = plenty;
	begin(f, &j);
	assert_int_equal(j.reserve.size, RESERVE_BYTES);
	say(&j, WAIT_TRAFFIC, 1);
	pass(&j, 1);
	room = 0;
	for (unsigned i = 0; i < 2 * WAIT_SLOTS; i++)
		say(&j, WAIT_TRAFFIC, 3);
	assert_true(j.writing.pressed);
	assert_int_equal(j.reserve.size, RESERVE_BYTES);
	say(&j, WAIT_POLICY, 1);
	say(&j, WAIT_BOX, 1);
	say(&j, WAIT_OTHER, 1);
	pass(&j, 5);
	r = read_all(f);
	assert_string_equal(r.order, "301");
	assert_int_equal(r.tellings, 0);
	assert_int_equal(wait_count(&j.writing.wait), WAIT_SLOTS);
	assert_int_equal(wait_dropped(&j.writing.wait), WAIT_SLOTS + 1);
	assert_true(j.reserve.size < RESERVE_BYTES && j.writing.trouble[0] != 0);
	/* Less than the reserve needs counts as no room. */
	room += RESERVE_PIECE / 2;
	pass(&j, 3);
	assert_true(j.writing.pressed);
	room = plenty;
	pass(&j, 2);
	assert_false(j.writing.pressed);
	assert_int_equal(j.writing.trouble[0], 0);
	assert_int_equal(j.reserve.size, RESERVE_BYTES);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_POLICY] + r.of[WAIT_BOX] + r.of[WAIT_OTHER], 3);
	assert_int_equal(r.of[WAIT_TRAFFIC] + r.told[WAIT_TRAFFIC], 1 + 2 * WAIT_SLOTS);
	assert_int_equal(r.packets + r.told_packets, 1 + 3 * 2 * WAIT_SLOTS);
	assert_int_equal(r.tellings, 1);
	stop(&j);
}

/* More serious records than fit into the reserve: they wait, before all others. */
static void a_reserve_that_is_spent(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	unsigned said = 0;
	struct found r;

	room = plenty;
	begin(f, &j);
	say(&j, WAIT_TRAFFIC, 1);
	room = 0;
	while (wait_count(&j.writing.wait) < WAIT_SLOTS) {
		say(&j, WAIT_BOX, 1);
		say(&j, WAIT_TRAFFIC, 1);
		said++;
	}
	assert_true(said > WAIT_SLOTS / 2);
	while (j.writing.wait.n[WAIT_TRAFFIC] > 0 || j.reserve.size > 0) {
		say(&j, WAIT_BOX, 1);
		said++;
	}
	say(&j, WAIT_POLICY, 1);
	room = plenty;
	pass(&j, 2);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_POLICY], 1);
	assert_int_equal(r.of[WAIT_BOX] + r.told[WAIT_BOX], said);
	assert_false(j.writing.pressed);
	stop(&j);
}

/* The number of files with torn-off pieces, and their bytes. */
static unsigned torn_files(struct folder *f, uint64_t *ret_bytes)
{
	DIR *d = opendir(f->path);
	const struct dirent *x;
	unsigned n = 0;
	struct stat st;

	assert_non_null(d);
	*ret_bytes = 0;
	while ((x = readdir(d)) != NULL) {
		if (strncmp(x->d_name, "torn-", 5) != 0)
			continue;
		assert_int_equal(fstatat(f->fd, x->d_name, &st, 0), 0);
		*ret_bytes += (uint64_t)st.st_size;
		n++;
	}
	closedir(d);
	return n;
}

static void tear(struct folder *f, size_t n)
{
	char name[48], text[2 * JOURNAL_LINE_MAX];
	int fd;

	journal_segment_name(1, name);
	fd = openat(f->fd, name, O_WRONLY | O_APPEND | O_CLOEXEC);
	memset(text, 'x', sizeof(text));
	assert_true(n <= sizeof(text));
	assert_int_equal(syscall(SYS_write, fd, text, n), n);
	close(fd);
}

/*
 * The power failed in the middle of a line, and there is no room to keep the piece of it: the
 * reserve is used. If it is used up as well, the piece is deleted, because a journal that does not
 * start would lose more. No attempt leaves an empty file behind.
 */
static void a_torn_end_without_room(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct journal_recovery found;
	struct err e = { 0 };
	struct found r;
	uint64_t bytes;

	room = plenty;
	begin(f, &j);
	say(&j, WAIT_TRAFFIC, 1);
	pass(&j, 1);
	stop(&j);
	tear(f, JOURNAL_LINE_MAX - 100);
	room = 0;
	memset(&j, 0, sizeof(j));
	assert_int_equal(role_open(&j, f->fd, &found, &e), 0);
	assert_int_equal(found.torn_bytes, JOURNAL_LINE_MAX - 100);
	assert_true(j.reserve.size >= RESERVE_BYTES - 4 * RESERVE_PIECE);
	assert_int_equal(torn_files(f, &bytes), 1);
	assert_int_equal(bytes, JOURNAL_LINE_MAX - 100);
	assert_false(found.torn_gone);
	say(&j, WAIT_POLICY, 1);
	while (reserve_release(&j.reserve))
		;
	stop(&j);
	tear(f, 3000);
	room = 0;
	memset(&j, 0, sizeof(j));
	assert_int_equal(role_open(&j, f->fd, &found, &e), 0);
	assert_int_equal(found.torn_bytes, 3000);
	assert_true(found.torn_gone);
	assert_int_equal(torn_files(f, &bytes), 1);
	say(&j, WAIT_POLICY, 1);
	room = plenty;
	pass(&j, 2);
	assert_false(j.writing.pressed);
	stop(&j);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_TRAFFIC], 1);
	assert_int_equal(r.of[WAIT_POLICY], 2);
	/* A piece longer than any line was not written by the journal: it stays until there is room
	 * for it. */
	tear(f, JOURNAL_LINE_MAX + 1);
	assert_int_equal(syscall(SYS_unlinkat, f->fd, "reserve", 0), 0);
	room = 0;
	memset(&j, 0, sizeof(j));
	assert_int_equal(role_open(&j, f->fd, &found, &e), -ENOSPC);
	assert_int_equal(torn_files(f, &bytes), 1);
	room = plenty;
	assert_int_equal(role_open(&j, f->fd, &found, &e), 0);
	assert_int_equal(torn_files(f, &bytes), 2);
	stop(&j);
}

/* No room from the start on: serious records wait. If the journal ends, the next one with room
 * reports them. */
static void a_start_without_room(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct found r;

	room = 100;
	begin(f, &j);
	assert_true(j.writing.pressed);
	say(&j, WAIT_POLICY, 1);
	say(&j, WAIT_TRAFFIC, 1);
	pass(&j, 3);
	assert_int_equal(wait_count(&j.writing.wait), 2);
	room = 2 * RESERVE_BYTES;
	pass(&j, 2);
	assert_false(j.writing.pressed);
	r = read_all(f);
	assert_string_equal(r.order, "03");
	stop(&j);
}

/* The journal ends on a full disk: the serious records and the count of the others are written with
 * the last of the reserve. */
static void an_end_without_room(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct found r;

	room = plenty;
	begin(f, &j);
	say(&j, WAIT_TRAFFIC, 1);
	room = 0;
	for (unsigned i = 0; i < 40; i++)
		say(&j, WAIT_TRAFFIC, 2);
	say(&j, WAIT_OTHER, 1);
	say(&j, WAIT_POLICY, 1);
	role_room_end(&j);
	role_sync(&j, clock_mono().ns, true);
	stop(&j);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_POLICY], 1);
	assert_int_equal(r.told[WAIT_TRAFFIC], 40);
	assert_int_equal(r.told[WAIT_OTHER], 1);
	assert_int_equal(r.told_packets, 80);
	begin(f, &j);
	assert_true(j.writing.pressed); /* the reserve is not complete */
	room = plenty;
	pass(&j, 1);
	assert_false(j.writing.pressed);
	stop(&j);
}

/* ---- a file that is half packed -------------------------------------------------------------- */

/* Some steps of packing a closed file, whose text does not pack well. */
static void half_packed(struct folder *f, struct journal_role *j)
{
	struct err e = { 0 };
	struct stat s;
	char text[501];

	for (unsigned i = 0; i < 400; i++) {
		for (unsigned k = 0; k + 1 < sizeof(text); k++)
			text[k] = (char)('a' + random() % 26);
		text[sizeof(text) - 1] = '\0';
		assert_int_equal(journal_append(&j->chain, json_pack("{s:s, s:s}", "kind", "test", "text", text), &e),
				 0);
	}
	journal_turn(&j->chain);
	say(j, WAIT_TRAFFIC, 1);
	pass(j, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pack_step(&j->pack, f->fd, j->chain.first, &e), 1);
	assert_int_equal(fstatat(f->fd, "packed.new", &s, 0), 0);
	assert_true(s.st_size > 60000);
}

/* If the journal's own packing fills the disk, it stops and gives the room back, so that the disk
 * is not full for ever. */
static void what_is_half_packed_is_no_reason(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct found r;

	room = plenty;
	begin(f, &j);
	half_packed(f, &j);
	room = 0;
	for (unsigned i = 0; i < 40; i++)
		say(&j, WAIT_TRAFFIC, 1);
	say(&j, WAIT_POLICY, 1);
	pass(&j, 2);
	assert_false(j.writing.pressed);
	assert_int_equal(faccessat(f->fd, "packed.new", F_OK, 0), -1);
	assert_null(j.pack);
	/* Packing does not begin again at once, because the disk would be full every other
	 * second. */
	assert_true(j.pack_at > clock_mono().ns + 60 * SECOND);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_TRAFFIC], 41);
	assert_int_equal(r.of[WAIT_POLICY], 1);
	assert_int_equal(r.tellings, 0);
	stop(&j);
}

/* A new file whose name is not on the disk yet takes no records: they wait. */
static void a_name_that_is_not_kept(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;
	struct found r;

	room = plenty;
	begin(f, &j);
	say(&j, WAIT_TRAFFIC, 1);
	pass(&j, 1);
	journal_turn(&j.chain);
	steps = 1;
	fail_as = EIO;
	say(&j, WAIT_TRAFFIC, 1);
	assert_int_equal(steps, 0);
	assert_true(j.writing.pressed && !j.writing.full);
	assert_int_equal(wait_count(&j.writing.wait), 1);
	assert_non_null(strstr(j.writing.trouble, "folder"));
	pass(&j, 2);
	assert_false(j.writing.pressed);
	assert_int_equal(j.writing.trouble[0], 0);
	stop(&j);
	r = read_all(f);
	assert_int_equal(r.of[WAIT_TRAFFIC], 2);
}

/* A journal that was killed while it packed left a file behind: the next one deletes it. */
static void what_a_killed_one_left(void **state)
{
	static struct journal_role j;
	struct folder *f = *state;

	room = plenty;
	begin(f, &j);
	half_packed(f, &j);
	pack_forget(&j.pack);
	stop(&j);
	/* Another program used up the reserve and nearly all other room meanwhile. */
	assert_int_equal(syscall(SYS_unlinkat, f->fd, "reserve", 0), 0);
	room = RESERVE_BYTES - 50000;
	begin(f, &j);
	assert_false(j.writing.pressed);
	assert_int_equal(j.reserve.size, RESERVE_BYTES);
	assert_int_equal(faccessat(f->fd, "packed.new", F_OK, 0), -1);
	stop(&j);
}

/* A long sequence of events, in which any single call on the disk fails, with any error. */
static void every_step(void **state)
{
	static const int codes[] = { ENOSPC, EIO, EDQUOT };
	static struct journal_role j;
	struct folder *f = *state;
	bool reached = true;
	unsigned n;

	for (n = 1; reached; n++) {
		int code = codes[n % 3];
		struct found r;

		room = plenty;
		steps = 0;
		begin(f, &j);
		steps = (int)n;
		fail_as = code;
		for (unsigned round = 0; round < 3; round++) {
			say(&j, WAIT_TRAFFIC, 1);
			room = round == 1 ? 0 : plenty;
			for (unsigned i = 0; i < 5; i++) {
				say(&j, WAIT_TRAFFIC, 1);
				say(&j, i % 2 == 0 ? WAIT_POLICY : WAIT_BOX, 1);
			}
			pass(&j, 2);
		}
		room = plenty;
		pass(&j, 3);
		reached = steps == 0;
		steps = 0;
		pass(&j, 2);
		assert_false(j.writing.pressed);
		assert_int_equal(j.writing.trouble[0], 0);
		assert_int_equal(j.writing.unwritable, 0);
		stop(&j);
		r = read_all(f);
		assert_int_equal(r.of[WAIT_TRAFFIC], 18 * n);
		assert_int_equal(r.of[WAIT_POLICY], 9 * n);
		assert_int_equal(r.of[WAIT_BOX], 6 * n);
		assert_int_equal(r.tellings, 0);
	}
	printf("%u steps\n", n);
	assert_true(n > 40);
}

/* ---- times ----------------------------------------------------------------------------------- */

static bool has_text(const json_t *o, const char *key, uint64_t wall_ns)
{
	json_t *want = json_time(wall_ns);
	bool same = json_equal(json_object_get(o, key), want) == 1;

	json_decref(want);
	return same;
}

/* Whatever time a role states: a search finds its record at the time of arrival, or at the stated
 * time if that is possible. */
static void a_time_is_held_to_the_clock(void **state)
{
	struct folder *f = *state;
	static struct journal_role j;
	uint64_t now, said[7], stands[7];
	struct segment *s;
	const char *line;
	size_t n, lines;
	bool whole;

	room = 64u << 20;
	steps = 0;
	begin(f, &j);
	now = clock_wall_ns();
	said[0] = stands[0] = now;
	said[1] = stands[1] = now - 59 * SECOND;
	said[2] = now + 1000000;
	said[3] = now + 10ull * 365 * 86400 * SECOND;
	said[4] = now - 3600 * SECOND;
	said[5] = 1000000;
	said[6] = UINT64_MAX;
	for (lines = 0; lines < 7; lines++) {
		struct event e = one(lines % 2 == 0 ? WAIT_OTHER : WAIT_TRAFFIC, 1 + lines);

		e.wall_ns = said[lines];
		stands[lines] = lines < 2 ? said[lines] : now;
		role_take(&j, &e, ROLE_GATE);
	}
	role_write_merged(&j, true);
	stop(&j);
	assert_int_equal(segment_open(f->fd, 1, SEGMENT_PLAIN, 0, &s, NULL), 0);
	for (lines = 0; segment_line(s, &line, &n, &whole) > 0; lines++) {
		json_t *o = json_loadb(line, n, 0, NULL);
		uint64_t k = number(o, "count") - 1;

		assert_in_range(k, 0, 6);
		assert_true(has_text(o, "time", stands[k]));
		if (k < 2)
			assert_null(json_object_get(o, "said_time"));
		else
			assert_true(has_text(o, "said_time", said[k]));
		json_decref(o);
	}
	segment_close(s);
	assert_int_equal(lines, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits),
		cmocka_unit_test_setup_teardown(the_grave_ones_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reserve_that_is_spent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_without_room, setup, teardown),
		cmocka_unit_test_setup_teardown(a_torn_end_without_room, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_without_room, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_half_packed_is_no_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_killed_one_left, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_that_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(every_step, setup, teardown),
		cmocka_unit_test_setup_teardown(a_time_is_held_to_the_clock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
