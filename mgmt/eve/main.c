/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-eve: rsyslogd of sekisho-log.service starts it where box.cfg says format = "eve", writes lines of the record to its standard input, one at a time, and
 * waits for the answer to each. What stands in a record may be a stranger's words, so it is shut in before the first line: it can answer, and nothing else.
 * It ends with its input.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/cli/shut/shut.h"
#include "mgmt/eve/answer.h"

int main(void)
{
	static const int calls[] = { SYS_read };
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
	if (!shut_in(&s))
		return 1;
	while ((n = getline(&line, &room, stdin)) > 0) {
		eve_answer(line, (size_t)n, stdout);
		if (fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
