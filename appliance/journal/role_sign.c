/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the journal signs what it holds (checkpoint.h): behind SIGN_RECORDS, SIGN_NS after the first record that is not signed, as the first record of
 * a file for the file before it, before old records go, when it ends in order, and when somebody asks. One checkpoint signs all before
 * it, so that one which could not be written costs nothing but time.
 *
 * A checkpoint is a record as any other: it goes to the log server with the rest, and a kill in its middle leaves a torn end like any other.
 * On a full disk it waits for room as others do, but for two that the reserve is for: the one over the word that old records go for room, without
 * which their absence is damage to whoever verifies, and the last one of an end in order.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/journal/json.h"
#include "appliance/journal/role_private.h"

#define SIGN_RECORDS 1000u
#define SIGN_NS 600000000000ull
#define AGAIN_NS 10000000000ull /* after one that could not be written */
#define SAY_NS 86400000000000ull
#define SEAL_TEXT 320u

/* Recorded once a day while it lasts, not at each attempt: a single record of it is soon a long way back. */
static void unsigned_for(struct journal_role *j, const char *why)
{
	uint64_t now = clock_mono().ns;
	bool said = j->no_key[0] != 0 && now < j->no_key_at;

	snprintf(j->no_key, sizeof(j->no_key), "%s", why);
	if (said)
		return;
	/* Before: what records it may be the record behind which it is tried again. */
	j->no_key_at = now + SAY_NS;
	role_put_own(j, LOST_UNSIGNED, j->unsigned_n > 0 ? j->unsigned_n : 1, 0, why);
}

bool role_key(struct journal_role *j)
{
	struct err e = { 0 };
	bool lost = false;

	if (j->signer.ready)
		return true;
	if (j->key_folder <= 0) {
		unsigned_for(j, "no folder for the signing key");
		return false;
	}
	if (signer_open(j->key_folder, j->chain.dirfd, &j->signer, &lost, &e) < 0) {
		unsigned_for(j, e.text);
		return false;
	}
	j->no_key[0] = 0;
	index_key(j->signer.secret, j->index_key);
	j->chain.index_key = j->index_key;
	if (lost)
		role_put_own(j, LOST_KEY, 1, 0, e.text);
	return true;
}

/* The record that signs all that is written; new reference, and one of its member. NULL = no memory: then there is neither. */
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
	memcpy(c.key, j->signer.public, sizeof(c.key));
	snprintf(c.time, sizeof(c.time), "%s", json_string_value(time));
	json_decref(time);
	record = role_record(j, &e, ROLE_JOURNAL, 1);
	if (record == NULL)
		return NULL;
	signer_sign(&j->signer, text, checkpoint_text(&c, text), signature);
	*ret_member = checkpoint_json(&c, signature);
	/* A record that says that it signs, and does not, would be damage to whoever checks it. */
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

	/* Of a journal without a record there is nothing to sign, now or in a while. */
	if (j->key_folder == 0 || before == 1)
		return false;
	j->sign_at = clock_mono().ns + (j->key_folder > 0 ? AGAIN_NS : SIGN_NS);
	if ((j->pressed && !grave) || j->signing || !role_key(j))
		return false;
	j->signing = true;
	before = j->chain.next_seq;
	record = record_of(j, &member);
	if (record != NULL)
		done = role_write(j, record, grave) && j->chain.next_seq == before + 1;
	j->signing = false;
	if (!done) {
		json_decref(member);
		return false;
	}
	json_decref(j->last_checkpoint);
	j->last_checkpoint = member;
	j->signed_to = before - 1;
	j->unsigned_n = 0;
	j->sign_at = 0;
	return true;
}

void role_sign_written(struct journal_role *j)
{
	if (j->signing || j->key_folder == 0)
		return;
	j->unsigned_n++;
	if (j->sign_at == 0)
		j->sign_at = clock_mono().ns + SIGN_NS;
	/* By multiples: with a disk or a key that fails, not each record is an attempt. */
	if (j->unsigned_n % SIGN_RECORDS == 0 || j->chain.size >= JOURNAL_SEGMENT_BYTES)
		role_checkpoint(j, false);
}

void role_sign(struct journal_role *j, uint64_t now)
{
	if (j->sign_at != 0 && j->sign_at <= now)
		role_checkpoint(j, false);
}

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

/*
 * What is signed is a list of one file as sha256sum reads it, behind a remark that only evidence begins with: so the signature is checked by openssl, the list
 * by sha256sum, and neither is taken for a checkpoint.
 */
static size_t seal_text(const struct journal_role *j, const uint8_t digest[32], uint64_t record, char out[SEAL_TEXT])
{
	char key[2 * CHECKPOINT_KEY + 1], hash[65];
	json_t *time = json_time(clock_wall_ns());
	int n;

	hex_text(j->signer.public, sizeof(j->signer.public), key);
	hex_text(digest, 32, hash);
	n = snprintf(out, SEAL_TEXT, "# sekisho-evidence-1 key=%s record=%" PRIu64 " time=%s\n%s  SHA256SUMS\n", key,
		     record, time != NULL ? json_string_value(time) : "-", hash);
	json_decref(time);
	return n > 0 && n < (int)SEAL_TEXT ? (size_t)n : 0;
}

/* Number of the record, 0 = it could not be written. */
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

json_t *role_preserved(struct journal_role *j, const struct msg_preserve *m, enum answer_status *ret)
{
	uint8_t signature[CHECKPOINT_SIGNATURE];
	char text[SEAL_TEXT], pem[CHECKPOINT_PEM];
	uint64_t record = put_preserved(j, m);
	size_t n;

	*ret = ANSWER_CANNOT;
	if (record == 0)
		return json_pack("{s:s}", "error", j->trouble[0] != 0 ? j->trouble : "no room on the disk");
	(void)role_checkpoint(j, true);
	role_sync(j, clock_mono().ns, true);
	*ret = ANSWER_YES;
	n = role_key(j) ? seal_text(j, m->digest, record, text) : 0;
	if (n == 0)
		return json_pack("{s:I, s:s}", "seq", (json_int_t)record, "unsigned", j->no_key);
	signer_sign(&j->signer, text, n, signature);
	checkpoint_pem(j->signer.public, pem);
	return json_pack("{s:I, s:s, s:o, s:s}", "seq", (json_int_t)record, "seal", text, "signature",
			 json_hex(signature, sizeof(signature)), "key", pem);
}
