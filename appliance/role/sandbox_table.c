/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role may do, in one place. A new line here widens what a role may do, so it has its
 * reason beside it.
 */
#include "appliance/role/sandbox_table.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/wire/form_place.h"

/* clang-format off */ /* tables, in rows */

#define CALL(name) { .call = SCMP_SYS(name) }
#define CALL_IF(name, n, m, w) { .call = SCMP_SYS(name), .n_tests = 1, .tests = { { (n), (m), (w) } } }
#define CALL_IF2(name, n, m, w, n2, m2, w2) { .call = SCMP_SYS(name), .n_tests = 2, .tests = { { (n), (m), (w) }, { (n2), (m2), (w2) } } }
#define CALL_FROM(name, n, least) { .call = SCMP_SYS(name), .n_tests = 1, .tests = { { (n), 0, (least) } } }
#define WHOLE UINT64_MAX
/* Selects the lower half of a register, because the kernel reads only 32 bits of it. */
#define NUMBER UINT64_C(0xffffffff)
/* abort() needs this call. The filter limits it to the calling process, because processes of a kind
 * have the same user, and only kernels from 6.12 on prevent by Landlock that such processes signal
 * each other. */
#define SIGNALS_ITSELF CALL_IF(tgkill, 0, NUMBER, CALL_SELF)
#define END { .call = CALL_END }

/* Memory, time, exit: what the C library itself needs. No memory becomes executable. */
static const struct call_rule common[] = {
	CALL(brk), CALL_IF(mmap, 2, PROT_EXEC, 0), CALL_IF(mprotect, 2, PROT_EXEC, 0), CALL(munmap), CALL(mremap),
	CALL(madvise), CALL(futex), CALL(getrandom),
	CALL(clock_gettime), CALL(gettimeofday), CALL(time), CALL(clock_nanosleep), CALL(nanosleep), CALL(sched_yield),
	CALL(exit), CALL(exit_group), CALL(rt_sigreturn), CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(restart_syscall),
	CALL(getpid), CALL(gettid), SIGNALS_ITSELF,
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(close),
	CALL(fstat), CALL_IF(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
#if defined(__SANITIZE_ADDRESS__)
	CALL(sigaltstack), /* a build for tests sets up its own signal stacks */
#endif
	END
};

/* The control channel (3), the event port (4), and memory that is passed on. */
static const struct call_rule channel[] = {
	CALL(recvmsg), CALL_IF(sendmsg, 0, WHOLE, ROLE_FD_CONTROL), CALL_IF(sendto, 0, WHOLE, ROLE_FD_EVENTS),
	CALL(memfd_create),
	CALL_IF(fcntl, 1, WHOLE, F_GET_SEALS), CALL_IF(fcntl, 1, WHOLE, F_ADD_SEALS), CALL_IF(fcntl, 1, WHOLE, F_GETFL),
	CALL_IF(fcntl, 1, WHOLE, F_GETFD), END
};

static const struct call_rule waiting[] = {
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(poll), CALL(ppoll),
	CALL(pselect6), CALL(select), CALL(timerfd_settime), END
};

/*
 * A worker has CAP_NET_ADMIN for its verdicts, and netlink sockets. It must be able to send nothing
 * but its forms (appliance/worker/form.h). So:
 * - A message that begins at a form's address may be sent on any descriptor.
 * - Any other write must be shorter than a netlink message (its header is 16 bytes), or go to one
 *   of the first five descriptors. These are no netlink sockets, and are never closed, so that none
 *   can take their numbers.
 * - The forms cannot change: they lie in sealed memory, and no mapping below FORM_ABOVE may be
 *   made, removed or changed.
 * - mremap is not allowed at all (few_probes): the kernel 6.1 adds a length to an address without
 *   a check, and the sum may wrap round to the forms.
 */
#define SHORTER_THAN_A_MESSAGE (~UINT64_C(15))
/* The kernel reads the lower half of a descriptor's register. A descriptor above 7 is recognised by
 * its bits. */
#define CLOSE_WITH(bit) CALL_IF(close, 0, UINT64_C(1) << (bit), UINT64_C(1) << (bit))
_Static_assert(ROLE_FD_FIRST == 5, "what is never closed");
static const struct call_rule forms[] = {
	CALL_IF2(sendmsg, 1, FORM_MASK, FORM_PLACE, 2, WHOLE, 0), CALL_IF(sendmsg, 0, WHOLE, ROLE_FD_CONTROL),
	CALL_IF(sendto, 0, WHOLE, ROLE_FD_EVENTS), CALL_IF(write, 2, SHORTER_THAN_A_MESSAGE, 0), CALL_IF(write, 0, WHOLE, STDERR_FILENO),
	CALL_IF(close, 0, WHOLE, 5), CALL_IF(close, 0, WHOLE, 6), CALL_IF(close, 0, WHOLE, 7), CLOSE_WITH(3), CLOSE_WITH(4),
	CLOSE_WITH(5), CLOSE_WITH(6), CLOSE_WITH(7),
#if defined(__SANITIZE_ADDRESS__)
	/* A build with sanitizers maps at addresses of its choice, so it cannot show that this part
	 * of the sandbox works. */
	CALL_IF(mmap, 2, PROT_EXEC, 0), CALL_IF(mprotect, 2, PROT_EXEC, 0), CALL(munmap), CALL(mremap), CALL(madvise), CALL(sigaltstack),
#else
	CALL_IF2(mmap, 2, PROT_EXEC, 0, 3, MAP_FIXED, 0), CALL_IF2(mprotect, 2, PROT_EXEC, 0, 0, 0, FORM_ABOVE),
	CALL_FROM(munmap, 0, FORM_ABOVE), CALL_FROM(madvise, 0, FORM_ABOVE),
#endif
	CALL(brk), CALL(futex), CALL(getrandom), CALL(clock_gettime), CALL(gettimeofday), CALL(time), CALL(clock_nanosleep),
	CALL(nanosleep), CALL(sched_yield), CALL(exit), CALL(exit_group), CALL(rt_sigreturn), CALL(rt_sigprocmask),
	CALL(rt_sigaction), CALL(restart_syscall), CALL(getpid), CALL(gettid), SIGNALS_ITSELF, CALL(read), CALL(readv),
	/* on a socket these calls fail with ESPIPE, because it has no position */
	CALL(pread64), CALL(pwrite64),
	CALL(lseek), CALL(fstat), CALL_IF(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), CALL(recvmsg), CALL(memfd_create),
	CALL_IF(fcntl, 1, WHOLE, F_GET_SEALS), CALL_IF(fcntl, 1, WHOLE, F_ADD_SEALS), CALL_IF(fcntl, 1, WHOLE, F_GETFL),
	CALL_IF(fcntl, 1, WHOLE, F_GETFD), END
};

/* Accounts sends its questions to children on two sockets that no other role has; recvfrom reads
 * the answers. */
static const struct call_rule asks_children[] = {
	CALL(recvfrom), CALL_IF(sendto, 0, WHOLE, ACCOUNTS_FD_HASHER), CALL_IF(sendto, 0, WHOLE, ACCOUNTS_FD_WEBAUTHN), END
};

static const struct call_rule receives_many[] = { CALL(recvmmsg), CALL(recvfrom), END };

/* The gate sends verdicts and resets on descriptors whose numbers are not known beforehand. It
 * reads no packet. It only discards what a dead worker has left in the sockets. */
static const struct call_rule gate_sends[] = { CALL(sendmsg), CALL(sendto), CALL(recvmmsg), END };

static const struct call_rule files[] = {
	CALL(openat), CALL(unlinkat), CALL(renameat), CALL(renameat2), CALL(mkdirat), CALL(fsync), CALL(fdatasync),
	CALL(ftruncate), CALL(fallocate), CALL(getdents64), CALL(newfstatat), CALL(statx), CALL(flock), CALL(fchmod),
	CALL(faccessat), CALL(faccessat2), CALL(fadvise64), CALL(fstatfs), CALL(sync_file_range), CALL(copy_file_range),
	CALL_IF(fcntl, 1, WHOLE, F_SETFL), CALL_IF(fcntl, 1, WHOLE, F_SETFD), CALL_IF(fcntl, 1, WHOLE, F_SETLK),
	CALL_IF(fcntl, 1, WHOLE, F_OFD_SETLK), CALL_IF(fcntl, 1, WHOLE, F_DUPFD_CLOEXEC), END
};

/*
 * Control answers people on sockets that it was given. It reads /proc and a few files of the site
 * to learn who they are. It makes no sockets, and passes on only descriptors that it was given or
 * memory that it made.
 */
static const struct call_rule people[] = {
	CALL(accept4), CALL(sendmsg), CALL(recvfrom), CALL(getsockopt), CALL(uname), CALL(readlink), CALL(readlinkat), CALL(lstat), CALL(stat), CALL(getuid), CALL(geteuid),
	CALL(getgid), CALL(getegid), CALL(getrusage),
	/* reads whether the clock is synchronised; setting it would need a capability */
	CALL(adjtimex), CALL(clock_adjtime), END
};

#define SHUT(fd) CALL_IF(shutdown, 0, NUMBER, fd)
#define SHUT_WITH(bit) CALL_IF(shutdown, 0, UINT64_C(1) << (bit), UINT64_C(1) << (bit))
#define TCP_OPTION(name) CALL_IF2(setsockopt, 1, NUMBER, IPPROTO_TCP, 2, NUMBER, name)

/*
 * A server on a listening socket that it was given. It can make no sockets, threads or processes.
 * It cannot close the event port (4) and the listening socket (5), which its successor needs. It
 * cannot set socket options: the listening socket could be made to accept nobody, or a connection
 * made to linger. The supervisor, which closes such a connection later, would then hang for as long
 * as the peer likes.
 */
static const struct call_rule server[] = {
	CALL(accept4), CALL(accept), CALL(recvfrom), CALL(sendto), CALL(sendmsg), SHUT(6), SHUT(7), SHUT_WITH(3), SHUT_WITH(4),
	SHUT_WITH(5), SHUT_WITH(6), SHUT_WITH(7), SHUT_WITH(8), CALL(getsockopt), TCP_OPTION(TCP_NODELAY), TCP_OPTION(TCP_CORK), CALL(getsockname), CALL(getpeername), CALL_IF(fcntl, 1, WHOLE, F_SETFL),
	CALL_IF(fcntl, 1, WHOLE, F_SETFD), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(times),
	CALL(getrusage), END
};

/* Enforce uses netlink sockets that were opened before, and the settings of its own network
 * namespace (the folder below). */
static const struct call_rule kernel_rules[] = {
	CALL(openat), CALL(getdents64), CALL(sendto), CALL(sendmsg), CALL(recvfrom), CALL(setsockopt), CALL(getsockname),
	/* getrusage tells how often enforce has slept. If it slept exactly once between two looks,
	 * the time of a change is known */
	CALL(getrusage),
	/* reads whether the clock is synchronised; setting it would need a capability */
	CALL(adjtimex), CALL(clock_adjtime),
	CALL_IF(ioctl, 1, WHOLE, SIOCGIFINDEX), CALL_IF(ioctl, 1, WHOLE, SIOCGIFFLAGS), END
};

static const int probes[] = {
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(ioctl), SCMP_SYS(prctl), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrusage), SCMP_SYS(sigaltstack), SCMP_SYS(prlimit64), CALL_END
};

/* Calls with which libraries only probe. A role that reads hostile bytes has few: even a look for a
 * file is a sign of an attack. */
static const int few_probes[] = {
	SCMP_SYS(ioctl), SCMP_SYS(prctl), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrusage), SCMP_SYS(sigaltstack),
	SCMP_SYS(mremap), /* if this call fails, the C library copies instead */
#if defined(__SANITIZE_ADDRESS__)
	/* A sanitizer opens its program to name symbols in a report. If that is refused, the report
	 * has no names; if it killed the process, there would be no report. */
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit),
#endif
	CALL_END
};

#define CAP_BIT(c) ((uint64_t)1 << (c))

static const struct profile profiles[ROLE_COUNT] = {
	[ROLE_ENFORCE] = {
		.capabilities = CAP_BIT(CAP_NET_ADMIN),
		.otherwise = OTHERWISE_EPERM,
		.allow = { common, channel, waiting, kernel_rules },
		.folders = { { .path = "/proc/sys/net", .write = true } },
		.n_folders = 1,
		/* after others have changed the rules, repairing them comes before everything
		 * else */
		.nice = -15,
		.descriptors = 128, .file_mib = 256,
	},
	[ROLE_GATE] = {
		.capabilities = CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_RAW),
		.allow = { common, channel, waiting, gate_sends },
		.soft = few_probes,
		.nice = -10,
		/* higher than that of the gate's worker, which the gate watches; the gate can only
		 * have as much work as its worker requests */
		.realtime = 42,
		.descriptors = 256, .file_mib = 16,
	},
	[ROLE_DPI] = {
		/* A worker for commands has CAP_NET_ADMIN for verdicts by its forms, and the filter
		 * lets it use the capability for nothing else. A worker with nDPI does not have
		 * it. */
		.for_commands = CAP_BIT(CAP_NET_ADMIN),
		.allow = { forms, waiting, receives_many },
		.soft = few_probes,
		.nice = -10,
		/*
		 * Packets wait for a worker, and nice values count only within a session or group
		 * of processes. This priority is above what other programs commonly have, and below
		 * the kernel's interrupt threads (50), which deliver the packets.
		 */
		.realtime = 41,
		.descriptors = 256, .file_mib = 16,
		/* MiB: twice what a worker needs with full tables. If the machine lacks memory,
		 * other large processes are killed first. */
		.group_mib = 256, .oom_score = -500,
	},
	[ROLE_TAP] = {
		.allow = { common, channel, waiting, receives_many },
		.soft = probes,
		.descriptors = 32, .file_mib = 64, .group_mib = 64,
	},
	[ROLE_COMPILE] = {
		.otherwise = OTHERWISE_EPERM,
		.allow = { common, channel, waiting },
		.soft = probes,
		.nice = 5,
		.descriptors = 32, .file_mib = 256, .memory_mib = 2048,
		/* MiB for the compiler's mappings and for texts in shared memory. Beyond the limit
		 * on mappings (memory_mib) a call fails; beyond this limit the process is ended */
		.group_mib = 2304,
	},
	[ROLE_JOURNAL] = {
		.allow = { common, channel, waiting, receives_many, files },
		.soft = probes,
		.folders = { { .fd = JOURNAL_FD_FOLDER, .write = true }, { .fd = JOURNAL_FD_KEY, .write = true } }, .n_folders = 2,
		.descriptors = 256, .file_mib = 4096,
	},
	[ROLE_MGMT] = {
		.allow = { common, channel, waiting, server },
		.soft = probes,
		.descriptors = 512, .file_mib = 64, .group_mib = 512,
	},
	[ROLE_CONTROL] = {
		.allow = { common, channel, waiting, files, people },
		.soft = probes,
		/* Control's own folder has the drafts. Control may read files that anybody may
		 * read: the asker's process in /proc, names of logins, and certificates that a
		 * policy names. */
		.folders = { { .fd = CONTROL_FD_FOLDER, .write = true }, { .path = "/" } }, .n_folders = 2,
		.descriptors = 256, .file_mib = 128,
	},
	[ROLE_ACCOUNTS] = {
		/* Accounts reads what strangers have typed, although within messages of this
		 * program, and has hashes and secrets. So it has only these sockets and its
		 * folder. */
		.allow = { common, channel, waiting, asks_children, files },
		.soft = probes,
		.folders = { { .fd = ACCOUNTS_FD_FOLDER, .write = true } }, .n_folders = 1,
		/* The list of leaked passphrases is the largest file that it writes, by far. */
		.descriptors = 64, .file_mib = 40, .group_mib = 128,
	},
};

/* The hasher has one socket, which was opened before the sandbox closes. All else is memory and
 * computing. */
const struct profile sandbox_hasher_profile = {
	.allow = { common },
	.soft = few_probes,
	.nice = 5, /* people who are logged in go before people who log in */
	.descriptors = 16, .file_mib = 1, .memory_mib = 256,
};

/* sekisho-fetch has one connection, which was opened before the sandbox closes, and one file,
 * standard output. It opens nothing. */
static const struct call_rule one_connection[] = {
	CALL(poll), CALL(ppoll), CALL(recvfrom), CALL(recvmsg), CALL(sendto), CALL(sendmsg), CALL(getsockopt), CALL(fsync), END
};

const struct profile sandbox_fetch_profile = {
	.allow = { common, one_connection },
	.soft = probes,
	.nice = 5,
	.descriptors = 16, .file_mib = 512, .memory_mib = 256,
};

/* clang-format on */

const struct profile *sandbox_profile(enum role r)
{
	return (unsigned)r < ROLE_COUNT && profiles[r].descriptors != 0 ? &profiles[r] : NULL;
}

/* clang-format off */

/*
 * System calls of the supervisor: those of all roles, because a filter is inherited, and those for
 * making roles, namespaces, links and folders. Not among them: loading code into the kernel,
 * tracing, mounts, memory of other processes, keys, setting the clock.
 */
const int sandbox_supervisor_calls[] = {
	/* make, watch and end processes */
	SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(getppid), SCMP_SYS(setpgid), SCMP_SYS(getpgrp),
	SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(umask),
	/* start of a new program, before its main() */
	SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit), SCMP_SYS(setrlimit), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(open), SCMP_SYS(stat),
	SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getcwd), SCMP_SYS(sigaltstack), SCMP_SYS(membarrier), SCMP_SYS(getrusage),
	/* a role's entry into its sandbox */
	SCMP_SYS(prctl), SCMP_SYS(capget), SCMP_SYS(capset), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setuid),
	SCMP_SYS(setgid), SCMP_SYS(setgroups), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getaffinity), SCMP_SYS(setpriority),
	SCMP_SYS(getpriority),
	/* namespaces, sockets, links */
	SCMP_SYS(setns), SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(connect),
	SCMP_SYS(accept4), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(ioctl), SCMP_SYS(eventfd2), SCMP_SYS(signalfd4), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(pipe2),
	/* reads whether the clock is synchronised; setting it would need a capability that is
	 * dropped */
	SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
	/* generations and folders */
	SCMP_SYS(mkdir), SCMP_SYS(fchown), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(unlink), SCMP_SYS(rename),
	CALL_END
};

const int sandbox_supervisor_kept[] = {
	CAP_SETUID, CAP_SETGID, CAP_SETPCAP, /* to give a role another user and fewer rights */
	CAP_KILL,			     /* to end such a role */
	CAP_SYS_NICE,			     /* priorities of the packet path */
	/* to enter the data and admin namespaces */
	CAP_SYS_ADMIN,
	/* queues, links, resets; the only capabilities that roles of the packet path keep */
	CAP_NET_ADMIN, CAP_NET_RAW,
	CAP_NET_BIND_SERVICE,		     /* port 443 in the admin namespace */
	CAP_DAC_READ_SEARCH,		     /* the folders of roles, which they own */
	CALL_END
};

const char *const sandbox_supervisor_writes[] = {
	"/proc/sys/net", "/dev/null",
#if defined(COVERAGE_COUNTS)
	/* a coverage build: each role writes its counts to a file of its own */
	COVERAGE_COUNTS,
#endif
	NULL
};

/* clang-format on */
