/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/inform/inform.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* True: the child's output ended; false: the deadline passed. */
static bool listen_to(int fd, int64_t until, child_said *said, void *of)
{
	uint8_t some[256];

	for (;;) {
		int64_t left = until - now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, some, sizeof(some));
		if (n <= 0)
			return true;
		for (ssize_t i = 0; i < n; i++)
			if (said(of, some[i]) && send(fd, some, 1, MSG_NOSIGNAL) != 1)
				return true;
	}
}

/* The child starts no other processes, leaves no core file (its memory holds keys), and ends with
 * its parent. */
static _Noreturn void be_child(pid_t parent, child_work *work, void *of, int to)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0) {
		work(of, to);
		_exit(0);
	}
	_exit(1);
}

int child_run(unsigned seconds, child_work *work, child_said *said, void *of, struct err *e)
{
	int64_t until = now_ms() + (int64_t)seconds * 1000;
	pid_t me = getpid(), pid;
	int ends[2], status = 0;
	bool ended;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(e, -errno, "a pair of sockets");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_child(me, work, of, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(e, -EAGAIN, "a child");
	}
	ended = listen_to(ends[0], until, said, of);
	close(ends[0]);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return err_set(e, -ETIMEDOUT, "no end after %u s", seconds);
	if (!WIFEXITED(status))
		return err_set(e, -EPROTO, "who speaks to the receiver was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? 0 : err_set(e, -EPERM, "a child");
}
