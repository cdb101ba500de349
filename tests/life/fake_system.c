/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces system calls about time, other processes and the own identity. While no daemon lives in
 * this process, the kernel's calls are used. The definitions of the program take precedence over
 * those of the C library, for its own calls and for those of libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/life/control.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/processes.h"

#define FAKE __attribute__((visibility("default")))

FAKE int clock_gettime(clockid_t id, struct timespec *t)
{
	uint64_t ns = id == CLOCK_REALTIME ? machine.wall_ns : machine.mono_ns;

	if (!life_runs())
		return (int)syscall(SYS_clock_gettime, id, t);
	/* A process's own clock: none of these processes has a core of its own. */
	if (id < 0)
		ns = 0;
	*t = (struct timespec){ .tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND) };
	return 0;
}

static int kernel_poll(struct pollfd *p, nfds_t n, int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	return (int)syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, (size_t)8);
}

/*
 * While the daemon waits, all other fakes have their turn. When none of them has anything to do any
 * more, the test goes on.
 */
FAKE int poll(struct pollfd *p, nfds_t n, int ms)
{
	uint64_t due = ms < 0 ? UINT64_MAX : machine.mono_ns + (uint64_t)ms * 1000000u;
	int r;

	if (!life_inside())
		return kernel_poll(p, n, ms);
	if (control_inside())
		return control_poll(p, n, ms);
	if (n == 0) {
		life_step(due);
		return 0;
	}
	for (;;) {
		life_turn();
		r = kernel_poll(p, n, 0);
		if (r != 0 || ms == 0)
			return r;
		if (processes_turn())
			continue;
		if (machine.mono_ns >= due)
			return 0;
		life_quiet(due < processes_due() ? due : processes_due());
	}
}

/* ---- the timer of a trial -------------------------------------------------------------------- */

FAKE int timerfd_create(int clock, int flags)
{
	int fd;

	(void)clock, (void)flags;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	life_timer(fd, UINT64_MAX);
	return fd;
}

FAKE int timerfd_settime(int fd, int flags, const struct itimerspec *t, struct itimerspec *old)
{
	uint64_t in = (uint64_t)t->it_value.tv_sec * SECOND + (uint64_t)t->it_value.tv_nsec, rung;

	(void)flags, (void)old;
	(void)!read(fd, &rung, sizeof(rung));
	life_timer(fd, in == 0 ? UINT64_MAX : machine.mono_ns + in);
	return 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

FAKE int waitid(idtype_t type, id_t id, siginfo_t *how, int options)
{
	(void)type, (void)options;
	return process_reap((int)id, how);
}

FAKE int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	(void)info, (void)flags;
	return process_signal(pidfd, sig);
}

/* ---- what only root may, or what is none of a test's ----------------------------------------- */

FAKE int fchown(int fd, uid_t u, gid_t g)
{
	(void)fd, (void)u, (void)g;
	return 0;
}

FAKE int fchownat(int dirfd, const char *name, uid_t u, gid_t g, int flags)
{
	(void)dirfd, (void)name, (void)u, (void)g, (void)flags;
	return 0;
}

FAKE int setpriority(__priority_which_t which, id_t who, int value)
{
	(void)which, (void)who, (void)value;
	return 0;
}

/* Only root may read the kernel's tables; the unit tests run as any user. */
FAKE int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list a;

	if (life_inside() && strncmp(path, "/proc/self/net/", strlen("/proc/self/net/")) == 0)
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	va_start(a, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(a, mode_t) : 0;
	va_end(a);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Only people connect to a socket of the daemon. */
FAKE int bind(int fd, const struct sockaddr *a, socklen_t n)
{
	return a->sa_family == AF_UNIX ? (int)syscall(SYS_bind, fd, a, n) : 0;
}

/* The name of a descriptor that the machine opened in place of a socket. */
FAKE int getsockname(int fd, struct sockaddr *a, socklen_t *n)
{
	if (syscall(SYS_getsockname, fd, a, n) == 0)
		return 0;
	memset(a, 0, *n);
	return life_inside() ? 0 : -1;
}

FAKE int listen(int fd, int backlog)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 && a.ss_family == AF_UNIX
		       ? (int)syscall(SYS_listen, fd, backlog)
		       : 0;
}

/* Whoever is connected is the one that asks now. */
FAKE int getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	if (!life_inside() || level != SOL_SOCKET || name != SO_PEERCRED)
		return (int)syscall(SYS_getsockopt, fd, level, name, value, n);
	*(struct ucred *)value = (struct ucred){ .pid = getpid(), .uid = machine.person, .gid = machine.person };
	return 0;
}
