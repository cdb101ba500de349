/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/shut/shut.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534u
#define MEMORY (1024u << 20)

static int allow_write(scmp_filter_ctx ctx, unsigned fd)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, fd));
}

/* Allows memory, time, signals, exit, and what the caller needs. No memory becomes executable. */
static bool calls_closed(const struct shut *s)
{
	static const int calls[] = {
		SCMP_SYS(brk),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		SCMP_SYS(getpid),
		SCMP_SYS(gettid),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(exit),
		SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigprocmask),
#if defined(__SANITIZE_ADDRESS__)
		SCMP_SYS(sigaltstack),
#endif
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; i < s->n_calls && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, s->calls[i], 0);
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, i == 0 ? SCMP_SYS(mmap) : SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (unsigned fd = s->first_fd; fd <= s->last_fd && r == 0; fd++)
		r = allow_write(ctx, fd);
#if defined(__SANITIZE_ADDRESS__)
	/* the process may report on standard error */
	if (r == 0 && (s->first_fd > STDERR_FILENO || s->last_fd < STDERR_FILENO))
		r = allow_write(ctx, STDERR_FILENO);
#endif
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r == 0;
}

static bool limited(int what, rlim_t value)
{
	const struct rlimit l = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static bool no_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0;
}

bool shut_memory(void)
{
	return limited(RLIMIT_CORE, 0) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

bool shut_in(const struct shut *s)
{
	/* A sanitizer reserves terabytes of address space. */
#if !defined(__SANITIZE_ADDRESS__)
	if (!limited(RLIMIT_AS, MEMORY))
		return false;
#endif
	if (!limited(RLIMIT_CORE, 0) || !limited(RLIMIT_NPROC, 0) || (s->pipes && !limited(RLIMIT_FSIZE, 0)) ||
	    (s->seconds > 0 && !limited(RLIMIT_CPU, s->seconds)))
		return false;
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return false;
	return no_capabilities() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	       getppid() == s->parent && calls_closed(s);
}

/* ---- work in a process of its own ------------------------------------------------------------ */

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
