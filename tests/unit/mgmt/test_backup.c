/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line of a backup's file, the renaming of cards in its texts, and the separate process that
 * opens it.
 * LINK: appliance/seal/file.c mgmt/cli/backup/rename.c mgmt/cli/shut/shut.c
 * LINK: appliance/base/sha256.c appliance/base/bytes.c
 * LIBS: nettle libseccomp jansson
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/seal/file.h"
#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/shut/shut.h"

static size_t file_of(const char *body, char *out)
{
	char line[BACKUP_LINE + 1];

	backup_line(1, bytes_of(body, strlen(body)), line);
	assert_int_equal(strlen(line), BACKUP_LINE);
	return (size_t)sprintf(out, "%s%s", line, body);
}

static void test_line(void **state)
{
	static const struct {
		const char *text;
		enum backup_kind kind;
	} others[] = {
		{ "", BACKUP_FOREIGN },
		{ "sekisho-backup", BACKUP_FOREIGN },
		{ "Sekisho-backup 1 ", BACKUP_FOREIGN },
		{ "sekisho-backup ", BACKUP_DAMAGED },
		{ "sekisho-backup 1", BACKUP_DAMAGED },
		{ "sekisho-backup 1 ", BACKUP_DAMAGED },
		{ "sekisho-backup 01 ", BACKUP_DAMAGED },
		{ "sekisho-backup 0 ", BACKUP_DAMAGED },
		{ "sekisho-backup -1 ", BACKUP_DAMAGED },
		{ "sekisho-backup 2 ", BACKUP_DAMAGED },
		{ "sekisho-backup 3 ", BACKUP_NEWER },
		{ "sekisho-backup 999999 ", BACKUP_NEWER },
		{ "sekisho-backup 4294967297 ", BACKUP_DAMAGED },
	};
	char file[200];
	size_t n = file_of("message", file);
	struct bytes body, keys;

	(void)state;
	assert_int_equal(backup_read(bytes_of(file, n), &body, &keys), BACKUP_WHOLE);
	assert_int_equal(body.left, 7);
	assert_memory_equal(body.p, "message", 7);
	for (size_t end = 0; end < n; end++)
		assert_int_not_equal(backup_read(bytes_of(file, end), &body, &keys), BACKUP_WHOLE);
	for (size_t bit = 0; bit < n * 8; bit++) {
		file[bit / 8] = (char)(file[bit / 8] ^ (1 << bit % 8));
		assert_int_not_equal(backup_read(bytes_of(file, n), &body, &keys), BACKUP_WHOLE);
		file[bit / 8] = (char)(file[bit / 8] ^ (1 << bit % 8));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(backup_read(bytes_of(others[i].text, strlen(others[i].text)), &body, &keys),
				 others[i].kind);
}

/* A whole backup: two messages, of which neither may be cut or missing. */
static void test_two_messages(void **state)
{
	static const struct {
		const char *body;
		size_t n;
		bool taken;
	} bodies[] = {
		{ "\0\0\0\3onetwo", 10, true },		 { "\0\0\0\3one", 7, false }, { "\0\0\0\7onetwo", 10, false },
		{ "\xff\xff\xff\xffonetwo", 10, false }, { "\0\0\0", 3, false },      { "", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char file[200];
		struct bytes one, two;

		backup_line(BACKUP_FORM_WHOLE, bytes_of(bodies[i].body, bodies[i].n), file);
		memcpy(file + BACKUP_LINE, bodies[i].body, bodies[i].n);
		assert_int_equal(backup_read(bytes_of(file, BACKUP_LINE + bodies[i].n), &one, &two) == BACKUP_WHOLE,
				 bodies[i].taken);
		if (!bodies[i].taken)
			continue;
		assert_int_equal(one.left + two.left, 6);
		assert_memory_equal(one.p, "one", 3);
		assert_memory_equal(two.p, "two", 3);
	}
}

static void test_rename(void **state)
{
	static const char *const texts[][2] = {
		{ "lan0 = { device = \"a\"; label = \"a\"; };", "lan0 = { device = \"b\"; label = \"a\"; };" },
		{ "device: \"a\" device=\"b\"",
		  /* both names are exchanged in one pass, not one after the other */
		  "device: \"b\" device=\"a\"" },
		{ "# device = \"a\"\ndevice /* \"a\" */ = // \"a\"\n \"a\"",
		  "# device = \"a\"\ndevice /* \"a\" */ = // \"a\"\n \"b\"" },
		{ "label = \"device = \\\"a\"; device = \"a\"", "label = \"device = \\\"a\"; device = \"b\"" },
		{ "devices = \"a\"; my-device = \"a\"; device \"a\"",
		  "devices = \"a\"; my-device = \"a\"; device \"a\"" },
		{ "device = \"aa\"; device = \"\"; device = \"", "device = \"aa\"; device = \"\"; device = \"" },
		{ "device = [\"a\"]; /* device = \"a\"", "device = [\"a\"]; /* device = \"a\"" },
		{ "device = \"a\\", "device = \"a\\" },
		{ "", "" },
	};
	struct card_places p = { .list = { { .was = "a", .is = "b" }, { .was = "b", .is = "a" } }, .n = 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n;
		char *text = cards_rename(&p, bytes_of(texts[i][0], strlen(texts[i][0])), &n);

		assert_string_equal(text, texts[i][1]);
		assert_int_equal(n, strlen(text));
		free(text);
	}
	assert_true(p.list[0].named && p.list[1].named);
	p.list[0].named = false;
	free(cards_rename(&p, bytes_of("label = \"a\"", 11), &(size_t){ 0 }));
	assert_false(p.list[0].named);
}

static bool says(void *ctx, uint8_t **ret, size_t *ret_n)
{
	*ret_n = *(size_t *)ctx;
	*ret = calloc(*ret_n + 1, 1);
	return *ret != NULL;
}

static bool cannot(void *ctx, uint8_t **ret, size_t *ret_n)
{
	(void)ctx;
	(void)ret;
	(void)ret_n;
	return false;
}

/* Ends by exit, not by a signal: handlers of the test would run in the child as well. */
static bool dies(void *ctx, uint8_t **ret, size_t *ret_n)
{
	(void)ret;
	(void)ret_n;
	_exit(*(const int *)ctx);
}

/* Tries everything that an attacker who controls the process would try. Gives one letter for each
 * attempt that succeeded. */
static bool tries(void *ctx, uint8_t **ret, size_t *ret_n)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *got = calloc(1, 16);
	size_t n = 0;
	int fd = *(int *)ctx;

	if (got == NULL || page == MAP_FAILED) {
		free(got);
		return false;
	}
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		got[n++] = 'o';
	if (socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0)
		got[n++] = 's';
	if (fork() >= 0)
		got[n++] = 'f';
	if (write(fd, "x", 1) == 1 || write(STDOUT_FILENO, "x", 1) == 1)
		got[n++] = 'w';
	if (read(fd, got + 8, 1) >= 0)
		got[n++] = 'r';
	if (execl("/bin/true", "true", NULL) == 0)
		got[n++] = 'e';
	if (kill(getppid(), 0) == 0)
		got[n++] = 'k';
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		got[n++] = 'x';
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0)
		got[n++] = 'p';
	got[n++] = '.';
	*ret = (uint8_t *)got;
	*ret_n = n;
	return true;
}

static void test_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 3000000 };
	int low = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600),
	    fd = fcntl(low, F_DUPFD_CLOEXEC, 50); /* no pipe has this descriptor number */
	uint8_t *p = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];

		assert_true(apart(says, &size, 3000000, &p, &n));
		assert_int_equal(n, size);
		free(p);
	}
	assert_false(apart(says, &(size_t){ 3000001 }, 3000000, &p, &n));
	assert_false(apart(cannot, NULL, 100, &p, &n));
	assert_false(apart(dies, &(int){ 1 }, 100, &p, &n));
	assert_true(fd >= 0);
	assert_true(apart(tries, &fd, 100, &p, &n));
	assert_int_equal(n, 1);
	assert_int_equal(p[0], '.');
	free(p);
	close(fd);
	close(low);
}

/* Whether the separate process works if the kernel refuses this call (with `arg` as its first
 * argument, if `arg` >= 0). */
static bool works_without(int call, int arg)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	uint8_t *p = NULL;
	size_t n = 0, size = 1;

	if (ctx == NULL ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, arg >= 0 ? 1 : 0,
			     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)arg)) != 0 ||
	    seccomp_load(ctx) != 0)
		_exit(2);
	return apart(says, &size, 100, &p, &n);
}

/* Each step of the confinement fails in turn, the filter last: without it nothing from outside is
 * opened. */
static void test_not_closed(void **state)
{
	static const struct {
		const char *what;
		int call, arg;
		bool root; /* done by root alone */
	} steps[] = {
		{ "nothing", SCMP_SYS(reboot), -1, false },
		{ "other descriptors", SCMP_SYS(close_range), -1, false },
		{ "limits", SCMP_SYS(prlimit64), -1, false },
		{ "groups", SCMP_SYS(setgroups), -1, true },
		{ "group", SCMP_SYS(setresgid), -1, true },
		{ "user", SCMP_SYS(setresuid), -1, true },
		{ "no new privileges", SCMP_SYS(prctl), PR_SET_NO_NEW_PRIVS, false },
		{ "memory of its own", SCMP_SYS(prctl), PR_SET_DUMPABLE, false },
		{ "an end with its parent", SCMP_SYS(prctl), PR_SET_PDEATHSIG, false },
		{ "the filter", SCMP_SYS(seccomp), -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int status, want = i == 0 || (steps[i].root && geteuid() != 0) ? 0 : 1;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(works_without(steps[i].call, steps[i].arg) ? 0 : 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		print_message("refused: %s\n", steps[i].what);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), want);
	}
}

/* The process crashes where a core file would be written: there is none. */
static void test_memory(void **state)
{
	const struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit left;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir("/tmp") < 0 || (geteuid() == 0 && setrlimit(RLIMIT_CORE, &most) < 0) || !shut_memory() ||
		    getrlimit(RLIMIT_CORE, &left) < 0 || left.rlim_max != 0 || prctl(PR_GET_DUMPABLE) != 0)
			_exit(1);
		abort();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_false(WCOREDUMP(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),  cmocka_unit_test(test_two_messages), cmocka_unit_test(test_rename),
		cmocka_unit_test(test_apart), cmocka_unit_test(test_not_closed),   cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
