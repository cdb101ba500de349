/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work is stopped when nobody waits for it, but only the work for the named question; each stop is
 * counted once. Work is also stopped for a person's order, and then asked for again.
 *
 * LINK: appliance/enforce/work.c appliance/wire/msg.c
 * LINK: appliance/base/bytes.c appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 */
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/work.h"
#include "tests/unit/cmocka.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"

static struct enforce f;
static int supervisor;
static uint64_t scripted = 1; /* the time */

struct mono clock_mono(void)
{
	scripted += 10000000u;
	return (struct mono){ scripted };
}

static int begin(void **state)
{
	int pair[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f.roles.control = pair[0];
	supervisor = pair[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(f.roles.control);
	if (supervisor >= 0)
		close(supervisor);
	return 0;
}

static void says(enum msg_type type, uint32_t id)
{
	assert_true(msg_send(supervisor, id, &(struct msg_body){ .type = type }, NULL, 0) >= 0);
}

static void counted_once(void **state)
{
	(void)state;
	assert_true(stop_begin(&f, 7, false));
	assert_false(stop_asked(&f));
	stop_end(&f.hearing, false);
	assert_int_equal(f.hearing.stopped, 0); /* the work ended by itself */
	assert_true(stop_begin(&f, 9, false));
	says(MSG_STOP, 9);
	assert_true(stop_asked(&f));
	stop_end(&f.hearing, false);
	/* it was told to stop, and had finished all the same */
	assert_int_equal(f.hearing.stopped, 0);
	assert_true(stop_begin(&f, 8, false));
	says(MSG_STOP, 8);
	assert_true(stop_asked(&f));
	assert_true(stop_asked(&f));
	stop_end(&f.hearing, true);
	/* an apply cannot be stopped */
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 1);
	assert_false(stop_asked(&f));
	assert_false(stop_keeps(&f.hearing));
}

/* The asker who has gone asked after the one who still waits. */
static void of_another(void **state)
{
	(void)state;
	assert_true(stop_begin(&f, 7, false));
	says(MSG_VERIFY, 8);
	says(MSG_STOP, 8);
	says(MSG_STOP, 6); /* this question was answered already */
	assert_false(stop_asked(&f));
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 0);
	assert_true(stop_keeps(&f.hearing));
	assert_false(stop_begin(&f, 8, false));
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 1);
}

static void orders(enum msg_type type, uint32_t id, bool rehearse)
{
	struct msg_body m = { .type = type };
	int fd = memfd_sealed("test", "", 0);

	if (type == MSG_ISOLATE)
		m.isolate = (struct msg_isolate){ .rehearse = rehearse, .comment = "" };
	assert_true(msg_send(supervisor, id, &m, &fd, type == MSG_ISOLATE ? 0 : 1) >= 0);
	close(fd);
}

static uint32_t served[8];
static size_t n_served;

static bool serve(void *ctx, struct msg *m)
{
	(void)ctx;
	served[n_served++] = m->id;
	return true;
}

/* An order of a person does not wait for a question, which is continued afterwards; other messages
 * do not interrupt it. */
static void makes_way(void **state)
{
	static msg_handler *const handlers[MSG_TYPE_COUNT] = {
		[MSG_ISOLATE] = serve, [MSG_DOORS] = serve, [MSG_VERIFY] = serve
	};
	static const uint32_t order[] = { 0, 3, 4, 5, 7 };
	const struct msg m = { .body = { .type = MSG_VERIFY }, .id = 7 };

	(void)state;
	n_served = 0;
	assert_true(stop_begin(&f, 7, true));
	orders(MSG_ISOLATE, 0, false); /* before an apply */
	orders(MSG_ISOLATE, 3, true);
	says(MSG_VERIFY, 4);
	assert_false(stop_asked(&f));
	orders(MSG_ISOLATE, 5, false);
	assert_true(stop_asked(&f));
	assert_true(stop_made_way(&f.hearing, &m));
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 0);
	/* A question that was asked before makes way as well; work that does not make way
	 * continues. */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stop_serve(&f, handlers), 1);
	assert_false(stop_begin(&f, 4, true));
	assert_true(stop_begin(&f, 4, false));
	assert_false(stop_asked(&f));
	stop_end(&f.hearing, false);
	while (stop_keeps(&f.hearing))
		assert_int_equal(stop_serve(&f, handlers), 1);
	assert_int_equal(n_served, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(served[i], order[i]);
	/* The asker has gone: the question is not asked again. */
	assert_true(stop_begin(&f, 7, true));
	orders(MSG_DOORS, 6, false);
	says(MSG_STOP, 7);
	assert_true(stop_asked(&f));
	assert_false(stop_made_way(&f.hearing, &m));
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 1);
	assert_int_equal(stop_serve(&f, handlers), 1);
}

/* Without a supervisor all work stops, and this is not counted as stopped by anybody. */
static void left_alone(void **state)
{
	(void)state;
	assert_true(stop_begin(&f, 7, false));
	close(supervisor);
	supervisor = -1;
	assert_true(stop_asked(&f));
	stop_end(&f.hearing, true);
	assert_int_equal(f.hearing.stopped, 0);
	assert_true(stop_keeps(&f.hearing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counted_once, begin, end),
		cmocka_unit_test_setup_teardown(of_another, begin, end),
		cmocka_unit_test_setup_teardown(makes_way, begin, end),
		cmocka_unit_test_setup_teardown(left_alone, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
