/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/child.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

int child_start(void (*run)(int arg), int arg, const char *what, struct err *e)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(e, -errno, "socket of %s", what);
	pid = fork();
	if (pid == 0) {
		/* `arg` may be a descriptor that `run` needs; `run` closes all others. */
		if (dup2(sv[1], CHILD_FD) < 0)
			_exit(1);
		run(arg);
		_exit(1);
	}
	if (pid < 0) {
		int code = err_set(e, -errno, "start %s", what);

		close(sv[0]);
		close(sv[1]);
		return code;
	}
	close(sv[1]);
	return sv[0];
}

bool child_ask(int fd, const void *question, size_t n)
{
	return send(fd, question, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;
}

int child_answer(int fd, void *ret, size_t n)
{
	ssize_t got = recv(fd, ret, n, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != (ssize_t)n)
		return got < 0 ? -errno : -EPIPE;
	return 1;
}

void child_asked(struct child_debt *d, struct mono now)
{
	if (d->answers++ == 0)
		d->since = now;
}

bool child_answered(struct child_debt *d, struct mono now)
{
	if (d->answers == 0)
		return false;
	d->answers--;
	d->since = now;
	return true;
}

bool child_hangs(const struct child_debt *d, struct mono now)
{
	/* The caller may have read its `now` before the question was sent. */
	return d->answers > 0 && now.ns > d->since.ns && now.ns - d->since.ns >= CHILD_NS;
}
