/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a role's process. Between fork and exec only the necessary happens: namespace,
 * descriptors, processor. After exec, the role has new memory and inherits only its descriptors and
 * standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/role/partition.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/role/vigil.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/spawn.h"
#include "appliance/wire/settings.h"

#define FDS_MAX 6u
#define COMPILER "sekisho-compile"
/* descriptors are first moved above this number, so that none replaces another */
#define ABOVE 32

static bool is_pair(const struct slot *sl)
{
	return sl->role == ROLE_GATE || sl->role == ROLE_DPI;
}

/* Runs in the child. Never returns. */
static void become_role(const struct slot *sl, int program, int chan, const int *fds, size_t n, int nsfd, pid_t parent)
{
	char *const compiler[] = { (char[]){ COMPILER }, NULL };
	char role[16];
	char kind[16];
	char *argv[] = { (char[]){ "sekishod" }, (char[]){ "--role" }, role, NULL, NULL };
	char *no_env[] = { NULL };
	/* A compilation takes tens of MB for a moment. In huge pages that costs the kernel a third
	 * less time. A C library that does not know the word ignores it. */
	char *huge_pages[] = { (char[]){ "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" }, NULL };
	bool compiles = sl->role == ROLE_COMPILE;
	int own[FDS_MAX + 3], null;
	size_t count = 0, inherited;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0); /* an interrupt from a terminal is meant for the supervisor only */
	if (nsfd >= 0 && setns(nsfd, CLONE_NEWNET) < 0)
		_exit(1);
	if (is_pair(sl)) {
		int place = (int)pair_place(sl->index);

		/* Workers for commands take the cores from one end, workers for naming from the
		 * other, so that both kinds share a core only when all cores are taken. */
		sandbox_place(pair_kind(sl->index) == LANE_COMMANDS ? place : -1 - place, NULL);
	}
	own[count++] = chan;
	own[count++] = sl->event_in;
	for (size_t i = 0; i < n; i++)
		own[count++] = fds[i];
	inherited = count;
	/* the role does not need this descriptor, so it is closed at exec */
	own[count++] = program;
	for (size_t i = 0; i < count; i++) {
		own[i] = fcntl(own[i], F_DUPFD_CLOEXEC, ABOVE);
		if (own[i] < 0)
			_exit(1);
	}
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(1);
	for (size_t i = 0; i < count; i++)
		if (dup2(own[i], ROLE_FD_CONTROL + (int)i) < 0)
			_exit(1);
	if (close_range((unsigned)(ROLE_FD_CONTROL + (int)count), ~0u, 0) < 0)
		_exit(1);
	program = ROLE_FD_CONTROL + (int)inherited;
	fcntl(program, F_SETFD, FD_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(role, sizeof(role), "%s", role_name(sl->role));
	if (is_pair(sl)) {
		snprintf(kind, sizeof(kind), "%s", lane_kind_words[pair_kind(sl->index)]);
		argv[3] = kind;
	}
	execveat(program, "", compiles ? compiler : argv, compiles ? huge_pages : no_env, AT_EMPTY_PATH);
	_exit(127);
}

/* The program of the role: this one, but for the compiler a file beside it, because its code must
 * not be in a process with privileges. */
static int program_open(enum role r, struct err *e)
{
	char path[PATH_MAX + sizeof(COMPILER)] = "/proc/self/exe", *name;
	struct stat st;
	ssize_t len;
	int fd;

	if (r == ROLE_COMPILE) {
		len = readlink("/proc/self/exe", path, PATH_MAX - 1);
		path[len > 0 ? len : 0] = 0;
		name = strrchr(path, '/');
		if (name == NULL)
			return err_set(e, -ENOENT, "find %s", COMPILER);
		snprintf(name + 1, sizeof(COMPILER), "%s", COMPILER);
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		close(fd);
		return err_set(e, -EACCES, "execute %s", path);
	}
	return fd;
}

int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e)
{
	int sv[2], program;
	pid_t parent = getpid(), pid;

	if (n > FDS_MAX)
		return err_set(e, -E2BIG, "descriptors of %s", role_name(sl->role));
	program = program_open(sl->role, e);
	if (program < 0)
		return program;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0) {
		int code = err_set(e, -errno, "channel of %s", role_name(sl->role));

		close(program);
		return code;
	}
	/* The supervisor's end of the channel does not block; the role decides about its own
	 * end. */
	if (fcntl(sv[0], F_SETFL, O_NONBLOCK) < 0 || (pid = partition_fork(p, sl->number)) < 0) {
		int code = -errno;

		close(program);
		close(sv[0]);
		close(sv[1]);
		return err_set(e, code, "start %s", role_name(sl->role));
	}
	if (pid == 0)
		become_role(sl, program, sv[1], fds, n, nsfd, parent);
	close(program);
	close(sv[1]);
	sl->pidfd = pidfd_open(pid, 0);
	if (sl->pidfd < 0)
		err_set(e, -errno, "watch %s", role_name(sl->role));
	sl->stat = sl->pidfd < 0 ? -1 : vigil_open(pid, e);
	if (sl->stat < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (sl->pidfd >= 0)
			close(sl->pidfd);
		close(sv[0]);
		sl->pidfd = -1;
		return e->code;
	}
	sl->pid = pid;
	sl->chan = sv[0];
	return 0;
}
