/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the disk of the records: which records wait in memory while there is none, the reserve
 * for the most serious ones, and how full the disk is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/journal/attack.h"
#include "appliance/journal/disk.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/wait.h"
#include "appliance/wire/event_words.h"

const char *wait_class_word(enum wait_class c)
{
	static const char *const words[WAIT_CLASSES] = {
		[WAIT_POLICY] = "policy",
		[WAIT_BOX] = "box",
		[WAIT_OTHER] = "other",
		[WAIT_TRAFFIC] = "traffic",
	};

	return words[c];
}

enum wait_class wait_class_of(const struct event *e)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_POLICY:
		return WAIT_POLICY;
	case EVENT_DRIFT:
	case EVENT_ROLE:
	case EVENT_MACHINE:
		return WAIT_BOX;
	case EVENT_ACCOUNT:
		/* Anybody on the network can cause refused logins as often as he likes. */
		return e->code == ACCOUNT_REFUSED || e->code == ACCOUNT_LOCKED || e->code == ACCOUNT_FORBIDDEN ||
				       e->code == ACCOUNT_ANOTHER_TIME
			       ? WAIT_TRAFFIC
			       : WAIT_BOX;
	case EVENT_DROP:
	case EVENT_PDU:
	case EVENT_FLOW:
	case EVENT_PASSED:
	case EVENT_WEAK:
	case EVENT_UNDECLARED:
	case EVENT_LOGIN:
		return WAIT_TRAFFIC;
	case EVENT_LOST:
	case EVENT_DECIDED:
	case EVENT_COUNTS:
	case EVENT_ACCESS:
	case EVENT_DEVICE:
	case EVENT_SILENCE:
	case EVENT_ATTACK:
	case EVENT_NONE:
	case EVENT_KIND_COUNT:
		break;
	}
	return event_severity(e->kind, e->code) == EVENT_SERIOUS ? WAIT_BOX : WAIT_OTHER;
}

static bool says_lost(const struct event *e)
{
	return e->kind == EVENT_LOST && e->code == LOST_UNSENT;
}

static void drop(struct wait *w, const struct event *e, enum wait_class c)
{
	struct wait_dropped *d = &w->dropped;

	if (d->first_ns == 0 || e->wall_ns < d->first_ns)
		d->first_ns = e->wall_ns;
	if (e->wall_ns > d->last_ns)
		d->last_ns = e->wall_ns;
	d->of[c]++;
	if (c == WAIT_TRAFFIC)
		d->packets += e->count;
	if (says_lost(e))
		d->lost += e->count;
}

static void set_free(struct wait *w, struct wait_record *r)
{
	w->n[wait_class_of(&r->event)]--;
	r->number = 0;
}

/* The newest record of the least serious class, if that is less serious than `c`. Reports of lost
 * records are not taken. */
static struct wait_record *least_grave(struct wait *w, enum wait_class c)
{
	for (enum wait_class least = WAIT_CLASSES; least-- > c + 1;) {
		struct wait_record *newest = NULL;

		for (struct wait_record *r = w->slots; r < w->slots + WAIT_SLOTS && w->n[least] > 0; r++) {
			if (r->number != 0 && wait_class_of(&r->event) == least && !says_lost(&r->event) &&
			    (newest == NULL || r->number > newest->number))
				newest = r;
		}
		if (newest != NULL)
			return newest;
	}
	return NULL;
}

static struct wait_record *place_for(struct wait *w, enum wait_class c)
{
	struct wait_record *r = NULL;

	if (wait_count(w) < WAIT_SLOTS) {
		for (size_t i = 0; r == NULL; i++)
			r = w->slots[i].number == 0 ? &w->slots[i] : NULL;
		return r;
	}
	r = least_grave(w, c);
	if (r != NULL) {
		drop(w, &r->event, wait_class_of(&r->event));
		set_free(w, r);
	}
	return r;
}

static bool lost_joined(struct wait *w, const struct event *e, enum role from)
{
	for (struct wait_record *r = w->slots; r < w->slots + WAIT_SLOTS && says_lost(e); r++) {
		if (r->number != 0 && r->from == from && says_lost(&r->event)) {
			r->event.count += e->count;
			r->event.wall_ns = e->wall_ns;
			return true;
		}
	}
	return false;
}

void wait_in(struct wait *w, const struct event *e, enum role from, uint64_t records)
{
	enum wait_class c = wait_class_of(e);
	struct wait_record *r;

	if (lost_joined(w, e, from))
		return;
	r = place_for(w, c);
	if (r == NULL) {
		drop(w, e, c);
		return;
	}
	*r = (struct wait_record){ *e, from, records, ++w->numbers };
	w->n[c]++;
}

const struct wait_record *wait_first(const struct wait *w, enum wait_class to)
{
	const struct wait_record *first = NULL;

	for (enum wait_class c = 0; c <= to && c < WAIT_CLASSES; c++) {
		for (const struct wait_record *r = w->slots; r < w->slots + WAIT_SLOTS && w->n[c] > 0; r++) {
			if (r->number != 0 && wait_class_of(&r->event) == c &&
			    (first == NULL || r->number < first->number))
				first = r;
		}
		if (first != NULL)
			return first;
	}
	return NULL;
}

void wait_taken(struct wait *w, const struct wait_record *r)
{
	set_free(w, &w->slots[r - w->slots]);
}

void wait_drop(struct wait *w, enum wait_class kept)
{
	for (struct wait_record *r = w->slots; r < w->slots + WAIT_SLOTS; r++) {
		if (r->number == 0 || wait_class_of(&r->event) <= kept)
			continue;
		drop(w, &r->event, wait_class_of(&r->event));
		set_free(w, r);
	}
}

size_t wait_count(const struct wait *w)
{
	size_t n = 0;

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		n += w->n[c];
	return n;
}

uint64_t wait_dropped(const struct wait *w)
{
	uint64_t n = 0;

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		n += w->dropped.of[c];
	return n;
}

void wait_told(struct wait *w)
{
	w->dropped = (struct wait_dropped){ 0 };
}

/* ---- the reserve ----------------------------------------------------------------------------- */

#define GRAIN 4096u

/* The reserve's size: less on a small disk. */
static uint64_t whole_of(int dirfd)
{
	struct statvfs s;
	uint64_t most;

	if (fstatvfs(dirfd, &s) < 0)
		return RESERVE_BYTES;
	most = (uint64_t)s.f_blocks * s.f_frsize / RESERVE_SHARE / GRAIN * GRAIN;
	if (most < GRAIN)
		return GRAIN;
	return most < RESERVE_BYTES ? most : RESERVE_BYTES;
}

static int open_file(struct reserve *r)
{
	struct stat s;
	int fd = openat(r->dirfd, "reserve", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), code;

	if (fd < 0 || fstat(fd, &s) < 0) {
		code = -errno;
		if (fd >= 0)
			close(fd);
		return code;
	}
	r->fd = fd;
	r->whole = whole_of(r->dirfd);
	/* The file's length does not prove that blocks are allocated, because a file may have
	 * holes. */
	r->size = (uint64_t)s.st_blocks * 512u >= (uint64_t)s.st_size ? (uint64_t)s.st_size : 0;
	return 0;
}

void reserve_begin(int dirfd, struct reserve *r)
{
	*r = (struct reserve){ .dirfd = dirfd, .fd = -1, .wanted = true };
	open_file(r); /* if this fails, it is tried again later */
}

void reserve_end(struct reserve *r)
{
	if (r->wanted && r->fd >= 0)
		close(r->fd);
	*r = (struct reserve){ .fd = -1 };
}

int reserve_build(struct reserve *r, struct err *e)
{
	int code = 0;

	if (!r->wanted || (r->fd >= 0 && r->size >= r->whole))
		return 0;
	if (r->fd < 0)
		code = open_file(r);
	if (code == 0 && fallocate(r->fd, 0, 0, (off_t)r->whole) < 0) {
		code = -errno;
		/* Some file systems keep what they allocated before the failure: it is given back
		 * for others. */
		if (ftruncate(r->fd, (off_t)r->size) < 0)
			code = -errno;
	}
	if (code == -EOPNOTSUPP || code == -ENOSYS) {
		reserve_end(r);
		return 0;
	}
	if (code < 0)
		return err_set(e, code, "make the journal's reserve");
	r->size = r->whole;
	return 0;
}

bool reserve_release(struct reserve *r)
{
	uint64_t left = r->size > RESERVE_PIECE ? r->size - RESERVE_PIECE : 0;

	if (!r->wanted || r->size == 0 || ftruncate(r->fd, (off_t)left) < 0)
		return false;
	r->size = left;
	return true;
}

/* ---- how full the disk is -------------------------------------------------------------------- */

#define NEARLY 90u     /* percent */
#define ROOM_AGAIN 85u /* percent */
#define HOUR_NS 3600000000000ull
#define DAY_S 86400u
#define BLOCK 512u /* bytes in a block of st_blocks */

int disk_read(int dirfd, struct disk_room *ret)
{
	struct statvfs s;

	if (fstatvfs(dirfd, &s) < 0)
		return -errno;
	*ret = (struct disk_room){ .bytes = (s.f_blocks - s.f_bfree + s.f_bavail) * s.f_frsize,
				   .free = s.f_bavail * s.f_frsize,
				   .files = s.f_files > 0 ? s.f_files - s.f_ffree + s.f_favail : 0,
				   .files_free = s.f_favail };
	return 0;
}

uint64_t disk_of_folder(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	uint64_t blocks = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		struct stat st;

		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			blocks += (uint64_t)st.st_blocks;
	}
	closedir(d);
	return blocks * BLOCK;
}

static unsigned percent(uint64_t all, uint64_t free)
{
	uint64_t used = all > free ? all - free : 0;

	return all > 0 ? (unsigned)((__uint128_t)used * 100 / all) : 0;
}

unsigned disk_used_percent(const struct disk *d)
{
	unsigned room = percent(d->room.bytes, d->room.free), files = percent(d->room.files, d->room.files_free);

	return room > files ? room : files;
}

static uint64_t bytes_used(const struct disk_room *r)
{
	return r->bytes > r->free ? r->bytes - r->free : 0;
}

/* Stores the bytes in use for each hour that has passed. Hours without a reading get the present
 * value. */
static void note_hours(struct disk *d, uint64_t now)
{
	if (d->n == 0)
		d->hour_at = now;
	for (; now >= d->hour_at; d->hour_at += HOUR_NS)
		d->used[d->n++ % DISK_HOURS] = bytes_used(&d->room);
}

enum disk_change disk_take(struct disk *d, const struct disk_room *room, uint64_t now, uint64_t wall_ns)
{
	d->known = room != NULL;
	if (room == NULL)
		return DISK_SAME;
	d->room = *room;
	note_hours(d, now);
	if (!d->near && disk_used_percent(d) >= NEARLY) {
		d->near = true;
		d->since_ns = wall_ns;
		return DISK_NEARLY_FULL;
	}
	if (d->near && disk_used_percent(d) < ROOM_AGAIN) {
		d->near = false;
		d->since_ns = 0;
		return DISK_ROOM_AGAIN;
	}
	return DISK_SAME;
}

uint64_t disk_full_in(const struct disk *d)
{
	uint64_t then, grown;

	/* The entry that the next hour will overwrite is almost a day old. */
	if (!d->known || d->n < DISK_HOURS + 1)
		return 0;
	then = d->used[d->n % DISK_HOURS];
	grown = bytes_used(&d->room) > then ? bytes_used(&d->room) - then : 0;
	if (grown == 0)
		return 0;
	grown = (uint64_t)((__uint128_t)d->room.free * DAY_S / grown);
	return grown > 0 ? grown : 1;
}
