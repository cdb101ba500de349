/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures over records: their form, with the example of RFC 8032; every bit of a checkpoint
 * turned; key files that are valid, damaged or lost; and each way to tamper with a signed journal
 * and make its chain anew.
 *
 * LINK: appliance/journal/checkpoint.c appliance/journal/signer.c appliance/journal/segment.c
 * LINK: appliance/journal/chain.c
 * LINK: appliance/journal/verify.c appliance/base/err.c appliance/base/sha256.c
 * LINK: appliance/base/clock.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c appliance/base/bytes.c
 * LINK: appliance/base/memfd.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "appliance/journal/signer.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/verify.h"
#include "tests/unit/folder.h"
#include "tests/unit/journal/look.h"

/* RFC 8032, 7.1, test 1. */
static const struct signer example = {
	.ready = true,
	.secret = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 },
	.public = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
		    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a },
};

static struct checkpoint_keys keys_of(const struct signer *s)
{
	struct checkpoint_keys keys = { .n = 1 };

	memcpy(keys.list[0], s->public, CHECKPOINT_KEY);
	return keys;
}

static void append(struct journal *j, int n, const char *what)
{
	struct err e = { 0 };

	for (int i = 0; i < n; i++)
		assert_int_equal(journal_append(j, json_pack("{s:s, s:i}", "kind", what, "count", i), &e), 0);
}

static void append_signed(struct journal *j, const struct signer *s)
{
	struct checkpoint c = { .record = j->next_seq - 1, .time = "2026-11-20T08:10:11.000Z" };
	uint8_t signature[CHECKPOINT_SIGNATURE];
	char text[CHECKPOINT_TEXT];
	struct err e = { 0 };

	memcpy(c.hash, j->hash, sizeof(c.hash));
	memcpy(c.key, s->public, sizeof(c.key));
	signer_sign(s, text, checkpoint_text(&c, text), signature);
	assert_int_equal(journal_append(j,
					json_pack("{s:s, s:s, s:o}", "kind", "lost", "code", "checkpoint", "checkpoint",
						  checkpoint_json(&c, signature)),
					&e),
			 0);
}

/* The text of the only file in `out`, with room for more. */
static size_t text_of(const struct folder *f, char *out, size_t room)
{
	char name[48];
	ssize_t n;
	int fd;

	journal_segment_name(1, name);
	fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC);
	n = read(fd, out, room - 1);
	close(fd);
	assert_true(n >= 0);
	out[n] = '\0';
	return (size_t)n;
}

/* Five records, a checkpoint as number 6, and `more` further records. */
static void make(struct folder *f, const struct signer *s, const char *what, int more)
{
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;

	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	append(&j, 5, what);
	append_signed(&j, s);
	append(&j, more, what);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
}

static void verified(const struct folder *f, const struct checkpoint *sent, struct journal_report *r)
{
	const struct checkpoint_keys keys = keys_of(&example);
	const struct journal_trust trust = { &keys, sent };

	look(f, &trust, r);
}

static void only(const struct journal_report *r, enum journal_fault what, uint64_t seq)
{
	assert_int_equal(r->faults, 1);
	assert_int_equal(r->list[0].what, what);
	assert_int_equal(r->list[0].seq, seq);
}

static void form_and_example(void **state)
{
	const struct checkpoint c = { .record = 41, .key = { 1 }, .hash = { 2 }, .time = "2026-11-20T08:10:11.000Z" };
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
				  "-----END PUBLIC KEY-----\n";
	static const uint8_t of_nothing[] = { 0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72 };
	char text[CHECKPOINT_TEXT], out[CHECKPOINT_PEM], twice[2 * CHECKPOINT_PEM];
	uint8_t signature[CHECKPOINT_SIGNATURE];
	struct checkpoint_keys keys;
	size_t n;

	(void)state;
	n = checkpoint_text(&c, text);
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "sekisho-journal-checkpoint-1 "
				  "key=0100000000000000000000000000000000000000000000000000000000000000 record=41 "
				  "hash=0200000000000000000000000000000000000000000000000000000000000000 "
				  "time=2026-11-20T08:10:11.000Z");
	signer_sign(&example, "", 0, signature);
	assert_memory_equal(signature, of_nothing, sizeof(of_nothing));
	checkpoint_pem(example.public, out);
	assert_string_equal(out, pem);
	snprintf(twice, sizeof(twice), "old\n%snew\n%s", pem, pem);
	assert_true(checkpoint_keys_read(twice, strlen(twice), &keys));
	assert_int_equal(keys.n, 2);
	assert_memory_equal(keys.list[1], example.public, CHECKPOINT_KEY);
	for (n = 0; n < strlen(pem) - 1; n++) {
		memcpy(out, pem, n);
		out[n] = '\0';
		assert_false(checkpoint_keys_read(out, n, &keys));
	}
	assert_false(checkpoint_keys_read("-----BEGIN PRIVATE KEY-----", 27, &keys));
}

/* Any bit of the signed member is inverted and the hash of the line computed anew: the checkpoint
 * is not valid any more. */
static void every_bit(void **state)
{
	const struct checkpoint_keys keys = keys_of(&example);
	char text[16384], *line, *from, *to;
	struct checkpoint c;

	make(*state, &example, "test", 0);
	text_of(*state, text, sizeof(text));
	line = strstr(text, "{\"seq\":6,");
	assert_non_null(line);
	assert_int_equal(checkpoint_of_line(line, strcspn(line, "\n"), 6, &keys, &c), CHECKPOINT_GOOD);
	assert_int_equal(c.record, 5);
	/* The same checkpoint as a record with another number. */
	assert_int_equal(checkpoint_of_line(line, strcspn(line, "\n"), 7, &keys, &c), CHECKPOINT_FALSE);
	from = strstr(line, "sekisho-journal-checkpoint-1");
	to = strstr(line, "\"},\"prev\"");
	assert_true(from != NULL && to > from);
	for (char *p = from; p < to; p++)
		for (int bit = 0; bit < 8; bit++) {
			*p ^= (char)(1 << bit);
			assert_int_not_equal(checkpoint_of_line(line, strcspn(line, "\n"), 6, &keys, &c),
					     CHECKPOINT_GOOD);
			*p ^= (char)(1 << bit);
		}
	assert_int_equal(checkpoint_of_line(line, strcspn(line, "\n"), 6, &keys, &c), CHECKPOINT_GOOD);
}

static void whole_one(void **state)
{
	struct journal_report r;

	make(*state, &example, "test", 3);
	verified(*state, NULL, &r);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.open, 0);
	assert_int_equal(r.checkpoints, 1);
	assert_int_equal(r.signed_to, 5);
}

/* One of the records before the checkpoint was changed, and all hashes were computed anew. The
 * signature cannot be made anew. */
static void chain_made_anew(void **state)
{
	struct folder *f = *state;
	char text[16384], said[CHECKPOINT_TEXT + 256] = "", *member;
	struct journal_recovery found;
	struct journal_report r;
	struct err e = { 0 };
	struct journal j;
	char name[48];
	json_t *record;

	make(f, &example, "test", 0);
	text_of(f, text, sizeof(text));
	member = strstr(text, "\"checkpoint\":{");
	assert_non_null(member);
	snprintf(said, sizeof(said), "{%.*s}", (int)(strstr(member, ",\"prev\"") - member), member);
	journal_segment_name(1, name);
	assert_int_equal(unlinkat(f->fd, name, 0) | unlinkat(f->fd, "head", 0), 0);
	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	append(&j, 5, "lies");
	record = json_loads(said, 0, NULL);
	assert_non_null(record);
	assert_int_equal(journal_append(&j, record, &e), 0);
	append(&j, 2, "lies");
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	verified(f, NULL, &r);
	only(&r, FAULT_SIGNATURE, 6);
	assert_int_equal(r.list[0].line, 6);
	assert_true((r.open & JOURNAL_SIGNED_OPEN) != 0);
	/* The chain of hashes alone does not show it. */
	assert_int_equal(journal_verify(f->path, NULL, &r, &e), 0);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.open, 0);
}

static void another_key(void **state)
{
	struct signer other = { .ready = false };
	struct journal_report r;
	bool lost;
	struct err e;

	assert_int_equal(mkdirat(((struct folder *)*state)->fd, "keys", 0700), 0);
	assert_int_equal(signer_open(openat(((struct folder *)*state)->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				     ((struct folder *)*state)->fd, &other, &lost, &e),
			 0);
	make(*state, &other, "test", 1);
	verified(*state, NULL, &r);
	only(&r, FAULT_KEY, 6);
	assert_int_equal(r.checkpoints, 0);
}

/* Records that the log server has were cut off here, and the head was adjusted. */
static void cut_behind_what_was_sent(void **state)
{
	const struct checkpoint_keys keys = keys_of(&example);
	struct folder *f = *state;
	static char text[16384], prefixed[20000];
	char path[128], name[48];
	struct journal_recovery found;
	struct journal_report r;
	struct checkpoint sent;
	struct err e = { 0 };
	struct journal j;
	FILE *copy;
	size_t n;

	make(f, &example, "test", 0);
	text_of(f, text, sizeof(text));
	snprintf(prefixed, sizeof(prefixed), "<134>1 2026-11-20T08:10:11Z box sekisho - - - %s\n",
		 strstr(text, "{\"seq\":6,"));
	snprintf(path, sizeof(path), "%s/server.log", f->path);
	copy = fopen(path, "we");
	fprintf(copy, "noise\n{\"seq\":\n%s", prefixed);
	fclose(copy);
	assert_int_equal(journal_newest_checkpoint(path, &keys, &sent, &e), 1);
	assert_int_equal(sent.record, 5);
	verified(f, &sent, &r);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.sent, 5);
	journal_segment_name(1, name);
	assert_int_equal(truncate(path, 6), 0);
	assert_int_equal(journal_newest_checkpoint(path, &keys, &sent, &e), 0);
	sent = (struct checkpoint){ .record = 5 };
	/* Three lines stay. */
	n = (size_t)(strstr(text, "{\"seq\":4,") - text);
	{
		int fd = openat(f->fd, name, O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		close(fd);
	}
	assert_int_equal(unlinkat(f->fd, "head", 0), 0);
	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	append(&j, 1, "lies");
	append_signed(&j, &example);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	verified(f, NULL, &r);
	assert_int_equal(r.faults, 0);
	verified(f, &sent, &r);
	only(&r, FAULT_SENT, 5);
}

static int newest(const struct folder *f, const char *lines, size_t n, struct checkpoint *ret)
{
	const struct checkpoint_keys keys = keys_of(&example);
	struct err e = { 0 };
	char path[128];
	FILE *copy;

	snprintf(path, sizeof(path), "%s/server.log", f->path);
	copy = fopen(path, "we");
	assert_int_equal(fwrite(lines, 1, n, copy), n);
	fclose(copy);
	return journal_newest_checkpoint(path, &keys, ret, &e);
}

/* Processor time for finding the checkpoint in a line behind this many bytes that only begin like
 * one. */
static double seconds_for_beginnings(const struct folder *f, const char *line, size_t bytes)
{
	static const char beginning[] = "{\"checkpoint\":";
	static char text[80000];
	struct checkpoint found;
	clock_t began;
	size_t at;

	for (at = 0; at < bytes; at += sizeof(beginning) - 1)
		memcpy(text + at, beginning, sizeof(beginning) - 1);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "1}%s", line);
	began = clock();
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(newest(f, text, at, &found), 1);
	assert_int_equal(found.record, 5);
	return (double)(clock() - began) / CLOCKS_PER_SEC;
}

/* The log server stores the line in another form, without the record's own hash and link. The
 * signed text is in it all the same, and nothing else counts. */
static void sent_in_another_form(void **state)
{
	static const char front[] =
		"<134>1 2026-11-20T08:10:11Z box sekisho - - - {\"timestamp\":\"x\",\"sekisho\":{\"seq\":6,"
		"\"kind\":\"lost\",";
	static char text[16384], line[20000], both[80000];
	const struct checkpoint_keys keys = keys_of(&example);
	struct folder *f = *state;
	const char *member, *prev;
	struct checkpoint sent;
	struct journal_report r;
	double few;
	json_t *of;
	size_t n, at;

	make(f, &example, "test", 0);
	text_of(f, text, sizeof(text));
	member = strstr(text, "\"checkpoint\":{");
	assert_non_null(member);
	prev = strstr(member, ",\"prev\"");
	n = (size_t)snprintf(line, sizeof(line), "%s%.*s}}\n", front, (int)(prev - member), member);
	assert_int_equal(newest(f, line, n, &sent), 1);
	assert_int_equal(sent.record, 5);
	verified(f, &sent, &r);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.sent, 5);
	/* A checkpoint that names another key is not valid. */
	of = json_loadb(member + strlen("\"checkpoint\":"), (size_t)(prev - member) - strlen("\"checkpoint\":"), 0,
			NULL);
	assert_non_null(of);
	assert_int_equal(checkpoint_of_member(of, &keys, &sent), CHECKPOINT_GOOD);
	assert_int_equal(checkpoint_of_member(of, &(struct checkpoint_keys){ .n = 1 }, &sent), CHECKPOINT_ANOTHER);
	json_decref(of);
	/* Every bit of the signed text, and of the signature. */
	at = (size_t)(strstr(line, "sekisho-journal") - line);
	for (size_t i = at; line[i] != '}'; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			line[i] = (char)(line[i] ^ (1 << bit));
			if (newest(f, line, n, &sent) == 1)
				fail_msg("bit %u of byte %zu: %s", bit, i, line);
			line[i] = (char)(line[i] ^ (1 << bit));
		}
	/* A checkpoint that is cut anywhere is not valid. A valid one behind it is found, and the
	 * newer one of two. */
	for (size_t cut = strlen(front); cut < n - 3; cut++)
		assert_int_equal(newest(f, line, cut, &sent), 0);
	at = (size_t)snprintf(both, sizeof(both), "{\"checkpoint\":{\"text\":1},\"checkpoint\":[],\"checkpoint\":%s",
			      line);
	assert_int_equal(newest(f, both, at, &sent), 1);
	assert_int_equal(sent.record, 5);
	/* Eight times as many false beginnings in one line take about eight times as long, and not
	 * sixty-four times. */
	few = seconds_for_beginnings(f, line, 8000);
	assert_true(seconds_for_beginnings(f, line, 64000) < 24 * few);
}

/* Old records were deleted by the retention rule: this is valid if it is signed, and otherwise
 * damage. */
static void deletion_is_a_signed_word(void **state)
{
	struct folder *f = *state;
	struct journal_recovery found;
	struct journal_report r;
	struct err e = { 0 };
	char name[48], hash[65];
	struct journal j;

	assert_int_equal(journal_open(f->fd, &j, &found, &e), 0);
	append(&j, 5, "test");
	hex_text(j.hash, sizeof(j.hash), hash);
	journal_turn(&j);
	append_signed(&j, &example);
	assert_int_equal(
		journal_append(&j,
			       json_pack("{s:s, s:s, s:s, s:{s:i, s:i, s:s}}", "kind", "lost", "role", "journal",
					 "code", "deleted", "deleted", "first", 1, "last", 5, "hash", hash),
			       &e),
		0);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_segment_name(1, name);
	assert_int_equal(unlinkat(f->fd, name, 0), 0);
	verified(f, NULL, &r);
	only(&r, FAULT_BEGIN, 6);
	append_signed(&j, &example);
	assert_int_equal(journal_sync(&j, &e), 0);
	journal_close(&j);
	verified(f, NULL, &r);
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.open, 0);
	assert_int_equal(r.deleted, 5);
	assert_int_equal(r.deleted_by, 7);
}

/* ---- the key as a file ----------------------------------------------------------------------- */

static bool opens(const struct folder *f, int keys, struct signer *s)
{
	struct err e = { 0 };
	bool lost;

	assert_int_equal(signer_open(keys, f->fd, s, &lost, &e), 0);
	assert_true(s->ready);
	return lost;
}

static void key_is_kept(void **state)
{
	struct folder *f = *state;
	struct signer first, again;
	struct stat st;
	int keys;

	assert_int_equal(mkdirat(f->fd, "keys", 0700), 0);
	keys = openat(f->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(opens(f, keys, &first));
	assert_int_equal(fstatat(keys, "key", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fstatat(f->fd, "checkpoint.pem", &st, 0), 0);
	assert_false(opens(f, keys, &again));
	assert_memory_equal(first.public, again.public, CHECKPOINT_KEY);
	/* The public key beside the records is computed from the key. */
	assert_int_equal(unlinkat(f->fd, "checkpoint.pem", 0), 0);
	assert_false(opens(f, keys, &again));
	assert_memory_equal(first.public, again.public, CHECKPOINT_KEY);
	assert_int_equal(fstatat(f->fd, "checkpoint.pem", &st, 0), 0);
	/* The key is lost: another key is made, and this is reported. */
	assert_int_equal(unlinkat(keys, "key", 0), 0);
	assert_true(opens(f, keys, &again));
	assert_memory_not_equal(first.public, again.public, CHECKPOINT_KEY);
	close(keys);
}

/* A key file with an inverted bit is not used as another key: it is set aside, and another key is
 * made and reported. */
static void damaged_key(void **state)
{
	struct folder *f = *state;
	struct signer first, again;
	struct stat st;
	off_t size;
	int keys;

	assert_int_equal(mkdirat(f->fd, "keys", 0700), 0);
	keys = openat(f->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(opens(f, keys, &first));
	assert_int_equal(fstatat(keys, "key", &st, 0), 0);
	size = st.st_size;
	for (off_t at = 0; at < size; at++) {
		int fd = openat(keys, "key", O_RDWR | O_CLOEXEC);
		char c;

		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		close(fd);
		assert_true(opens(f, keys, &again));
		assert_memory_not_equal(first.public, again.public, CHECKPOINT_KEY);
		first = again;
	}
	close(keys);
}

/* Once the file can be read again, after its rights were restored or the disk works, the key signs
 * as before. */
static void unreadable_key(void **state)
{
	struct folder *f = *state;
	struct signer first, again = { .ready = false };
	bool root = geteuid() == 0, lost = true;
	struct err e = { 0 };
	int keys, r;

	assert_int_equal(mkdirat(f->fd, "keys", 0777), 0);
	assert_int_equal(fchmodat(f->fd, "keys", 0777, 0), 0);
	keys = openat(f->fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(opens(f, keys, &first));
	assert_int_equal(fchmodat(keys, "key", 0, 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	r = signer_open(keys, f->fd, &again, &lost, &e);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_false(again.ready);
	assert_false(lost);
	assert_true(e.text[0] != '\0');
	assert_int_equal(fchmodat(keys, "key", 0600, 0), 0);
	assert_false(opens(f, keys, &again));
	assert_memory_equal(first.public, again.public, CHECKPOINT_KEY);
	close(keys);
}

static void no_room_for_a_key(void **state)
{
	struct folder *f = *state;
	struct err e = { 0 };
	struct signer s;
	bool lost;
	int keys = openat(f->fd, "nothing", O_RDONLY | O_CLOEXEC);

	assert_int_equal(keys, -1);
	assert_true(signer_open(keys, f->fd, &s, &lost, &e) < 0);
	assert_false(s.ready);
	assert_true(e.text[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form_and_example),
		cmocka_unit_test_setup_teardown(every_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_one, setup, teardown),
		cmocka_unit_test_setup_teardown(chain_made_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_behind_what_was_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(sent_in_another_form, setup, teardown),
		cmocka_unit_test_setup_teardown(deletion_is_a_signed_word, setup, teardown),
		cmocka_unit_test_setup_teardown(key_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_key, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable_key, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room_for_a_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
