/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any number of questions about records: neither orders nor records wait for them. The test is the
 * supervisor at the other end of the control channel.
 *
 * LINK: appliance/journal/room.c appliance/journal/role_keep.c appliance/journal/role_messages.c
 * LINK: appliance/journal/role_files.c appliance/journal/role_write.c appliance/journal/role_take.c
 * LINK: appliance/journal/closed.c
 * LINK: appliance/journal/search.c
 * LINK: appliance/journal/segment.c appliance/journal/chain.c
 * LINK: appliance/journal/filter.c
 * LINK: appliance/journal/json.c appliance/wire/tls.c appliance/journal/names.c
 * LINK: appliance/journal/remembered.c
 * LINK: appliance/journal/flood.c
 * LINK: $(WIRE_SRC) policy/ir/unseal.c appliance/wire/hours.c policy/ir/objects.c policy/ir/book.c
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/clock.c
 * LINK: appliance/base/bytes.c appliance/base/memfd.c appliance/base/arena.c
 * LINK: appliance/base/sentence.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/journal/checkpoint.c appliance/journal/signer.c
 * LINK: appliance/journal/access.c appliance/journal/hold.c appliance/journal/role_hold.c
 * LINK: appliance/journal/role_register.c appliance/journal/role_device.c
 * LINK: appliance/journal/role_weak.c appliance/journal/weak.c
 * LINK: appliance/journal/attack.c appliance/journal/attack_sign.c appliance/journal/attack_file.c
 * LINK: appliance/journal/role_trends.c appliance/journal/trends.c
 * LINK: appliance/journal/verify.c
 * LINK: appliance/journal/role_attack.c appliance/journal/known.c appliance/base/atomic_file.c
 * LINK: appliance/base/columns.c appliance/journal/role_clean.c appliance/journal/clean.c
 * LINK: policy/ir/meaning.c
 * LIBS: jansson hogweed nettle zlib
 */
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_messages.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/role/roles.h"
#include "tests/unit/folder.h"

#define MANY 40u
#define HIGH 20 /* a descriptor number that nothing else uses */

static struct journal_role j;

/* The request id of the next answer that is already there, or 0. */
static uint32_t answered(int far)
{
	struct msg m;
	int r = msg_recv(far, ROLE_JOURNAL, ROLE_SUPERVISOR, &m);

	if (r == -EAGAIN)
		return 0;
	assert_int_equal(r, 1);
	assert_int_equal(m.body.type, MSG_ANSWER);
	assert_int_equal(m.body.answer.status, ANSWER_YES);
	msg_close_fds(&m);
	return m.id;
}

/* A journal that gets questions, and the supervisor's end of its channel. */
struct asking {
	int far, kept, dirfd;
};

static struct asking begin(const struct folder *f)
{
	struct asking a = { .dirfd = fcntl(f->fd, F_DUPFD_CLOEXEC, HIGH) };
	struct journal_recovery found;
	struct err e;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	a.far = fcntl(sv[0], F_DUPFD_CLOEXEC, HIGH);
	/* keeps the descriptor that has this number in this program */
	a.kept = fcntl(ROLE_FD_CONTROL, F_DUPFD_CLOEXEC, HIGH);
	assert_true(a.far >= 0 && dup2(sv[1], ROLE_FD_CONTROL) == ROLE_FD_CONTROL);
	assert_int_equal(role_open(&j, a.dirfd, &found, &e), 0);
	return a;
}

static void end(const struct asking *a)
{
	if (a->kept >= 0)
		dup2(a->kept, ROLE_FD_CONTROL);
	journal_close(&j.chain);
	reserve_end(&j.reserve);
	close(a->far);
	close(a->dirfd);
}

static void they_wait_for_all_else(void **state)
{
	const struct msg_body rule = { MSG_RETENTION, .retention = { .keep_days = 30, .delete_after_days = 60 } };
	struct msg_body ask = { MSG_EVENTS, .events = { .most = 10 } };
	struct asking a = begin(*state);

	role_put_own(&j, LOST_EMPTIED, 1, 0, NULL);
	for (uint32_t i = 1; i <= MANY; i++) {
		if (i == MANY)
			ask = (struct msg_body){ MSG_EXPLAIN, .explain = { .seq = 1 } };
		assert_int_equal(msg_send(a.far, i, &ask, NULL, 0), 0);
	}
	assert_int_equal(msg_send(a.far, 0, &rule, NULL, 0), 0);
	/* The order behind the questions is handled, before any file was searched for them. */
	assert_true(role_hear(&j));
	assert_int_equal(j.keeping.rule.keep_days, 30);
	assert_int_equal(answered(a.far), 0);
	/* One answer in each turn, in order. */
	for (uint32_t i = 1; i <= MANY; i++) {
		assert_true(role_answer(&j));
		assert_int_equal(answered(a.far), i);
		assert_int_equal(answered(a.far), 0);
	}
	assert_true(role_answer(&j));
	assert_int_equal(answered(a.far), 0);
	end(&a);
}

/* The position from which the answer tells the asker to ask next. */
static int64_t said_next(int far)
{
	struct msg m;
	struct err e;
	uint8_t *text;
	int64_t next;
	size_t n;
	json_t *answer;

	assert_int_equal(msg_recv(far, ROLE_JOURNAL, ROLE_SUPERVISOR, &m), 1);
	assert_int_equal(m.body.type, MSG_ANSWER);
	assert_int_equal(memfd_read(m.fds[0], 1u << 20, &text, &n, &e), 0);
	answer = json_loadb((const char *)text, n, 0, NULL);
	next = json_integer_value(json_object_get(answer, "next"));
	json_decref(answer);
	free(text);
	msg_close_fds(&m);
	return next;
}

static void numbers_that_json_has_not(void **state)
{
	static const uint64_t after[] = { 0, INT64_MAX, 1ull << 63, UINT64_MAX };
	struct asking a = begin(*state);

	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		const struct msg_body ask = { MSG_EVENTS, .events = { .after = after[i], .most = 10 } };

		assert_int_equal(msg_send(a.far, (uint32_t)i + 1, &ask, NULL, 0), 0);
		assert_true(role_hear(&j));
		assert_true(role_answer(&j));
		assert_true(said_next(a.far) == (i == 0 ? 0 : INT64_MAX));
	}
	end(&a);
}

#define SECOND 1000000000ull
#define RECORDS 10000u

/* The answer to a question at `now`, and the number of records that were checked so far. */
static json_t *asked_whole(uint64_t now, json_int_t *ret_records)
{
	enum answer_status status;
	json_t *said = role_check_json(&j, now, &status);

	assert_int_equal(status, ANSWER_YES);
	*ret_records = json_integer_value(json_object_get(said, "records"));
	return said;
}

/* A person asks until the result is there; each question checks a bounded part. Later questions are
 * answered with the same result, and after some time with a new check. */
static void whole_in_parts(void **state)
{
	struct asking a = begin(*state);
	uint64_t now = 100 * SECOND;
	json_int_t records = 0, before = 0;
	unsigned parts = 0;
	json_t *said;
	char name[48];
	int fd;

	for (unsigned i = 0; i < RECORDS; i++)
		role_put_own(&j, LOST_EMPTIED, 1, 0, NULL);
	role_sync(&j, 0, true);
	for (bool more = true; more; parts++) {
		said = asked_whole(now, &records);
		more = json_is_true(json_object_get(said, "more"));
		assert_true(records > before && records - before <= 4096);
		before = records;
		assert_true(more || !json_is_false(json_object_get(said, "whole")));
		json_decref(said);
	}
	assert_int_equal(records, (json_int_t)j.chain.next_seq - 1);
	assert_int_equal(parts, (RECORDS + 4095) / 4096);
	/* A line is edited. A question that follows at once is answered with the old result; a
	 * later one begins a new check, which finds the change. */
	journal_segment_name(1, name);
	fd = openat(a.dirfd, name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "7", 1, 40), 1);
	close(fd);
	said = asked_whole(now + SECOND, &records);
	assert_false(json_is_false(json_object_get(said, "whole")));
	json_decref(said);
	for (bool more = true; more;) {
		said = asked_whole(now + 12 * SECOND, &records);
		more = json_is_true(json_object_get(said, "more"));
		if (!more)
			assert_true(json_is_false(json_object_get(said, "whole")));
		json_decref(said);
	}
	assert_true(role_check_due(&j) == now + 72 * SECOND);
	role_check_left(&j, now + 72 * SECOND);
	assert_true(role_check_due(&j) == UINT64_MAX);
	end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(they_wait_for_all_else, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_that_json_has_not, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_in_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
