/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-eve: with format = "eve" in box.cfg, rsyslogd of sekisho-log.service starts it, writes
 * lines of the record to its standard input, one at a time, and waits for each answer. A record may
 * contain text of strangers, so the program enters its sandbox before the first line: it can answer
 * and nothing else. It ends with its input.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/cli/shut/shut.h"
#include "mgmt/words/eve.h"

/* seconds for one line; a hung program would hold up all lines behind it */
#define LINE_S 10u
#define HELD_MOST 1000u /* descriptors of rsyslogd; normally it has about 20 */

/*
 * Each program that dies over a line leaves rsyslogd (8.2302) one descriptor less, and without
 * descriptors it sends nothing more. So rsyslogd is asked to end before that: its unit restarts it,
 * and it continues where it was.
 */
static void spare(pid_t parent)
{
	char path[40], name[16] = "";
	unsigned n = 0;
	FILE *f;
	DIR *d;

	/* Only if the parent is rsyslogd: another program may need many descriptors. */
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

/* The parent may have blocked SIGALRM. */
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

	tzset(); /* reads its file before files are closed off */
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
