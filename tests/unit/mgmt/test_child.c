/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that does its work, crashes, never ends or says nothing: the program gets what the child
 * said until then, and goes on.
 *
 * LINK: mgmt/inform/child.c appliance/base/err.c
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt/inform/inform.h"

enum way { WELL, CRASHES, ENDLESS, FLOODS, CLOSES };

struct piece {
	enum way way;
	unsigned heard, asked;
	pid_t parent;
};

/* Three steps; after each one the child waits for permission to go on. */
static void work(void *of, int to)
{
	const struct piece *p = of;
	char go = 0;

	for (char i = 'a'; i <= 'c'; i++)
		if (write(to, &i, 1) != 1 || read(to, &go, 1) != 1)
			return;
	if (p->way == CRASHES) {
		/* the handlers of the test would continue the test in the child */
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	while (p->way == ENDLESS)
		pause();
	while (p->way == FLOODS)
		if (write(to, "-", 1) != 1)
			return;
	if (p->way == CLOSES) {
		close(to);
		signal(SIGABRT, SIG_DFL);
		raise(SIGABRT);
	}
}

static bool said(void *of, uint8_t byte)
{
	struct piece *p = of;

	assert_int_equal(getpid(), p->parent);
	p->heard++;
	p->asked += byte != '-';
	return byte != '-';
}

static int run(enum way way, struct err *e)
{
	struct piece p = { .way = way, .parent = getpid() };
	int r = child_run(1, work, said, &p, e);

	assert_int_equal(p.asked, 3);
	assert_true(way == FLOODS ? p.heard > 3 : p.heard == 3);
	/* No process is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return r;
}

static void every_way_to_end(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(run(WELL, &e), 0);
	assert_int_equal(run(CRASHES, &e), -EPROTO);
	assert_non_null(strstr(e.text, "signal 11"));
	assert_int_equal(run(ENDLESS, &e), -ETIMEDOUT);
	assert_int_equal(run(FLOODS, &e), -ETIMEDOUT);
	assert_int_equal(run(CLOSES, &e), -EPROTO);
	assert_non_null(strstr(e.text, "signal 6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
