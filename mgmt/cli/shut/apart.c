/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/shut/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mgmt/cli/shut/shut.h"

#define SECONDS 60u
#define PIPE 3u /* descriptor of the child's end of the pipe */

static _Noreturn void child(int out, pid_t parent, apart_work *work, void *ctx)
{
	const struct shut shut = {
		.parent = parent, .first_fd = PIPE, .last_fd = PIPE, .pipes = true, .seconds = SECONDS
	};
	uint8_t *p = NULL;
	size_t n = 0;
	bool ok = dup2(out, PIPE) >= 0 && close_range(PIPE + 1, ~0u, 0) == 0 && shut_in(&shut) && work(ctx, &p, &n);

	for (size_t at = 0; ok && at < n;) {
		ssize_t wrote = write(PIPE, p + at, n - at);

		ok = wrote > 0;
		at += ok ? (size_t)wrote : 0;
	}
	_exit(ok ? 0 : 1);
}

/* Reads to the end; false: too long, or no memory. */
static bool read_all(int fd, size_t most, uint8_t **ret, size_t *ret_n)
{
	size_t room = 0, n = 0;
	uint8_t *p = NULL;

	for (;;) {
		ssize_t got;

		if (n == room) {
			uint8_t *more = room < most ? realloc(p, room == 0 ? 65536 : room * 2) : NULL;

			if (more == NULL)
				break;
			p = more;
			room = room == 0 ? 65536 : room * 2;
		}
		got = read(fd, p + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0 && n <= most) {
			*ret = p;
			*ret_n = n;
			return true;
		}
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	free(p);
	return false;
}

bool apart(apart_work *work, void *ctx, size_t most, uint8_t **ret, size_t *ret_n)
{
	int ends[2], status = -1;
	bool whole;
	pid_t self = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		child(ends[1], self, work, ctx);
	close(ends[1]);
	whole = pid > 0 && read_all(ends[0], most, ret, ret_n);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (whole && status == 0)
		return true;
	if (whole)
		free(*ret);
	return false;
}
