/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-eve: rsyslogd of sekisho-log.service starts it where box.cfg says format = "eve", writes
 * lines of the record to its standard input, one at a time, and waits for the answer to each. What
 * stands in a record may be a stranger's words, so it is shut in before the first line: it can
 * answer, and nothing else. It ends with its input.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/cli/shut/shut.h"
#include "mgmt/eve/answer.h"

/* for one line; what takes longer hangs, and no line behind it would go out */
#define LINE_S 10u
#define HELD_MOST 1000u /* descriptors of rsyslogd; in order it has some 20 */

/*
 * Each program that ends over a line costs rsyslogd (8.2302) a descriptor for good, and one that
 * has none left sends nothing any more. It is asked to end before that: its unit begins it anew,
 * and it goes on where it was.
 */
static void spare(pid_t parent)
{
	char path[40], name[16] = "";
	unsigned n = 0;
	FILE *f;
	DIR *d;

	/* Whoever else starts it has reasons of his own for what he holds. */
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)parent);
	f = fopen(path, "re");
	if (f == NULL || fgets(name, sizeof(name), f) == NULL)
		name[0] = '\0';
	if (f != NULL)
		fclose(f);
	if (strcmp(name, "rsyslogd\n") != 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)parent);
	d = opendir(path);
	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	if (n > HELD_MOST)
		(void)kill(parent, SIGTERM);
}

/* Whoever starts it may have blocked it. */
static bool clock_of_a_line(void)
{
	sigset_t set;

	return signal(SIGALRM, SIG_DFL) != SIG_ERR && sigemptyset(&set) == 0 && sigaddset(&set, SIGALRM) == 0 &&
	       sigprocmask(SIG_UNBLOCK, &set, NULL) == 0;
}

int main(void)
{
	static const int calls[] = { SYS_read, SYS_alarm };
	const struct shut s = { .parent = getppid(),
				.calls = calls,
				.n_calls = sizeof(calls) / sizeof(calls[0]),
				.first_fd = STDOUT_FILENO,
				.last_fd = STDOUT_FILENO,
				.pipes = true };
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	tzset(); /* reads its file now or never */
	spare(s.parent);
	if (!clock_of_a_line() || !shut_in(&s))
		return 1;
	while ((n = getline(&line, &room, stdin)) > 0) {
		alarm(LINE_S);
		eve_answer(line, (size_t)n, stdout);
		if (fflush(stdout) != 0)
			return 1;
		alarm(0);
	}
	return 0;
}
