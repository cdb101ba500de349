/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns an event into a stored line. The three parts of this file need each other: a line may make
 * a signature due, a signature is a line, and both may find the disk full.
 *
 * The journal signs its records by checkpoints (checkpoint.h): after SIGN_RECORDS records, SIGN_NS
 * after the first unsigned record, at the beginning of a file (over the previous file), before old
 * records are deleted, at an orderly end, and on request. A checkpoint signs everything before it,
 * so if one fails, the next one makes up for it. It is a record like any other: it is sent to the
 * log server, and a kill in the middle leaves a torn end. On a full disk it waits like other
 * records. Exceptions use the reserve: the checkpoints over the record of a deletion (without it,
 * verify would report the missing records as damage), of a hold and of evidence, and the last
 * checkpoint of an orderly end.
 *
 * On a full disk the most serious records are still written, from the reserve. The others wait in
 * memory (room.c); those for which there is no room are only counted. When the reserve is complete
 * again, all waiting records are written, the most serious first, and then one record with the
 * numbers of what was left out. These counts are kept until that record is written. A half-packed
 * file is removed at once. If the journal is killed meanwhile, the records in its memory are lost,
 * and only the record of its death shows that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/journal/names.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_trends.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/signer.h"
#include "appliance/journal/wait.h"

#define SYNC_NS 100000000ull
#define TORN_PIECES 4u /* this many pieces of the reserve have room for a line */
#define SIGN_RECORDS 1000u
#define SIGN_NS 600000000000ull
/* ns until the next try after a checkpoint that could not be written */
#define AGAIN_NS 10000000000ull
#define SAY_NS 86400000000000ull
#define SEAL_TEXT 320u

/* ---- room ------------------------------------------------------------------------------------ */

bool role_no_room(int code)
{
	return code == -ENOSPC || code == -EDQUOT;
}

/* Removes a half-packed file. It will be packed from the beginning later. */
static void drop_pack(struct journal_role *j)
{
	if (j->pack == NULL)
		return;
	pack_drop(&j->pack, j->chain.dirfd);
	j->looked = false;
	j->pack_at = clock_mono().ns + PACK_AGAIN_NS;
}

void role_press(struct journal_role *j, const struct err *e)
{
	j->writing.failures++;
	if (j->writing.trouble[0] == 0)
		fprintf(stderr, "sekishod journal: %s\n", e->text);
	snprintf(j->writing.trouble, sizeof(j->writing.trouble), "%s", e->text);
	drop_pack(j);
	if (!j->writing.pressed)
		j->writing.retry_at = clock_mono().ns + RETRY_NS;
	j->writing.pressed = true;
	j->writing.full = role_no_room(e->code);
}

int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e)
{
	int r;

	/* A half-packed file of a journal that was killed: the torn end and the reserve may need
	 * its room. */
	pack_drop(&j->pack, dirfd);
	reserve_begin(dirfd, &j->reserve);
	r = journal_open(dirfd, &j->chain, ret, e);
	if (role_no_room(r)) {
		for (unsigned i = 0; i < TORN_PIECES && reserve_release(&j->reserve); i++)
			;
		r = journal_open(dirfd, &j->chain, ret, e);
	}
	if (role_no_room(r))
		r = journal_open_without_room(dirfd, &j->chain, ret, e);
	if (r < 0) {
		reserve_end(&j->reserve);
		return r;
	}
	if (reserve_build(&j->reserve, e) < 0)
		role_press(j, e);
	return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

bool role_write(struct journal_role *j, json_t *record, bool grave)
{
	struct err e = { 0 };
	int r;

	do
		r = journal_append(&j->chain, json_incref(record), &e);
	while (role_no_room(r) && grave && reserve_release(&j->reserve));
	json_decref(record);
	if (r == -ENOMEM) {
		j->writing.unwritable++;
		return true;
	}
	/* A failed attempt may have given back a part of the reserve, so the reserve has to be
	 * built again. */
	if (e.text[0] != 0)
		role_press(j, &e);
	if (r == 0 && j->sync_at == 0)
		j->sync_at = clock_mono().ns + SYNC_NS;
	if (r == 0)
		role_sign_written(j);
	return r == 0;
}

void role_sync(struct journal_role *j, uint64_t now, bool at_once)
{
	struct err e = { 0 };
	int r;

	if (j->sync_at == 0 || (!at_once && now < j->sync_at))
		return;
	r = journal_sync(&j->chain, &e);
	if (role_no_room(r) && reserve_release(&j->reserve))
		r = journal_sync(&j->chain, &e);
	if (e.text[0] != 0)
		role_press(j, &e);
	j->sync_at = r < 0 ? now + RETRY_NS : 0;
	/* The disk works again only when a sync succeeds. */
	if (r == 0 && !j->writing.pressed)
		j->writing.trouble[0] = 0;
}

static void wait_for_room(struct journal_role *j, const struct event *e, enum role from, uint64_t records);

void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	json_t *record;

	role_trends_put(j, e);
	if (j->writing.pressed) {
		wait_for_room(j, e, from, records);
		return;
	}
	record = role_record(j, e, from, records);
	if (record == NULL)
		j->writing.unwritable++;
	else if (!role_write(j, record, wait_class_of(e) <= WAIT_GRAVE))
		wait_for_room(j, e, from, records);
}

json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	json_t *record = event_json(e, from, &j->names);

	if (record != NULL && records > 1)
		json_object_set_new(record, "records", json_integer((json_int_t)records));
	return record;
}

void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());

	e.code = (uint8_t)what;
	e.count = count;
	e.value = value;
	if (object != NULL)
		event_say(&e, EVENT_OBJECT, object);
	role_put(j, &e, ROLE_JOURNAL, 1);
}

/* ---- signatures ------------------------------------------------------------------------------ */

/* Records that nothing can be signed, once a day while it lasts, because a single record would soon
 * be hard to find. */
static void unsigned_for(struct journal_role *j, const char *why)
{
	uint64_t now = clock_mono().ns;
	bool said = j->signing.no_key[0] != 0 && now < j->signing.no_key_at;

	snprintf(j->signing.no_key, sizeof(j->signing.no_key), "%s", why);
	if (said)
		return;
	/* Set before the call: the record itself may trigger the next attempt. */
	j->signing.no_key_at = now + SAY_NS;
	role_put_own(j, LOST_UNSIGNED, j->signing.unsigned_n > 0 ? j->signing.unsigned_n : 1, 0, why);
}

bool role_key(struct journal_role *j)
{
	struct err e = { 0 };
	bool lost = false;

	if (j->signing.signer.ready)
		return true;
	if (j->signing.folder <= 0) {
		unsigned_for(j, "no folder for the signing key");
		return false;
	}
	if (signer_open(j->signing.folder, j->chain.dirfd, &j->signing.signer, &lost, &e) < 0) {
		unsigned_for(j, e.text);
		return false;
	}
	j->signing.no_key[0] = 0;
	index_key(j->signing.signer.secret, j->index_key);
	j->chain.index_key = j->index_key;
	if (lost)
		role_put_own(j, LOST_KEY, 1, 0, e.text);
	return true;
}

/* Returns the record that signs everything written so far, as a new reference. *ret_member is
 * set to its member "checkpoint", also a new reference. Without memory returns NULL and sets no
 * member. */
static json_t *record_of(const struct journal_role *j, json_t **ret_member)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	struct checkpoint c = { .record = j->chain.next_seq - 1 };
	uint8_t signature[CHECKPOINT_SIGNATURE];
	char text[CHECKPOINT_TEXT];
	json_t *record, *time = json_time(e.wall_ns);

	if (time == NULL)
		return NULL;

	e.code = LOST_CHECKPOINT;
	e.count = 1;
	snprintf(e.text[EVENT_OBJECT], sizeof(e.text[EVENT_OBJECT]), "up to record %" PRIu64, c.record);
	memcpy(c.hash, j->chain.hash, sizeof(c.hash));
	memcpy(c.key, j->signing.signer.public, sizeof(c.key));
	snprintf(c.time, sizeof(c.time), "%s", json_string_value(time));
	json_decref(time);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	if (record == NULL)
		return NULL;
	signer_sign(&j->signing.signer, text, checkpoint_text(&c, text), signature);
	*ret_member = checkpoint_json(&c, signature);
	/* A record that says it is a checkpoint but has no signature would be reported by
	 * verify. */
	if (*ret_member == NULL || json_object_set(record, "checkpoint", *ret_member) < 0) {
		json_decref(*ret_member);
		json_decref(record);
		*ret_member = NULL;
		return NULL;
	}
	return record;
}

bool role_checkpoint(struct journal_role *j, bool grave)
{
	uint64_t before = j->chain.next_seq;
	json_t *record, *member = NULL;
	bool done = false;

	/* A journal without records has nothing to sign. */
	if (j->signing.folder == 0 || before == 1)
		return false;
	j->signing.at = clock_mono().ns + (j->signing.folder > 0 ? AGAIN_NS : SIGN_NS);
	if ((j->writing.pressed && !grave) || j->signing.under_way || !role_key(j))
		return false;
	j->signing.under_way = true;
	before = j->chain.next_seq;
	record = record_of(j, &member);
	if (record != NULL)
		done = role_write(j, record, grave) && j->chain.next_seq == before + 1;
	j->signing.under_way = false;
	if (!done) {
		json_decref(member);
		return false;
	}
	json_decref(j->signing.last);
	j->signing.last = member;
	j->signing.to = before - 1;
	j->signing.unsigned_n = 0;
	j->signing.at = 0;
	return true;
}

void role_sign_written(struct journal_role *j)
{
	if (j->signing.under_way || j->signing.folder == 0)
		return;
	j->signing.unsigned_n++;
	if (j->signing.at == 0)
		j->signing.at = clock_mono().ns + SIGN_NS;
	/* Only at multiples of SIGN_RECORDS: otherwise each record would be an attempt while the
	 * disk or the key fails. */
	if (j->signing.unsigned_n % SIGN_RECORDS == 0 || j->chain.size >= JOURNAL_SEGMENT_BYTES)
		role_checkpoint(j, false);
}

void role_sign(struct journal_role *j, uint64_t now)
{
	if (j->signing.at != 0 && j->signing.at <= now)
		role_checkpoint(j, false);
}

/* ---- evidence -------------------------------------------------------------------------------- */

/*
 * The text that is signed for evidence: a list of one file in the form of sha256sum, behind a
 * comment line that only evidence has. So openssl checks the signature, sha256sum checks the list,
 * and the text cannot be taken for a checkpoint.
 */
static size_t seal_text(const struct journal_role *j, const uint8_t digest[32], uint64_t record, char out[SEAL_TEXT])
{
	char key[2 * CHECKPOINT_KEY + 1], hash[65];
	json_t *time = json_time(clock_wall_ns());
	int n;

	hex_text(j->signing.signer.public, sizeof(j->signing.signer.public), key);
	hex_text(digest, 32, hash);
	n = snprintf(out, SEAL_TEXT, "# sekisho-evidence-1 key=%s record=%" PRIu64 " time=%s\n%s  SHA256SUMS\n", key,
		     record, time != NULL ? json_string_value(time) : "-", hash);
	json_decref(time);
	return n > 0 && n < (int)SEAL_TEXT ? (size_t)n : 0;
}

/* Writes the record of evidence. Returns its number; 0 = it could not be written. */
static uint64_t put_preserved(struct journal_role *j, const struct msg_preserve *m)
{
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	char hash[65], by[USER_BY] = "";
	uint64_t number = j->chain.next_seq;
	json_t *record;

	e.code = LOST_PRESERVED;
	e.count = 1;
	hex_text(m->digest, sizeof(m->digest), hash);
	memcpy(by, m->by, sizeof(by) - 1);
	event_say(&e, EVENT_OBJECT, hash);
	event_say(&e, EVENT_BY, by);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	return record != NULL && role_write(j, record, true) && j->chain.next_seq > number ? number : 0;
}

json_t *role_preserved(struct journal_role *j, const struct msg *asked, enum answer_status *ret)
{
	const struct msg_preserve *m = &asked->body.preserve;
	uint8_t signature[CHECKPOINT_SIGNATURE];
	char text[SEAL_TEXT], pem[CHECKPOINT_PEM];
	uint64_t record = put_preserved(j, m);
	size_t n;

	*ret = ANSWER_CANNOT;
	if (record == 0)
		return json_pack("{s:s}", "error",
				 j->writing.trouble[0] != 0 ? j->writing.trouble : "no room on the disk");
	(void)role_checkpoint(j, true);
	role_sync(j, clock_mono().ns, true);
	*ret = ANSWER_YES;
	n = role_key(j) ? seal_text(j, m->digest, record, text) : 0;
	if (n == 0)
		return json_pack("{s:I, s:s}", "seq", (json_int_t)record, "unsigned", j->signing.no_key);
	signer_sign(&j->signing.signer, text, n, signature);
	checkpoint_pem(j->signing.signer.public, pem);
	return json_pack("{s:I, s:s, s:o, s:s}", "seq", (json_int_t)record, "seal", text, "signature",
			 json_hex(signature, sizeof(signature)), "key", pem);
}

/* ---- records that wait for room -------------------------------------------------------------- */

/* Writes the waiting records, the most serious first, down to class `to`. False: the disk cannot be
 * written. */
static bool write_waiting(struct journal_role *j, enum wait_class to)
{
	const struct wait_record *w;

	while ((w = wait_first(&j->writing.wait, to)) != NULL) {
		json_t *record = role_record(j, &w->event, w->from, w->records);

		if (record == NULL)
			j->writing.unwritable++;
		else if (!role_write(j, record, wait_class_of(&w->event) <= WAIT_GRAVE))
			return false;
		wait_taken(&j->writing.wait, w);
	}
	return true;
}

/* Puts a record among those that wait for room. */
static void wait_for_room(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	wait_in(&j->writing.wait, e, from, records);
	/* A serious record is written at once, while the reserve has room. */
	if (j->writing.pressed && wait_class_of(e) <= WAIT_GRAVE && j->reserve.size > 0)
		write_waiting(j, WAIT_GRAVE);
}

static json_t *dropped_json(const struct wait_dropped *d)
{
	json_t *o = json_pack("{s:o, s:o}", "first", json_time(d->first_ns), "last", json_time(d->last_ns));

	for (enum wait_class c = 0; c < WAIT_CLASSES; c++)
		json_object_set_new(o, wait_class_word(c), json_integer((json_int_t)d->of[c]));
	json_object_set_new(o, "packets", json_integer((json_int_t)d->packets));
	json_object_set_new(o, "lost", json_integer((json_int_t)d->lost));
	return o;
}

/* Writes one record with the numbers of what was left out. True: nothing is left to report. */
static bool tell_lost(struct journal_role *j, bool from_reserve)
{
	const struct wait_dropped *d = &j->writing.wait.dropped;
	struct event e = event_new(EVENT_LOST, clock_wall_ns());
	char text[EVENT_TEXT];
	uint64_t number = j->chain.next_seq;
	json_t *record;

	e.code = LOST_NO_ROOM;
	e.count = wait_dropped(&j->writing.wait);
	if (e.count == 0)
		return true;
	snprintf(text, sizeof(text), "policy %" PRIu64 ", box %" PRIu64 ", other %" PRIu64 ", traffic %" PRIu64,
		 d->of[WAIT_POLICY], d->of[WAIT_BOX], d->of[WAIT_OTHER], d->of[WAIT_TRAFFIC]);
	event_say(&e, EVENT_OBJECT, text);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	if (record != NULL)
		json_object_set_new(record, "dropped", dropped_json(d));
	if (record == NULL || !role_write(j, record, from_reserve) || j->chain.next_seq == number)
		return false;
	j->intake.lost += e.count;
	wait_told(&j->writing.wait);
	return true;
}

void role_retry(struct journal_role *j, uint64_t now)
{
	struct err e = { 0 };

	if (!j->writing.pressed || now < j->writing.retry_at)
		return;
	j->writing.retry_at = now + RETRY_NS;
	if (reserve_build(&j->reserve, &e) < 0) {
		role_press(j, &e);
		write_waiting(j, WAIT_GRAVE);
		return;
	}
	/* Writing may use the reserve. Only if the reserve can be completed afterwards does the
	 * disk have room again. */
	if (!write_waiting(j, WAIT_TRAFFIC) || !tell_lost(j, false) || reserve_build(&j->reserve, &e) < 0)
		return;
	j->writing.pressed = false;
	if (j->sync_at == 0)
		j->sync_at = now;
}

void role_room_end(struct journal_role *j)
{
	if (!j->writing.pressed)
		return;
	role_retry(j, j->writing.retry_at);
	if (!j->writing.pressed)
		return;
	wait_drop(&j->writing.wait, WAIT_GRAVE);
	write_waiting(j, WAIT_GRAVE);
	if (!tell_lost(j, true))
		fprintf(stderr, "sekishod journal: %" PRIu64 " records were left out for want of room on the disk\n",
			wait_dropped(&j->writing.wait));
}
