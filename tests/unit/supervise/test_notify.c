/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages to the service manager. The manager is a socket of this test; the roles are
 * scripted.
 *
 * LINK: appliance/supervise/notify.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/err.c
 */
#include "appliance/supervise/ground.h"
#include "appliance/supervise/notify.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND 1000000000ull

static const struct supervise_options options = { .lang = LANG_EN };
static struct policy policy;
static struct supervisor s;
static int manager;
static char heard[600];

static const char *hear(void)
{
	ssize_t n = recv(manager, heard, sizeof(heard) - 1, MSG_DONTWAIT);

	heard[n > 0 ? n : 0] = 0;
	return heard;
}

static int begin(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct err e = { 0 };
	char name[60];
	int n = snprintf(name, sizeof(name), "@sekisho-test-%d", (int)getpid());

	(void)state;
	policy = (struct policy){ .number = 7 };
	memset(&s, 0, sizeof(s));
	s.sockets.rules = -1;
	s.ground.o = &options;
	s.gens.now = &policy;
	for (unsigned i = 0; i < SLOTS; i++)
		s.slots[i].role = i == SLOT_ENFORCE ? ROLE_ENFORCE : i == SLOT_DPI ? ROLE_DPI : ROLE_JOURNAL;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
	assert_int_equal(bind(manager, (const struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&s, &e), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(s.notify);
	close(manager);
	return 0;
}

static void ready_when_rules_are_watched(void **state)
{
	(void)state;
	s.op.kind = OP_BOOT;
	s.slots[SLOT_ENFORCE].state = SLOT_STARTING;
	notify_due(&s, SECOND);
	assert_string_equal(hear(), "WATCHDOG=1");
	s.slots[SLOT_ENFORCE].state = SLOT_RUNNING;
	notify_due(&s, SECOND + 1);
	assert_string_equal(hear(), "");
	s.op.kind = OP_NONE;
	notify_due(&s, SECOND + 2);
	assert_string_equal(hear(), "READY=1\nSTATUS=policy generation 7 in force");
	policy.number = 0;
	notify_due(&s, SECOND + 3);
	assert_string_equal(hear(), "STATUS=no policy in force: nothing passes");
	notify_due(&s, SECOND + 4);
	assert_string_equal(hear(), "");
	notify_ending(&s);
	/* no FDSTOREREMOVE: systemd still keeps the rules */
	assert_string_equal(hear(), "STOPPING=1");
}

/* The watchdog message is sent once a second. It is withheld only while a role that decides about
 * packets is missing for too long. */
static void alive_while_roles_answer(void **state)
{
	(void)state;
	s.op.kind = OP_BOOT; /* during an operation, READY is not sent */
	s.slots[SLOT_ENFORCE].state = s.slots[SLOT_DPI].state = s.slots[SLOT_JOURNAL].state = SLOT_RUNNING;
	s.slots[SLOT_ENFORCE].heard = s.slots[SLOT_DPI].heard = s.slots[SLOT_JOURNAL].heard = 100 * SECOND;
	assert_int_equal(notify_due(&s, 100 * SECOND), 101 * SECOND);
	assert_string_equal(hear(), "WATCHDOG=1");
	notify_due(&s, 101 * SECOND - 1);
	assert_string_equal(hear(), "");
	s.slots[SLOT_DPI].state = SLOT_DEAD;
	notify_due(&s, 120 * SECOND);
	assert_string_equal(hear(), "WATCHDOG=1");
	s.slots[SLOT_ENFORCE].heard = 120 * SECOND;
	notify_due(&s, 121 * SECOND);
	assert_string_equal(hear(), "");
	s.slots[SLOT_DPI].heard = 121 * SECOND;
	notify_due(&s, 122 * SECOND);
	/* silence of the journal is no reason to withhold the message */
	assert_string_equal(hear(), "WATCHDOG=1");
	s.slots[SLOT_DPI].state = SLOT_OFF;
	notify_due(&s, 141 * SECOND);
	assert_string_equal(hear(), "");
	s.slots[SLOT_ENFORCE].heard = 141 * SECOND;
	notify_due(&s, 142 * SECOND);
	assert_string_equal(hear(), "WATCHDOG=1"); /* a role that is not wanted is not waited for */
	s.slots[SLOT_ENFORCE].heard = 143 * SECOND + 1;
	notify_due(&s, 143 * SECOND);
	/* a role that was heard after this turn began counts as heard */
	assert_string_equal(hear(), "WATCHDOG=1");
}

/* The descriptor that the manager gets to keep; -1 = there was none with this word. */
static int given(void)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} with;
	struct iovec iov = { .iov_base = heard, .iov_len = sizeof(heard) - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof(with) };
	ssize_t n = recvmsg(manager, &m, MSG_DONTWAIT);
	int fd = -1;

	heard[n > 0 ? n : 0] = 0;
	if (CMSG_FIRSTHDR(&m) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* The manager gets the socket that owns the rules, unless the socket came from there. */
static void the_rules_are_kept(void **state)
{
	struct sockaddr_un a;
	socklen_t n = sizeof(a);
	char name[sizeof(a.sun_path)];
	struct err e = { 0 };
	struct stat its, kept;
	int fd;

	(void)state;
	assert_int_equal(getsockname(manager, (struct sockaddr *)&a, &n), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(n - offsetof(struct sockaddr_un, sun_path) - 1), a.sun_path + 1);
	for (int round = 0; round < 2; round++) {
		free(s.notify);
		close(s.sockets.rules);
		s.sockets.rules = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		s.sockets.rules_kept = round == 1;
		setenv("NOTIFY_SOCKET", name, 1);
		assert_int_equal(notify_open(&s, &e), 0);
		if (round == 1)
			break;
		assert_int_equal(given(), -1);
		assert_string_equal(heard, "FDSTOREREMOVE=1\nFDNAME=rules");
		fd = given();
		assert_string_equal(heard, "FDSTORE=1\nFDNAME=rules\nFDPOLL=0");
		assert_true(fstat(fd, &kept) == 0 && fstat(s.sockets.rules, &its) == 0 && kept.st_ino == its.st_ino);
		close(fd);
	}
	assert_string_equal(hear(), "");
	close(s.sockets.rules);
	s.sockets.rules = -1;
}

static void handed(const char *pid, const char *count)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", "rules", 1);
}

/* One descriptor, and for this process. */
static void what_was_kept_comes_back(void **state)
{
	char self[16];

	(void)state;
	snprintf(self, sizeof(self), "%d", (int)getpid());
	assert_int_equal(notify_kept(), -1);
	handed("1", "1");
	assert_int_equal(notify_kept(), -1);
	handed(self, "0");
	assert_int_equal(notify_kept(), -1);
	handed(self, "1");
	assert_int_equal(notify_kept(), 3);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	assert_int_equal(notify_kept(), -1);
}

static void without_a_manager(void **state)
{
	struct err e = { 0 };

	(void)state;
	free(s.notify);
	assert_int_equal(notify_open(&s, &e), 0);
	s.slots[SLOT_ENFORCE].state = SLOT_RUNNING;
	assert_true(notify_due(&s, SECOND) == UINT64_MAX);
	notify_ending(&s);
	assert_string_equal(hear(), "");
	free(s.notify);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_true(notify_open(&s, &e) < 0);
	unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ready_when_rules_are_watched, begin, end),
		cmocka_unit_test_setup_teardown(alive_while_roles_answer, begin, end),
		cmocka_unit_test_setup_teardown(the_rules_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(what_was_kept_comes_back, begin, end),
		cmocka_unit_test_setup_teardown(without_a_manager, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
