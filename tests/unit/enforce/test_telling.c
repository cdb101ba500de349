/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of progress: a limited number a second, only if the question asks for them, none for work
 * that this role does by itself, and never waiting for the supervisor.
 *
 * LINK: appliance/enforce/work.c appliance/wire/msg.c
 * LINK: appliance/base/bytes.c appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 */
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/work.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"

#define MS 1000000u
#define SECOND (1000u * MS)

static struct enforce f;
static int supervisor;
static uint64_t scripted; /* the time */

struct mono clock_mono(void)
{
	return (struct mono){ scripted };
}

static int begin(void **state)
{
	int pair[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	scripted = SECOND;
	/* A socket as roles have it: it waits, unless a call says otherwise. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f.roles.control = pair[0];
	supervisor = pair[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(f.roles.control);
	close(supervisor);
	return 0;
}

/* The next message; false: there is none. */
static bool heard(struct msg *m)
{
	char x;

	return recv(supervisor, &x, 1, MSG_PEEK | MSG_DONTWAIT) > 0 &&
	       msg_recv(supervisor, ROLE_ENFORCE, ROLE_SUPERVISOR, m) == 1;
}

static void some_words_a_second(void **state)
{
	unsigned n = 0;
	struct msg m;

	(void)state;
	telling_begin(&f, 7, true);
	telling_stage(&f, PROGRESS_READS);
	assert_false(heard(&m)); /* an answer that comes at once needs no report before */
	for (uint32_t i = 1; i <= 3000; i++) {
		scripted += MS;
		f.kernel.net.reading = (struct netlink_reading){ .part = i / 100, .parts = 30, .entries = i };
		telling_read(&f);
	}
	while (heard(&m)) {
		assert_int_equal(m.body.type, MSG_PROGRESS);
		assert_int_equal(m.id, 7);
		assert_int_equal(m.body.progress.stage, PROGRESS_READS);
		assert_int_equal(m.body.progress.of, 30);
		assert_int_equal(m.body.progress.done, m.body.progress.entries / 100);
		n++;
	}
	assert_in_range(n, 3, 3 * 5);
	/* The next stage begins at zero, whatever the last one reached. */
	scripted += SECOND;
	telling_stage(&f, PROGRESS_COMPARES);
	assert_true(heard(&m));
	assert_int_equal(m.body.progress.stage, PROGRESS_COMPARES);
	assert_int_equal(m.body.progress.done + m.body.progress.of + m.body.progress.entries, 0);
	scripted += SECOND;
	telling_count(&f, 37, 120);
	assert_true(heard(&m));
	assert_int_equal(m.body.progress.done, 37);
	assert_int_equal(m.body.progress.of, 120);
}

/* No reports: nobody wanted them, the question is over, or enforce compares the rules by itself. */
static void otherwise_nothing(void **state)
{
	struct msg m;

	(void)state;
	telling_stage(&f, PROGRESS_READS);
	telling_begin(&f, 7, false);
	scripted += SECOND;
	telling_stage(&f, PROGRESS_READS);
	telling_read(&f);
	telling_begin(&f, 8, true);
	telling_end(&f.telling);
	scripted += SECOND;
	telling_stage(&f, PROGRESS_READS);
	telling_count(&f, 1, 2);
	assert_false(heard(&m));
}

/* The supervisor does not read for a long time: work goes on, reports are left out, and the answer
 * arrives once it reads. */
static void never_waited_for(void **state)
{
	const struct msg_body answer = { MSG_ANSWER, .answer = { .status = ANSWER_YES } };
	unsigned said = 20000, n = 0;
	struct msg m;

	(void)state;
	alarm(60); /* otherwise the test would wait for ever */
	telling_begin(&f, 7, true);
	telling_stage(&f, PROGRESS_PACKETS);
	for (unsigned i = 1; i <= said; i++) {
		scripted += SECOND;
		telling_count(&f, i, 0);
	}
	while (heard(&m))
		n++;
	assert_true(n > 0 && n < said);
	assert_int_equal(msg_send(f.roles.control, 7, &answer, NULL, 0), 0);
	assert_true(heard(&m));
	assert_int_equal(m.body.type, MSG_ANSWER);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(some_words_a_second, begin, end),
		cmocka_unit_test_setup_teardown(otherwise_nothing, begin, end),
		cmocka_unit_test_setup_teardown(never_waited_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
