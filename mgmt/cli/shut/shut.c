/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/shut/shut.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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
