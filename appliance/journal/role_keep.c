/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to the journal's files, one step at a time between records: the open file is closed
 * after a day; closed files are packed and indexed, and deleted by the site's rule.
 *
 * At most one file an hour is deleted, the first one an hour after the start or after a new rule,
 * so that people have time to notice a wrong rule or clock. The record of a deletion is on the disk
 * before the file is deleted. If the process ends in between, there will be a second record.
 *
 * On a full disk, the oldest file is deleted as soon as it is older than keep_days, at most one in
 * ten minutes, and nothing is packed. The record of the deletion and its signature may use the
 * reserve.
 *
 * A file under a legal hold is not deleted in either case, and neither is any younger file.
 *
 * A file may be deleted before it was sent to the log server. Only the sender knows what was sent,
 * and it must not be able to keep the disk full (docs/architecture.md). This file does not check
 * the clock: while the clock is not trusted, the supervisor gives no rule.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/journal/disk.h"
#include "appliance/journal/names.h"
#include "appliance/journal/role_hold.h"
#include "appliance/journal/role_keep.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/segment.h"

/* ns between two checks whether the oldest file is to be deleted and whether the open file is to be
 * closed */
#define TURN_NS 3600000000000ull
#define ROOM_NS 600000000000ull /* ns between two deletions on a full disk */

static bool pack_waits(const struct journal_role *j)
{
	/* Before the first generation, it is not known whether records are sent to a server. */
	return j->names.n > 0 && (j->pack != NULL || !j->looked || j->looked_at != j->chain.first);
}

/* Closed files that wait for a log server stay unpacked: four of full size, or more smaller ones,
 * but fewer files than appliance/box/log_sent.c searches. */
#define PLAIN_BYTES (4u * JOURNAL_SEGMENT_BYTES)
#define PLAIN_FILES 60u

/*
 * Segments from this number on stay unpacked. That is the open one and, where records are sent to a
 * server, the ones before it up to PLAIN_BYTES or PLAIN_FILES, because the sender reads unpacked
 * files only.
 */
static uint64_t plain_from(const struct journal_role *j, struct err *e)
{
	struct segment_file *list;
	uint64_t from = j->chain.first, bytes = 0;
	size_t n;

	if (!names_send(&j->names))
		return from;
	if (segment_list(j->chain.dirfd, &list, &n, e) < 0)
		return 1; /* no segment is to be packed */
	for (size_t i = n; i-- > 0 && bytes < PLAIN_BYTES && n - i <= PLAIN_FILES + 1;) {
		from = list[i].first;
		if (from != j->chain.first)
			bytes += segment_plain_bytes(j->chain.dirfd, &list[i]);
	}
	free(list);
	return from;
}

static bool index_waits(const struct journal_role *j)
{
	return j->chain.index_key != NULL &&
	       (j->index != NULL || j->indexed_below != 0 || j->indexed_of != j->chain.first);
}

uint64_t role_keep_due(const struct journal_role *j)
{
	uint64_t due = pack_waits(j) ? j->pack_at : UINT64_MAX;

	if (j->writing.pressed)
		return j->writing.full && j->keeping.at != 0 ? j->keeping.room_at : UINT64_MAX;
	if (index_waits(j) && j->index_at < due)
		due = j->index_at;
	if (j->keeping.turn_at != 0 && j->keeping.turn_at < due)
		due = j->keeping.turn_at;
	return j->keeping.at != 0 && j->keeping.at < due ? j->keeping.at : due;
}

static void say_trouble(const struct err *e)
{
	fprintf(stderr, "sekishod journal: %s\n", e->text);
}

static void pack(struct journal_role *j, uint64_t now)
{
	struct err e = { 0 };
	int r;

	j->looked = true;
	j->looked_at = j->chain.first;
	r = pack_step(&j->pack, j->chain.dirfd, j->pack == NULL ? plain_from(j, &e) : 0, &e);
	j->pack_at = 0;
	if (r == 0)
		return;
	j->looked = false;
	if (r < 0) {
		say_trouble(&e);
		j->pack_at = now + PACK_AGAIN_NS;
	}
}

/* Makes one step of an index. A failure is not recorded, because it only makes searches slower. */
static void make_index(struct journal_role *j, uint64_t now)
{
	struct err e = { 0 };
	int r;

	if (j->indexed_of != j->chain.first) {
		j->indexed_of = j->chain.first;
		j->indexed_below = UINT64_MAX;
	}
	r = index_step(&j->index, j->chain.dirfd, j->index_key, j->chain.first, &j->indexed_below, &e);
	j->index_at = 0;
	if (r == 0)
		j->indexed_below = 0;
	if (r < 0) {
		say_trouble(&e);
		j->index_at = now + PACK_AGAIN_NS;
	}
}

void role_keep_rule(struct journal_role *j, const struct keep_rule *rule)
{
	if (rule->keep_days == j->keeping.rule.keep_days &&
	    rule->delete_after_days == j->keeping.rule.delete_after_days)
		return;
	j->keeping.rule = *rule;
	j->keeping.at = rule->keep_days != 0 ? clock_mono().ns + TURN_NS : 0;
	j->keeping.room_at = j->keeping.at;
	j->keeping.stuck[0] = 0;
}

/* The record of a deletion: which file, the time of its last write, and the hash to which the first
 * remaining record is chained. */
static json_t *deletion(const struct journal_role *j, const struct keep_file *f, bool early)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	json_t *record;

	e.code = early ? LOST_DELETED_FOR_ROOM : LOST_DELETED;
	e.count = f->last - f->first + 1;
	snprintf(e.text[EVENT_OBJECT], sizeof(e.text[EVENT_OBJECT]), "%" PRIu64 "-%" PRIu64, f->first, f->last);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	if (record != NULL)
		json_object_set_new(record, "deleted",
				    json_pack("{s:I, s:I, s:o, s:o, s:i, s:i}", "first", (json_int_t)f->first, "last",
					      (json_int_t)f->last, "hash", json_hex(f->hash, sizeof(f->hash)),
					      "written", json_time(f->written * 1000000000ull), "keep_days",
					      (int)j->keeping.rule.keep_days, "delete_after_days",
					      (int)j->keeping.rule.delete_after_days));
	return record;
}

/* Writes the record of a deletion, unless it was written before. True: it is on the disk. It may
 * use the reserve, because the deletion frees more. */
static bool deletion_told(struct journal_role *j, const struct keep_file *f, bool early)
{
	if (j->keeping.told_last != f->last) {
		json_t *record = deletion(j, f, early);
		uint64_t number = j->chain.next_seq;

		if (record == NULL || !role_write(j, record, true) || j->chain.next_seq == number)
			return false;
		j->keeping.told_last = f->last;
		j->keeping.told_signed = false;
	}
	/* A checkpoint signs the record, also on a full disk. Without a key the file is deleted
	 * anyway; the next checkpoint covers the record. */
	if (!j->keeping.told_signed)
		j->keeping.told_signed = role_checkpoint(j, true);
	role_sync(j, clock_mono().ns, true);
	return !j->chain.dirty;
}

/* The oldest file is due but cannot be deleted, or it cannot be found out whether it is due. That
 * is recorded once, and shown in `status` until a round has no error. */
static void stuck(struct journal_role *j, const struct err *e)
{
	if (j->keeping.stuck[0] == 0) {
		say_trouble(e);
		role_put_own(j, LOST_STUCK, 1, 0, e->text);
	}
	snprintf(j->keeping.stuck, sizeof(j->keeping.stuck), "%s", e->text);
}

/*
 * Closes the open file when it is a day old, even without a rule: a rule that comes later, after a
 * trial or when the clock is trusted again, then finds files of single days. The next file begins
 * with a checkpoint over the closed one.
 */
static void turn_file(struct journal_role *j, uint64_t now)
{
	j->keeping.turn_at = now + TURN_NS;
	if (!keep_turns(j->chain.dirfd, j->chain.first, clock_wall_s()))
		return;
	journal_turn(&j->chain);
	if (j->signing.unsigned_n > 0)
		role_checkpoint(j, false);
}

static void keep_to_rule(struct journal_role *j, uint64_t now)
{
	const struct keep_rule least = { j->keeping.rule.keep_days, j->keeping.rule.keep_days + 1 };
	uint64_t wall = clock_wall_s();
	bool early = false;
	struct keep_file f;
	struct err e = { 0 };
	int r;

	j->keeping.at = now + TURN_NS;
	j->keeping.room_at = now + ROOM_NS;
	r = keep_due(j->chain.dirfd, j->chain.first, &j->keeping.rule, wall, &f, &e);
	if (r == 0 && j->writing.pressed) {
		early = true;
		r = keep_due(j->chain.dirfd, j->chain.first, &least, wall, &f, &e);
	}
	j->keeping.held = r == 1 && role_hold_keeps(j, &f);
	if (j->keeping.held)
		r = 0;
	if (r == 1 && deletion_told(j, &f, early)) {
		/* The deleted file may be the one that is being packed or indexed. */
		pack_forget(&j->pack);
		index_forget(&j->index);
		j->looked = false;
		r = keep_delete(j->chain.dirfd, f.first, &e);
	}
	if (r < 0)
		stuck(j, &e);
	else
		j->keeping.stuck[0] = 0;
}

void role_keep(struct journal_role *j, uint64_t now)
{
	if (j->keeping.turn_at == 0)
		j->keeping.turn_at = now + TURN_NS;
	if (role_keep_due(j) > now)
		return;
	if (!j->writing.pressed && j->keeping.turn_at <= now)
		turn_file(j, now);
	else if (j->writing.pressed || (j->keeping.at != 0 && j->keeping.at <= now))
		keep_to_rule(j, now);
	else if (pack_waits(j) && j->pack_at <= now)
		pack(j, now);
	else
		make_index(j, now);
}

/* Checks every ten seconds how full the records' disk is. Records when it is nearly full, and when
 * there is room again. */

#define SECOND 1000000000u
#define MEGABYTE 1000000u

uint64_t role_disk_due(const struct journal_role *j)
{
	return j->disk_at;
}

void role_disk(struct journal_role *j, uint64_t now)
{
	struct disk_room room;
	enum disk_change what;
	char text[EVENT_TEXT];
	bool known;

	if (now < j->disk_at)
		return;
	j->disk_at = now + DISK_LOOK_NS;
	known = disk_read(j->chain.dirfd, &room) == 0;
	what = disk_take(&j->disk, known ? &room : NULL, now, clock_wall_ns());
	j->records_bytes = known ? disk_of_folder(j->chain.dirfd) : 0;
	if (what == DISK_SAME)
		return;
	snprintf(text, sizeof(text), "%u %%, %llu MB", disk_used_percent(&j->disk),
		 (unsigned long long)(room.free / MEGABYTE));
	role_put_own(j, what == DISK_NEARLY_FULL ? LOST_NEARLY_FULL : LOST_ROOM_AGAIN, 1, 0, text);
}

void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret)
{
	const struct disk *d = &j->disk;

	if (!d->known)
		return;
	ret->disk_near = d->near;
	ret->disk_since = d->since_ns / SECOND;
	ret->disk_bytes = d->room.bytes;
	ret->disk_free = d->room.free;
	ret->disk_files = d->room.files;
	ret->disk_files_free = d->room.files_free;
	ret->disk_records = j->records_bytes;
	ret->disk_used = (uint8_t)disk_used_percent(d);
	ret->disk_full_in = disk_full_in(d);
}
