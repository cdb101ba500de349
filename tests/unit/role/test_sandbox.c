/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each role's sandbox, from inside: a child process enters it and tries one thing. What is
 * forbidden must end in an error or in the child's death; what is needed must work. Needs root,
 * because entering the sandbox begins with giving up root; without root only the table is checked.
 *
 * LINK: appliance/role/sandbox.c appliance/role/sandbox_table.c appliance/wire/msg.c
 * LINK: appliance/gate/verdict.c
 * LINK: appliance/base/bytes.c appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 * LIBS: libseccomp libcap-ng libmnl libnetfilter_queue
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/gate/gate.h"
#include "appliance/gate/verdict.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/role/sandbox_table.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

#define SUCCEEDED 0 /* the child succeeded in its attempt */
#define DENIED 10
#define NOT_ENTERED 11

#define NETLINK_FD 20 /* a NETLINK_NETFILTER socket that root opened, like the socket of a queue */
#define PLAIN_FD 21   /* a UDP socket */
#define FOLDER_FD 22  /* a folder */
#define TCP_FD 23     /* a TCP socket */

static const enum role all_roles[] = { ROLE_ENFORCE, ROLE_GATE, ROLE_DPI,      ROLE_TAP,    ROLE_COMPILE,
				       ROLE_JOURNAL, ROLE_MGMT, ROLE_ACCOUNTS, ROLE_CONTROL };
#define N_ROLES (sizeof(all_roles) / sizeof(all_roles[0]))
#define FETCH ((enum role)30)  /* no role: sekisho-fetch */
#define HASHER ((enum role)31) /* no role, but the child of accounts */

static int shut_in(enum role r, struct err *e)
{
	return r == FETCH ? sandbox_fetch(e) : r == HASHER ? sandbox_hasher(e) : sandbox_enter(r, e);
}

/* ---- what a child tries: true when it succeeded ---------------------------------------------- */

static bool try_read_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool try_shadow(void)
{
	return open("/etc/shadow", O_RDONLY) >= 0;
}

static bool try_make_file(void)
{
	return open("/tmp/sekisho-sandbox-test", O_CREAT | O_WRONLY, 0600) >= 0;
}

static bool try_folder(void)
{
	return openat(FOLDER_FD, "passwd", O_RDONLY) >= 0;
}

static bool try_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool try_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) >= 0;
}

static bool try_listen(void)
{
	return listen(PLAIN_FD, 1) == 0;
}

static bool try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(PLAIN_FD, (const struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool try_setsockopt(void)
{
	int size = 1024;

	return setsockopt(NETLINK_FD, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0;
}

static bool try_shut_events(void)
{
	return shutdown(ROLE_FD_EVENTS, SHUT_RDWR) == 0;
}

static bool try_shut_listener(void)
{
	return shutdown(MGMT_FD_LISTEN, SHUT_RDWR) == 0;
}

static bool try_shut_half(void)
{
	return syscall(SYS_shutdown, UINT64_C(1) << 32 | ROLE_FD_EVENTS, SHUT_RDWR) == 0;
}

static bool try_linger(void)
{
	struct linger l = { .l_onoff = 1, .l_linger = 3600 };

	return setsockopt(TCP_FD, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0;
}

static bool try_key(void)
{
	struct tcp_md5sig m = { .tcpm_keylen = 1, .tcpm_key = "x" };

	m.tcpm_addr.ss_family = AF_INET;
	return setsockopt(TCP_FD, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)) == 0;
}

static bool try_exec(void)
{
	execl("/bin/true", "true", NULL);
	return false;
}

static bool try_fork(void)
{
	pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p > 0;
}

static bool try_trace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool try_signal(void)
{
	return kill(getppid(), 0) == 0;
}

static pid_t neighbour; /* another process of the same role, in its sandbox */

static bool try_neighbour(void)
{
	return syscall(SYS_tgkill, neighbour, neighbour, SIGKILL) == 0;
}

static bool try_root(void)
{
	return setuid(0) == 0 || setresuid(0, 0, 0) == 0;
}

static bool try_group(void)
{
	gid_t g = 0;

	return setgroups(1, &g) == 0;
}

static bool try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL) == 0;
}

static bool try_unshare(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool try_setns(void)
{
	return setns(FOLDER_FD, 0) == 0;
}

static bool try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool try_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) == 0;
}

static bool try_io_uring(void)
{
	uint8_t params[256] = { 0 };

	return syscall(SYS_io_uring_setup, 4, params) >= 0;
}

static bool try_memory_of_parent(void)
{
	char c;
	struct iovec iov = { &c, 1 };

	return process_vm_readv(getppid(), &iov, 1, &iov, 1, 0) == 1;
}

static bool try_dumpable(void)
{
	return syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0) == 0;
}

static bool try_chmod(void)
{
	return chmod("/tmp", 01777) == 0;
}

static bool try_descriptor_of_parent(void)
{
	int p = (int)syscall(SYS_pidfd_open, getppid(), 0);

	return p >= 0 && syscall(SYS_pidfd_getfd, p, 0, 0) >= 0;
}

/* A batch that makes a table, sent on a netlink socket that root opened: the capabilities of the
 * sender decide. */
static size_t nft_message(uint8_t *out)
{
	struct {
		struct nlmsghdr h1;
		struct nfgenmsg g1;
		struct nlmsghdr h2;
		struct nfgenmsg g2;
		struct nlattr name;
		char text[8];
		struct nlmsghdr h3;
		struct nfgenmsg g3;
	} m = {
		.h1 = { .nlmsg_len = 20, .nlmsg_type = NFNL_MSG_BATCH_BEGIN, .nlmsg_flags = NLM_F_REQUEST },
		.g1 = { .res_id = htons(NFNL_SUBSYS_NFTABLES) },
		.h2 = { .nlmsg_len = 32,
			.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK },
		.g2 = { .nfgen_family = 1 },
		.name = { .nla_len = 12, .nla_type = NFTA_TABLE_NAME },
		.text = "escaped",
		.h3 = { .nlmsg_len = 20, .nlmsg_type = NFNL_MSG_BATCH_END, .nlmsg_flags = NLM_F_REQUEST },
		.g3 = { .res_id = htons(NFNL_SUBSYS_NFTABLES) },
	};

	memcpy(out, &m, sizeof(m));
	return sizeof(m);
}

static bool netlink_agrees(void)
{
	uint8_t buf[4096];
	struct nlmsgerr error;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(NETLINK_FD, &mh, MSG_DONTWAIT);

	if (n < (ssize_t)(sizeof(struct nlmsghdr) + sizeof(error)))
		return true; /* no refusal */
	memcpy(&error, buf + sizeof(struct nlmsghdr), sizeof(error));
	return error.error == 0;
}

static bool try_nft_write(void)
{
	uint8_t m[256];
	size_t n = nft_message(m);

	return write(NETLINK_FD, m, n) == (ssize_t)n && netlink_agrees();
}

static bool try_nft_send(void)
{
	uint8_t m[256];
	size_t n = nft_message(m);

	return send(NETLINK_FD, m, n, 0) == (ssize_t)n && netlink_agrees();
}

static bool try_verdict(void)
{
	uint8_t m[VERDICT_ONE];
	size_t n = verdict_upto_message(m, 1000, 1, true);

	return write(NETLINK_FD, m, n) == (ssize_t)n && netlink_agrees();
}

/* ---- what a role needs: true when it works --------------------------------------------------- */

static bool need_memory(void)
{
	char *p = malloc(3 << 20);
	bool ok;

	if (p == NULL)
		return false;
	memset(p, 1, 3 << 20);
	p = realloc(p, 6 << 20);
	ok = p != NULL;
	free(p);
	return ok;
}

static bool need_time(void)
{
	struct timespec ts;
	struct tm tm;
	time_t t = 0;

	return clock_gettime(CLOCK_MONOTONIC, &ts) == 0 && clock_gettime(CLOCK_REALTIME, &ts) == 0 &&
	       nanosleep(&(struct timespec){ .tv_nsec = 1 }, NULL) == 0 && gmtime_r(&t, &tm) != NULL;
}

/* An answer as every role gives it: JSON in a sealed memfd, over the control channel. */
static bool need_answer(void)
{
	int fd = memfd_sealed("answer", "{}", 2);

	return fd >= 0 && msg_send(ROLE_FD_CONTROL, 1, &(struct msg_body){ .type = MSG_ANSWER }, &fd, 1) == 0 &&
	       close(fd) == 0;
}

static bool need_event(void)
{
	return send(ROLE_FD_EVENTS, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static bool need_message(void)
{
	uint8_t *image;
	struct msg m;
	size_t n;
	bool ok;

	if (msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, ROLE_DPI, &m) != 1 || m.body.type != MSG_TABLE)
		return false;
	ok = memfd_read(m.fds[0], 100, &image, &n, NULL) == 0 && n == 5;
	free(image);
	msg_close_fds(&m);
	return ok;
}

static bool need_waiting(void)
{
	struct pollfd p = { .fd = ROLE_FD_CONTROL, .events = POLLOUT };
	struct epoll_event ev = { .events = EPOLLOUT };
	int e = epoll_create1(EPOLL_CLOEXEC);

	return poll(&p, 1, 0) == 1 && epoll_ctl(e, EPOLL_CTL_ADD, ROLE_FD_CONTROL, &ev) == 0 &&
	       epoll_wait(e, &ev, 1, 0) == 1;
}

/* Sends a signal to itself, as abort does. */
static bool need_own_signal(void)
{
	return raise(SIGCONT) == 0;
}

static bool need_shared_memory(void)
{
	struct msg m;
	void *p;

	if (msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, ROLE_DPI, &m) != 1)
		return false;
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, m.fds[0], 0);
	return p != MAP_FAILED && munmap(p, 4096) == 0;
}

static bool need_receive_many(void)
{
	char buf[2][64];
	struct iovec iov[2] = { { buf[0], 64 }, { buf[1], 64 } };
	struct mmsghdr mm[2] = { { .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
				 { .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } } };

	return recvmmsg(NETLINK_FD, mm, 2, MSG_DONTWAIT, NULL) < 0 && errno == EAGAIN;
}

static bool need_verdict(void)
{
	return verdict_upto(NETLINK_FD, 1000, 1, true) == 0;
}

static bool need_journal(void)
{
	int fd = openat(JOURNAL_FD_FOLDER, "sandbox-test", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0 && ftruncate(fd, 0) == 0 &&
	       renameat(JOURNAL_FD_FOLDER, "sandbox-test", JOURNAL_FD_FOLDER, "sandbox-test-2") == 0 &&
	       unlinkat(JOURNAL_FD_FOLDER, "sandbox-test-2", 0) == 0;
}

/* The role accounts asks its hasher and reads the answer without waiting. */
static bool need_hasher(void)
{
	char c;

	return send(ACCOUNTS_FD_HASHER, "q", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 &&
	       recv(ACCOUNTS_FD_HASHER, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The calls of libmicrohttpd for a connection. The first connection may have a low number. */
static bool need_connection(void)
{
	static const int names[] = { TCP_NODELAY, TCP_CORK };
	const int on = 1;

	for (size_t i = 0; i < 2; i++)
		if (setsockopt(TCP_FD, IPPROTO_TCP, names[i], &on, sizeof(on)) < 0)
			return false;
	for (int fd = MGMT_FD_SECRETS; fd < 512; fd++)
		/* most numbers are not in use; a call that is not allowed would end the process */
		(void)shutdown(fd, SHUT_RDWR);
	return true;
}

static bool need_sysctl(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1;
}

/* ---- running one ----------------------------------------------------------------------------- */

static char folder[] = "/tmp/sekisho-sandbox-XXXXXX";

static void put_at(int fd, int at)
{
	if (fd != at) {
		dup2(fd, at);
		close(fd);
	}
}

static int listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && listen(fd, 1) == 0 ? fd : -1;
}

/* The descriptors of a role, and four that it could misuse; in a network namespace of its own. */
static void prepare(enum role r)
{
	int control[2], events[2], table = memfd_sealed("table", "12345", 5);
	const struct msg_body m = { MSG_TABLE, .table = { .n_image = 5 } };

	if (unshare(CLONE_NEWNET) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, events) < 0 || msg_send(control[0], 0, &m, &table, 1) < 0)
		_exit(NOT_ENTERED);
	fcntl(control[0], F_DUPFD, 40); /* the other ends stay open, with high numbers */
	fcntl(events[0], F_DUPFD, 40);
	put_at(fcntl(control[1], F_DUPFD, 50), ROLE_FD_CONTROL);
	put_at(fcntl(events[1], F_DUPFD, 50), ROLE_FD_EVENTS);
	if (r == ROLE_MGMT)
		put_at(listener(), MGMT_FD_LISTEN);
	put_at(open(folder, O_RDONLY | O_DIRECTORY), r == ROLE_JOURNAL	  ? JOURNAL_FD_FOLDER
						     : r == ROLE_ACCOUNTS ? ACCOUNTS_FD_FOLDER
						     : r == ROLE_CONTROL  ? CONTROL_FD_FOLDER
									  : MGMT_FD_SECRETS);
	if (r == ROLE_ACCOUNTS) {
		int hasher[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, hasher) < 0)
			_exit(NOT_ENTERED);
		fcntl(hasher[0], F_DUPFD, 40);
		put_at(fcntl(hasher[1], F_DUPFD, 50), ACCOUNTS_FD_HASHER);
	}
	if (r == ROLE_JOURNAL)
		put_at(open(folder, O_RDONLY | O_DIRECTORY), JOURNAL_FD_KEY);
	put_at(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_NETFILTER), NETLINK_FD);
	put_at(socket(AF_INET, SOCK_DGRAM, 0), PLAIN_FD);
	put_at(open("/etc", O_RDONLY | O_DIRECTORY), FOLDER_FD);
	put_at(socket(AF_INET, SOCK_STREAM, 0), TCP_FD);
}

/* Returns the exit status, or minus the signal. `before`: what the child does first, NULL =
 * nothing. */
static int run_after(void (*before)(void), enum role r, bool (*what)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };

		prepare(r);
		if (before != NULL)
			before();
		if (shut_in(r, &e) < 0) {
			dprintf(2, "%s: %s\n", role_name(r), e.text);
			_exit(NOT_ENTERED);
		}
		_exit(what == NULL || what() ? SUCCEEDED : DENIED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run(enum role r, bool (*what)(void))
{
	return run_after(NULL, r, what);
}

struct attempt {
	const char *name;
	bool (*what)(void);
	unsigned except; /* the roles that may, as bits */
};

#define MAY(r) (1u << (r))

static const struct attempt forbidden[] = {
	/* The role control reads files that everybody may read: who asks, and certificates. */
	{ "read a file", try_read_file, MAY(ROLE_CONTROL) },
	{ "read what is root's", try_shadow, 0 },
	{ "make a file", try_make_file, 0 },
	{ "open in a folder", try_folder, MAY(ROLE_CONTROL) },
	{ "TCP socket", try_tcp, 0 },
	{ "unix socket", try_unix, 0 },
	{ "packet socket", try_packet, 0 },
	{ "netlink socket", try_netlink, 0 },
	{ "listen", try_listen, 0 },
	{ "connect", try_connect, 0 },
	/* enforce sets options of its own netlink sockets */
	{ "shrink a receive buffer", try_setsockopt, MAY(ROLE_ENFORCE) },
	/* The role's successor goes on using the event port and the listening socket. */
	{ "shut its event port", try_shut_events, 0 },
	{ "shut the listening socket", try_shut_listener, 0 },
	{ "shut it by half a number", try_shut_half, 0 },
	/* A process that gets the connection and closes it would wait for the peer. */
	{ "make a connection linger", try_linger, MAY(ROLE_ENFORCE) },
	{ "refuse all peers without a key", try_key, MAY(ROLE_ENFORCE) },
	{ "execute", try_exec, 0 },
	{ "fork", try_fork, 0 },
	{ "trace its parent", try_trace, 0 },
	{ "signal its parent", try_signal, 0 },
	{ "become root", try_root, 0 },
	{ "take a group", try_group, 0 },
	{ "mount", try_mount, 0 },
	{ "user namespace", try_unshare, 0 },
	{ "enter a namespace", try_setns, 0 },
	{ "executable memory", try_executable_memory, 0 },
	{ "make memory executable", try_make_executable, 0 },
	{ "bpf", try_bpf, 0 },
	{ "io_uring", try_io_uring, 0 },
	{ "read its parent's memory", try_memory_of_parent, 0 },
	{ "become dumpable", try_dumpable, 0 },
	{ "chmod", try_chmod, 0 },
	{ "take its parent's descriptor", try_descriptor_of_parent, 0 },
	/* A process with CAP_NET_ADMIN and such a socket can change rules. Therefore these roles
	 * read no hostile bytes. A worker, which reads them, may only send the forms of verdicts
	 * (test_form). */
	{ "change rules by write", try_nft_write, MAY(ROLE_GATE) | MAY(ROLE_ENFORCE) },
	{ "change rules by send", try_nft_send, MAY(ROLE_GATE) | MAY(ROLE_ENFORCE) },
	{ "send a verdict", try_verdict, MAY(ROLE_GATE) | MAY(ROLE_ENFORCE) },
};

static void nothing_forbidden_works(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < N_ROLES; i++)
		for (size_t k = 0; k < sizeof(forbidden) / sizeof(forbidden[0]); k++) {
			int got;

			if (forbidden[k].except & MAY(all_roles[i]))
				continue;
			got = run(all_roles[i], forbidden[k].what);
			if (got == DENIED || got == -SIGSYS)
				continue;
			print_error("%s: %s: %d\n", role_name(all_roles[i]), forbidden[k].name, got);
			failures++;
		}
	assert_int_equal(failures, 0);
}

/* The program that fetches updates may do nothing of the above. It may read and write its own
 * descriptors. */
static void fetch_may_nothing(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(forbidden) / sizeof(forbidden[0]); k++) {
		int got = run(FETCH, forbidden[k].what);

		if (got == DENIED || got == -SIGSYS)
			continue;
		print_error("fetch: %s: %d\n", forbidden[k].name, got);
		failures++;
	}
	assert_int_equal(failures, 0);
	assert_int_equal(run(FETCH, NULL), SUCCEEDED);
	assert_int_equal(run(FETCH, need_memory), SUCCEEDED);
	assert_int_equal(run(FETCH, need_time), SUCCEEDED);
	for (size_t i = 0; i < N_ROLES; i++)
		assert_int_not_equal(SANDBOX_UID_FETCH, sandbox_uid(all_roles[i]));
}

/* The hasher may do even less: it has only memory and computing time. */
static void the_hasher_has_less(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(forbidden) / sizeof(forbidden[0]); k++) {
		int got = run(HASHER, forbidden[k].what);

		if (got == DENIED || got == -SIGSYS)
			continue;
		print_error("fetch: %s: %d\n", forbidden[k].name, got);
		failures++;
	}
	assert_int_equal(failures, 0);
	assert_int_equal(run(HASHER, NULL), SUCCEEDED);
	assert_int_equal(run(HASHER, need_memory), SUCCEEDED);
	assert_int_equal(run(HASHER, need_time), SUCCEEDED);
	for (size_t i = 0; i < N_ROLES; i++)
		assert_int_not_equal(SANDBOX_UID_HASHER, sandbox_uid(all_roles[i]));
}

/* A role that reads hostile bytes is killed by its first forbidden call. */
static void parsers_die_of_it(void **state)
{
	static const enum role parsers[] = { ROLE_DPI, ROLE_GATE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
/* With the address sanitizer the call is denied, and does not kill: otherwise the sanitizer could
 * not write its report. */
#if defined(__SANITIZE_ADDRESS__)
		assert_int_equal(run(parsers[i], try_read_file), DENIED);
#else
		assert_int_equal(run(parsers[i], try_read_file), -SIGSYS);
#endif
		assert_int_equal(run(parsers[i], try_tcp), -SIGSYS);
		assert_int_equal(run(parsers[i], try_exec), -SIGSYS);
		assert_int_equal(run(parsers[i], try_setsockopt), -SIGSYS);
		assert_int_equal(run(parsers[i], try_executable_memory), -SIGSYS);
	}
	assert_int_equal(run(ROLE_DPI, try_nft_send), -SIGSYS);
}

/* As on a kernel without Landlock, or with a Landlock that cannot restrict signals. */
static void without_landlock(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (ctx == NULL || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) < 0 ||
	    seccomp_load(ctx) < 0)
		_exit(NOT_ENTERED);
	seccomp_release(ctx);
}

/* Reports on `ready` that it is in its sandbox, and stays. */
static void stay(enum role r, int ready)
{
	struct err e;

	ready = fcntl(ready, F_DUPFD, 60); /* out of the way */
	prepare(r);
	if (sandbox_enter(r, &e) < 0 || write(ready, "", 1) != 1)
		_exit(NOT_ENTERED);
	for (;;)
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
}

/* There may be eight workers and eight gates with one user each: one that is compromised cannot
 * harm the others. */
static void neighbours_are_left_alone(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < N_ROLES; i++) {
		int ready[2], got, status;
		char byte;

		assert_int_equal(pipe(ready), 0);
		neighbour = fork();
		assert_true(neighbour >= 0);
		if (neighbour == 0)
			stay(all_roles[i], ready[1]);
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		got = run_after(without_landlock, all_roles[i], try_neighbour);
		if ((got != DENIED && got != -SIGSYS) || waitpid(neighbour, &status, WNOHANG) != 0) {
			print_error("%s ended its neighbour: %d\n", role_name(all_roles[i]), got);
			failures++;
		} else {
			kill(neighbour, SIGKILL);
			waitpid(neighbour, &status, 0);
		}
		close(ready[0]);
	}
	assert_int_equal(failures, 0);
}

static const struct attempt needed[] = {
	{ "enter", NULL, 0 },	     { "memory", need_memory, 0 },
	{ "time", need_time, 0 },    { "answer", need_answer, 0 },
	{ "event", need_event, 0 },  { "message with a descriptor", need_message, 0 },
	{ "wait", need_waiting, 0 }, { "signal itself", need_own_signal, 0 },
};

static void everything_needed_works(void **state)
{
	static const struct {
		enum role role;
		const char *name;
		bool (*what)(void);
	} own[] = {
		{ ROLE_DPI, "ring", need_shared_memory },     { ROLE_DPI, "receive", need_receive_many },
		{ ROLE_GATE, "ring", need_shared_memory },    { ROLE_GATE, "verdict", need_verdict },
		{ ROLE_JOURNAL, "its folder", need_journal }, { ROLE_ENFORCE, "sysctl", need_sysctl },
		{ ROLE_MGMT, "connection", need_connection }, { ROLE_ACCOUNTS, "hasher", need_hasher },
	};
	int failures = 0, got;

	(void)state;
	for (size_t i = 0; i < N_ROLES; i++)
		for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++) {
			got = run(all_roles[i], needed[k].what);
			if (got != SUCCEEDED) {
				print_error("%s: %s: %d\n", role_name(all_roles[i]), needed[k].name, got);
				failures++;
			}
		}
	for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
		got = run(own[k].role, own[k].what);
		if (got != SUCCEEDED) {
			print_error("%s: %s: %d\n", role_name(own[k].role), own[k].name, got);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

/* ---- the table and the rest ------------------------------------------------------------------ */

static void table(void **state)
{
	(void)state;
	assert_null(sandbox_profile(ROLE_SUPERVISOR));
	assert_null(sandbox_profile(ROLE_CLI));
	assert_null(sandbox_profile((enum role)99));
	for (size_t i = 0; i < N_ROLES; i++) {
		const struct profile *p = sandbox_profile(all_roles[i]);
		uint64_t admin = (uint64_t)1 << CAP_NET_ADMIN, raw = (uint64_t)1 << CAP_NET_RAW;

		assert_non_null(p);
		assert_int_equal(p->capabilities, all_roles[i] == ROLE_ENFORCE ? admin
						  : all_roles[i] == ROLE_GATE  ? admin | raw
									       : 0);
		assert_true(p->otherwise == OTHERWISE_KILL || all_roles[i] == ROLE_ENFORCE ||
			    all_roles[i] == ROLE_COMPILE);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(sandbox_uid(all_roles[i]), sandbox_uid(all_roles[k]));
		assert_true(sandbox_uid(all_roles[i]) > 1000);
	}
}

/* ---- the supervisor, trimmed ----------------------------------------------------------------- */

static bool refused(long r)
{
	return r < 0 && (errno == EPERM || errno == EACCES);
}

static bool lost_code(void)
{
	return refused(syscall(SYS_bpf, 0, NULL, 0)) && refused(syscall(SYS_init_module, NULL, 0, "")) &&
	       refused(syscall(SYS_kexec_load, 0, 0, NULL, 0)) && refused(syscall(SYS_io_uring_setup, 1, NULL)) &&
	       refused(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)) && refused(syscall(SYS_userfaultfd, 0));
}

static bool lost_others(void)
{
	char byte;
	struct iovec own = { &byte, 1 };

	return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) && refused(process_vm_readv(1, &own, 1, &own, 1, 0)) &&
	       refused(syscall(SYS_pidfd_getfd, 0, 0, 0)) && refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static bool lost_system(void)
{
	struct timespec t = { .tv_sec = 1 };

	return refused(mount("none", "/tmp", "tmpfs", 0, NULL)) && refused(syscall(SYS_pivot_root, "/", "/")) &&
	       refused(chroot("/")) && refused(unshare(CLONE_NEWUSER)) && refused(clock_settime(CLOCK_REALTIME, &t)) &&
	       refused(syscall(SYS_reboot, 0, 0, 0, NULL)) && refused(syscall(SYS_swapon, "/none", 0)) &&
	       refused(mknod("/tmp/sekisho-sandbox-node", S_IFCHR | 0600, 0)) && refused(sethostname("x", 1));
}

static bool lost_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	uint64_t kept = 0, bounding = 0;

	for (const int *c = sandbox_supervisor_kept; *c != CALL_END; c++)
		kept |= (uint64_t)1 << *c;
	for (unsigned c = 0; c < 41; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			bounding |= (uint64_t)1 << c;
	return syscall(SYS_capget, &h, d) == 0 && ((d[0].permitted | (uint64_t)d[1].permitted << 32) & ~kept) == 0 &&
	       (bounding & ~kept) == 0 && d[0].inheritable == 0;
}

#define OWN_FD 70

static char own_folder[] = "/tmp/sekisho-supervisor-XXXXXX";

/* Nothing is written outside the supervisor's folders, if the kernel has Landlock; inside them
 * writing works. */
static bool lost_files(void)
{
	bool landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u) >= 1;
	int in = open(own_folder, O_RDONLY | O_DIRECTORY), fd = openat(in, "kept", O_CREAT | O_WRONLY, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1 || renameat(in, "kept", in, "moved") < 0 || unlinkat(in, "moved", 0) < 0)
		return false;
	if (open("/etc/hostname", O_RDONLY) < 0 && errno != ENOENT)
		return false;
	return !landlock ||
	       (refused(open("/tmp/sekisho-sandbox-test", O_CREAT | O_WRONLY, 0600)) &&
		refused(open("/etc/passwd", O_WRONLY)) && refused(mkdir("/tmp/sekisho-sandbox-folder", 0700)));
}

static void supervisor(void **state)
{
	static const struct {
		const char *name;
		bool (*lost)(void);
	} tries[] = { { "code in the kernel", lost_code },
		      { "other processes", lost_others },
		      { "the system", lost_system },
		      { "capabilities", lost_capabilities },
		      { "files outside its own", lost_files } };
	int status, own = mkdtemp(own_folder) != NULL ? open(own_folder, O_RDONLY | O_DIRECTORY) : -1;
	pid_t pid;

	(void)state;
	assert_true(own >= 0);
	/* does not collide with a descriptor of a role */
	put_at(fcntl(own, F_DUPFD, OWN_FD + 1), OWN_FD);
	close(own);
	pid = fork();
	if (pid == 0) {
		struct err e = { 0 };

		prepare(ROLE_GATE);
		if (sandbox_supervisor((const int[]){ OWN_FD }, 1, &e) < 0) {
			dprintf(2, "%s\n", e.text);
			_exit(1);
		}
		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
			if (!tries[i].lost()) {
				dprintf(2, "the supervisor still has: %s (%s)\n", tries[i].name, strerror(errno));
				_exit(1);
			}
		/* In its sandbox the supervisor must still be able to start a role, whose own
		 * sandbox then closes. */
		pid = fork();
		if (pid == 0)
			_exit(sandbox_enter(ROLE_GATE, &e) == 0 && need_verdict() ? 0 : 1);
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(OWN_FD);
	assert_int_equal(rmdir(own_folder), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#if defined(__SANITIZE_ADDRESS__)
static bool overflow(void)
{
	volatile uint8_t *volatile p = malloc(10);

	p[12] = 1;
	return true;
}

static bool undefined(void)
{
	volatile int n = INT_MAX;

	n = n + 1;
	return true;
}

static struct sigaction of_a_program; /* the handler of SIGSEGV before cmocka sets its own */

static bool wild(void)
{
	sigaction(SIGSEGV, &of_a_program, NULL);
	*(volatile int *volatile)(uintptr_t)8 = 1;
	return true;
}

/* With sanitizers a role can report an error from inside its sandbox, because the report is the
 * purpose of such a build. tests/lib/reports.py recognises a report by these words. */
static void reports_come_out(void **state)
{
	static const struct {
		bool (*act)(void);
		const char *said;
	} faults[] = {
		{ overflow, "Sanitizer: heap-buffer-overflow" },
		{ undefined, ": runtime error: signed integer overflow" },
		{ wild, "Sanitizer: SEGV" },
	};

	(void)state;
	for (size_t i = 0; i < N_ROLES * 3; i++) {
		char text[65536];
		int out[2], keep = fcntl(2, F_DUPFD, 80);
		size_t n = 0;
		ssize_t r;

		assert_int_equal(pipe(out), 0);
		dup2(out[1], 2);
		close(out[1]);
		assert_int_equal(run(all_roles[i / 3], faults[i % 3].act), 1);
		dup2(keep, 2);
		close(keep);
		while (n < sizeof(text) - 1 && (r = read(out[0], text + n, sizeof(text) - 1 - n)) > 0)
			n += (size_t)r;
		close(out[0]);
		text[n] = 0;
		if (strstr(text, faults[i % 3].said) == NULL)
			fail_msg("role %d says of fault %zu: %s", (int)all_roles[i / 3], i % 3, text);
	}
}
#endif

#define ALIVE_FD 60
#define READY_FD 61

/* Reports when it is in its sandbox, then waits for its end. */
static void role_of_a_parent(void)
{
	prepare(ROLE_DPI);
	if (sandbox_enter(ROLE_DPI, NULL) == 0 && write(READY_FD, "x", 1) == 1)
		for (;;)
			nanosleep(&(struct timespec){ .tv_sec = 100 }, NULL);
	_exit(1);
}

/* A role ends when its parent does. */
static void parent_dies(void **state)
{
	int alive[2], ready[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	pid = fork();
	if (pid == 0) {
		if (pipe(ready) < 0 || dup2(alive[1], ALIVE_FD) < 0 || dup2(ready[1], READY_FD) < 0)
			_exit(1);
		close(alive[1]);
		close(ready[1]);
		if (fork() == 0)
			role_of_a_parent();
		close(READY_FD);
		_exit(read(ready[0], &c, 1) == 1 ? 0 : 1);
	}
	close(alive[1]);
	waitpid(pid, NULL, 0);
	/* The pipe closes when the role, which holds it last, has ended. */
	assert_int_equal(poll(&(struct pollfd){ .fd = alive[0], .events = POLLIN }, 1, 5000), 1);
	assert_int_equal(read(alive[0], &c, 1), 0);
	close(alive[0]);
}

static void placed(void **state)
{
	cpu_set_t before, after;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned i = 0; i < 5; i++) {
		sched_setaffinity(0, sizeof(before), &before);
		assert_int_equal(sandbox_place((int)i, NULL), 0);
		assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
		assert_int_equal(CPU_COUNT(&after), 1);
	}
	sched_setaffinity(0, sizeof(before), &before);
}

static int make_folder(void **state)
{
	(void)state;
	/* The supervisor gives the folder to the role's user. */
	if (mkdtemp(folder) == NULL)
		return 1;
	return geteuid() == 0 && chown(folder, sandbox_uid(ROLE_JOURNAL), sandbox_uid(ROLE_JOURNAL)) < 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink("/tmp/sekisho-sandbox-test");
	return rmdir(folder);
}

/* Only root can enter a sandbox. The tests in namespaces run this program as root, so that nothing
 * is left out there. */
int main(void)
{
	const struct CMUnitTest tables[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(placed),
	};
	const struct CMUnitTest entered[] = {
		cmocka_unit_test(nothing_forbidden_works),
		cmocka_unit_test(fetch_may_nothing),
		cmocka_unit_test(the_hasher_has_less),
		cmocka_unit_test(parsers_die_of_it),
		cmocka_unit_test(neighbours_are_left_alone),
		cmocka_unit_test(everything_needed_works),
		cmocka_unit_test(supervisor),
#if defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(reports_come_out),
#endif
		cmocka_unit_test(parent_dies),
	};
	int failed;

#if defined(__SANITIZE_ADDRESS__)
	sigaction(SIGSEGV, NULL, &of_a_program);
#endif
	failed = cmocka_run_group_tests(tables, NULL, NULL);

	if (geteuid() == 0)
		return failed + cmocka_run_group_tests(entered, make_folder, remove_folder);
	print_message(
		"NOTE the cases inside a sandbox need root to enter it; tests/netns/sandbox/run runs them as root\n");
	return failed;
}
