/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output that is longer than the terminal's screen is shown in less; shorter output is printed
 * directly; into a pipe everything is printed.
 * LINK: mgmt/cli/pager.c
 */
#include "tests/unit/cmocka.h"

#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mgmt/cli/cli.h"

#define WAIT_MS 10000

static void child(int lines)
{
	struct cli c = { .out = stdout, .err = stderr };

	pager_begin(&c);
	for (int i = 1; i <= lines; i++)
		fprintf(c.out, "行 line %d.\n", i);
	pager_end(&c);
	fprintf(c.out, "the end\n");
	fflush(c.out);
	_exit(7);
}

/* Reads until the text contains `what`, or nothing more comes. */
static bool shows(int fd, char *text, size_t size, const char *word)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t used = strlen(text);
	ssize_t n;

	while (strstr(text, word) == NULL) {
		if (used + 1 >= size || poll(&p, 1, WAIT_MS) != 1 || (n = read(fd, text + used, size - used - 1)) <= 0)
			return false;
		used += (size_t)n;
		text[used] = '\0';
	}
	return true;
}

static int begin(int lines, int *ret_fd)
{
	struct winsize screen = { .ws_row = 24, .ws_col = 80 };
	pid_t pid = forkpty(ret_fd, NULL, NULL, &screen);

	if (pid == 0)
		child(lines);
	return pid;
}

static int ended(pid_t pid, int fd)
{
	int status;

	assert_true(waitpid(pid, &status, 0) == pid);
	close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void needs_less(void)
{
	if (access("/usr/bin/less", X_OK) == 0)
		return;
	print_message("less is not installed: what is longer than the screen was not read in it\n");
	skip();
}

static void a_long_text(void **state)
{
	char text[65536] = "";
	int fd;
	pid_t pid;

	(void)state;
	needs_less();
	pid = begin(100, &fd);
	assert_true(shows(fd, text, sizeof(text), "line 23."));
	/* the last line of the screen belongs to the pager */
	assert_true(strstr(text, "line 24.") == NULL);
	/* a shell command: less says that it is disabled */
	assert_true(write(fd, "!", 1) == 1);
	assert_true(shows(fd, text, sizeof(text), "not available"));
	assert_true(write(fd, "\rG", 2) == 2);
	assert_true(shows(fd, text, sizeof(text), "line 100."));
	assert_true(strstr(text, "the end") == NULL);
	assert_true(write(fd, "q", 1) == 1);
	assert_true(shows(fd, text, sizeof(text), "the end"));
	assert_true(ended(pid, fd) == 7);
}

/* As on a Japanese console of a machine without Japanese locales. */
static void a_locale_that_is_not_there(void **state)
{
	char text[65536] = "";
	int fd;
	pid_t pid;

	(void)state;
	needs_less();
	setenv("LANG", "C.UTF-8", 1);
	setenv("LC_MESSAGES", "ja", 1);
	pid = begin(100, &fd);
	assert_true(shows(fd, text, sizeof(text), "行 line 23."));
	assert_true(write(fd, "q", 1) == 1);
	assert_true(shows(fd, text, sizeof(text), "the end"));
	assert_true(ended(pid, fd) == 7);
	unsetenv("LANG");
	unsetenv("LC_MESSAGES");
}

static void a_short_text(void **state)
{
	char text[65536] = "";
	int fd;
	pid_t pid = begin(23, &fd);

	(void)state;
	assert_true(shows(fd, text, sizeof(text), "line 23."));
	assert_true(shows(fd, text, sizeof(text), "the end"));
	assert_true(ended(pid, fd) == 7);
}

static void not_wanted(void **state)
{
	char text[65536] = "";
	int fd;
	pid_t pid;

	(void)state;
	setenv("PAGER", "cat", 1);
	pid = begin(100, &fd);
	assert_true(shows(fd, text, sizeof(text), "the end"));
	assert_true(strstr(text, "line 100.") != NULL);
	assert_true(ended(pid, fd) == 7);
	unsetenv("PAGER");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_text),
		cmocka_unit_test(a_locale_that_is_not_there),
		cmocka_unit_test(a_short_text),
		cmocka_unit_test(not_wanted),
	};

	setenv("TERM", "vt100", 1);
	unsetenv("PAGER");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
