/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of verdicts: what a worker sends with them is byte for byte what the gate would have
 * written. And from inside the sandbox: a compromised process cannot send anything else, whatever
 * it tries. This part needs root, because entering the sandbox begins with giving up root.
 *
 * LINK: appliance/worker/form.c appliance/gate/verdict.c appliance/role/sandbox.c
 * LINK: appliance/role/sandbox_table.c
 * LINK: appliance/wire/msg.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 * LIBS: libseccomp libcap-ng libmnl libnetfilter_queue
 */
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/gate/gate.h"
#include "appliance/gate/verdict.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/form_place.h"
#include "appliance/wire/mark.h"
#include "appliance/worker/form.h"

/* ---- what is sent ---------------------------------------------------------------------------- */

static int ends[2]; /* what a worker sends to the kernel can be read from the second one */

static size_t sent(uint8_t *buf, size_t size)
{
	ssize_t n = recv(ends[1], buf, size, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static void entries(struct form_entry *e, uint32_t n)
{
	static const enum outcome outcomes[] = { OUTCOME_ACCEPT, OUTCOME_CONFIRMED, OUTCOME_QUIET };

	for (uint32_t i = 0; i < n; i++)
		e[i] = (struct form_entry){ 0x01020304u * (i + 1), (PERMIT_MAX - i) % (PERMIT_MAX + 1u),
					    outcomes[i % 3] };
}

static const enum mark_outcome marks[] = { MARK_GOOD, MARK_CONFIRMED, MARK_QUIET };

static void same_as_the_gate(void **state)
{
	uint8_t got[2048], upto[VERDICT_ONE];
	struct form_entry e[FORM_MOST];

	(void)state;
	entries(e, FORM_MOST);
	for (uint32_t lane = 28; lane <= 54; lane++)
		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
			uint16_t queue = lane_queue(lane, slot);

			for (uint32_t n = 1; n <= FORM_MOST; n++) {
				struct verdict_pack want = { 0 };

				for (uint32_t i = 0; i < n; i++)
					verdict_accept(&want, queue, e[i].id,
						       mark_make(e[i].permit, lane, marks[i % 3]));
				assert_int_equal(form_accept(ends[0], queue, e, n), 0);
				assert_int_equal(sent(got, sizeof(got)), want.len);
				assert_memory_equal(got, want.buf, want.len);
			}
			struct verdict_pack drop = { 0 };

			verdict_drop(&drop, queue, 77);
			assert_int_equal(form_drop(ends[0], queue, 77), 0);
			assert_int_equal(sent(got, sizeof(got)), drop.len);
			assert_memory_equal(got, drop.buf, drop.len);
			e[0].outcome = OUTCOME_DROP;
			assert_int_equal(form_upto(ends[0], queue, e), 0);
			assert_int_equal(sent(got, sizeof(got)), verdict_upto_message(upto, queue, e[0].id, false));
			assert_memory_equal(got, upto, 32);
			e[0].outcome = OUTCOME_ACCEPT;
		}
}

/* All packets up to an id pass with a mark; the gate has no such verdict. */
static void upto_with_a_mark(void **state)
{
	/* clang-format off */
	static const uint8_t want[] = {
		/* NFQNL_MSG_VERDICT_BATCH, request */
		40, 0, 0, 0, 0x03, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		/* queue 1226: lane 28, slot 2 */
		0, 0, 0x04, 0xca,
		12, 0, 2, 0, 0, 0, 0, 1, 0, 0x01, 0x02, 0x03,             /* NF_ACCEPT, id */
		/* mark: lane 28, quiet, permit 7 */
		8, 0, 3, 0, 0x1c, 0xc0, 0x00, 0x07,
	};
	/* clang-format on */
	uint8_t got[64];

	(void)state;
	assert_int_equal(form_upto(ends[0], 1226, &(struct form_entry){ 0x00010203, 7, OUTCOME_QUIET }), 0);
	assert_int_equal(sent(got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

static void no_form_for_other_lanes(void **state)
{
	const struct form_entry e = { 1, 1, OUTCOME_ACCEPT };
	static const uint16_t queues[] = { 0, 999, 1000, 1008, 1223, 1440, 1504, 1511, 1512, UINT16_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
		assert_int_equal(form_accept(ends[0], queues[i], &e, 1), -ENOENT);
		assert_int_equal(form_drop(ends[0], queues[i], 1), -ENOENT);
		assert_int_equal(form_upto(ends[0], queues[i], &e), -ENOENT);
	}
	assert_int_equal(lane_queue(LANE_CUT, 0), 1504); /* the cut lane is among them */
}

/* A permit that is too large for its field changes neither the lane nor the bits that only the
 * rules set. */
static void nothing_beyond_the_blanks(void **state)
{
	uint8_t got[64];

	(void)state;
	assert_int_equal(form_accept(ends[0], 1226, &(struct form_entry){ 5, UINT32_MAX, OUTCOME_CONFIRMED }, 1), 0);
	assert_int_equal(sent(got, sizeof(got)), 40);
	assert_int_equal(got[36], 28);
}

/* ---- what cannot be said --------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif
#define NETLINK_FD 20
#define DENIED 10
#define NOT_ENTERED 11

/* A batch that makes a table, as the kernel accepts it from a process that may. */
static uint8_t new_table[] = {
	20,   0,   0,	0, 0x10, 0, 1, 0, 0,	0, 0, 0, 0, 0, 0, 0, 0,	 0, 0, 10, 32,	0,   0,	  0,
	0x00, 10,  1,	4, 0,	 0, 0, 0, 0,	0, 0, 0, 1, 0, 0, 0, 12, 0, 1, 0,  'e', 's', 'c', 'a',
	'p',  'e', 'd', 0, 20,	 0, 0, 0, 0x11, 0, 1, 0, 0, 0, 0, 0, 0,	 0, 0, 0,  0,	0,   0,	  10,
};

static struct iovec whole = { new_table, sizeof(new_table) };
static struct msghdr own_head = { .msg_iov = &whole, .msg_iovlen = 1 };

static bool all_sent(ssize_t n)
{
	return n == (ssize_t)sizeof(new_table);
}

static bool own_message(void)
{
	return all_sent(sendmsg(NETLINK_FD, &own_head, 0));
}

static bool own_message_many(void)
{
	struct mmsghdr m = { .msg_hdr = own_head };

	return sendmmsg(NETLINK_FD, &m, 1, 0) == 1;
}

static bool by_sendto(void)
{
	return all_sent(send(NETLINK_FD, new_table, sizeof(new_table), 0));
}

static bool by_write(void)
{
	return all_sent(write(NETLINK_FD, new_table, sizeof(new_table)));
}

static bool by_writev(void)
{
	return all_sent(writev(NETLINK_FD, &whole, 1));
}

static bool by_short_writev(void)
{
	struct iovec parts[6];

	for (size_t i = 0; i < 6; i++)
		parts[i] = (struct iovec){ new_table + i * 12, 12 };
	return writev(NETLINK_FD, parts, 6) > 0;
}

static bool by_pwrite(void)
{
	return pwrite(NETLINK_FD, new_table, sizeof(new_table), 0) > 0;
}

static bool by_pwritev2(void)
{
	return pwritev2(NETLINK_FD, &whole, 1, -1, 0) > 0;
}

static bool by_sendfile(void)
{
	int fd = memfd_create("m", MFD_CLOEXEC);

	return pwrite(fd, new_table, sizeof(new_table), 0) > 0 && sendfile(NETLINK_FD, fd, NULL, sizeof(new_table)) > 0;
}

static bool by_splice(void)
{
	return splice(ROLE_FD_CONTROL, NULL, NETLINK_FD, NULL, 64, 0) >= 0;
}

/* NOLINTBEGIN(performance-no-int-to-ptr): places are fixed */
static bool head_between_heads(void)
{
	return sendmsg(NETLINK_FD, (const struct msghdr *)(FORM_PLACE + 8), 0) >= 0;
}

static bool head_among_parts(void)
{
	for (uint64_t at = 0; at < 65536; at += FORM_STEP)
		if (sendmsg(NETLINK_FD, (const struct msghdr *)(FORM_PARTS + at), 0) >= 0)
			return true;
	return false;
}

static bool with_flags(void)
{
	return sendmsg(NETLINK_FD, (const struct msghdr *)FORM_PLACE, MSG_OOB) >= 0 ||
	       sendmsg(NETLINK_FD, (const struct msghdr *)FORM_PLACE, MSG_DONTWAIT) >= 0;
}

static bool store_into_a_form(void)
{
	*(volatile uint8_t *)FORM_PLACE = 1;
	return true;
}

static bool receive_into_a_form(void)
{
	return recv(ROLE_FD_CONTROL, (void *)FORM_PLACE, 8, MSG_DONTWAIT) > 0 ||
	       read(ROLE_FD_CONTROL, (void *)FORM_PLACE, 8) > 0;
}

static bool make_forms_writable(void)
{
	return mprotect((void *)FORM_PLACE, FORM_ROOM, PROT_READ | PROT_WRITE) == 0;
}

static bool put_memory_over_forms(void)
{
	return mmap((void *)FORM_PLACE, FORM_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) != MAP_FAILED;
}

/* At a free address, without MAP_FIXED. */
static bool head_in_a_free_place(void)
{
	for (uint64_t at = FORM_PLACE; at < FORM_PLACE + FORM_ROOM; at += 4096) {
		struct msghdr *p = mmap((void *)at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if ((uint64_t)(uintptr_t)p != at)
			continue;
		*p = own_head;
		return all_sent(sendmsg(NETLINK_FD, p, 0));
	}
	return false;
}

static bool take_forms_away(void)
{
	return munmap((void *)FORM_PLACE, FORM_ROOM) == 0;
}

static bool take_all_away(void)
{
	return munmap((void *)65536, FORM_ABOVE) == 0;
}

static bool move_memory_over_forms(void)
{
	void *p = mmap(NULL, FORM_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(p, FORM_ROOM, FORM_ROOM, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)FORM_PLACE) != MAP_FAILED;
}

static bool move_forms_away(void)
{
	return mremap((void *)FORM_PLACE, FORM_ROOM, FORM_ROOM * 2, MREMAP_MAYMOVE) != MAP_FAILED;
}

/*
 * An address above the forms, and a length that wraps around to them: mremap would unmap as much as
 * the old length is longer. Debian's kernel 6.1 does so; therefore it is not left to the kernel to
 * refuse it.
 */
static bool shrink_around(void)
{
	const uint64_t high =
		(uint64_t)(uintptr_t)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t length = FORM_PLACE - high;

	return syscall(SYS_mremap, high, length + FORM_ROOM, length, 0, 0) != -1 || errno != EPERM;
}

/* The other calls check such sums themselves. */
static bool reach_around(void)
{
	const uint64_t high =
		(uint64_t)(uintptr_t)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t length = FORM_PLACE + FORM_ROOM - high;

	return syscall(SYS_munmap, high, length) == 0 || syscall(SYS_madvise, high, length, MADV_DONTNEED) == 0 ||
	       syscall(SYS_mprotect, high, length, PROT_READ | PROT_WRITE) == 0;
}

/* Tries MAP_FIXED_NOREPLACE, which fixes an address and replaces no mapping. */
static bool put_memory_between_forms(void)
{
	for (uint64_t at = FORM_PLACE; at < FORM_PLACE + FORM_ROOM; at += 4096)
		if (mmap((void *)at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			 -1, 0) != MAP_FAILED)
			return true;
	return false;
}

static bool forget_forms(void)
{
	return madvise((void *)FORM_PLACE, FORM_ROOM, MADV_DONTNEED) == 0;
}
/* NOLINTEND(performance-no-int-to-ptr) */

/* After that, the next descriptor that the worker gets would have a number to which it may
 * write. */
static bool free_a_low_descriptor(void)
{
	return close(ROLE_FD_EVENTS) == 0 || close(ROLE_FD_CONTROL) == 0 || close(STDERR_FILENO) == 0;
}

/* The kernel uses only the lower half of the register. */
static bool free_one_by_a_wide_number(void)
{
	for (long fd = 0; fd < ROLE_FD_FIRST; fd++)
		if (syscall(SYS_close, (1L << 32) + fd) == 0 || syscall(SYS_close, (7L << 32) + fd) == 0)
			return true;
	return false;
}

static bool by_a_wide_descriptor(void)
{
	return syscall(SYS_write, (1L << 32) + NETLINK_FD, new_table, sizeof(new_table)) > 0 ||
	       syscall(SYS_sendto, (1L << 32) + NETLINK_FD, new_table, sizeof(new_table), 0, NULL, 0) > 0;
}

#if defined(__x86_64__)
/* Calls write as 32-bit programs do, with their numbers (write is 4) and registers. */
static bool by_int80(void)
{
	uint8_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret = 4;

	memcpy(low, new_table, sizeof(new_table));
	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"((long)NETLINK_FD), "c"(low), "d"((long)sizeof(new_table))
			 : "memory", "r8", "r9", "r10", "r11");
	return ret > 0;
}

/* Calls write with its number of x32. */
static bool by_x32(void)
{
	return syscall(0x40000000 | SYS_write, NETLINK_FD, new_table, sizeof(new_table)) > 0;
}
#endif

static bool put_netlink_low(void)
{
	return dup2(NETLINK_FD, ROLE_FD_EVENTS) >= 0;
}

static bool copy_descriptor(void)
{
	return fcntl(NETLINK_FD, F_DUPFD, 0) >= 0 || dup(NETLINK_FD) >= 0;
}

static const struct {
	const char *name;
	bool (*what)(void);
	bool maps; /* changes mappings; a sanitizer may do so, and does */
} attempts[] = {
	{ "a message of its own", own_message, false },
	{ "... among many", own_message_many, false },
	{ "... by sendto", by_sendto, false },
	{ "... by write", by_write, false },
	{ "... by writev", by_writev, false },
	{ "... in short pieces", by_short_writev, false },
	{ "... by pwrite", by_pwrite, false },
	{ "... by pwritev2", by_pwritev2, false },
	{ "... by sendfile", by_sendfile, false },
	{ "... by splice", by_splice, false },
	{ "a head between heads", head_between_heads, false },
	{ "a head among parts", head_among_parts, false },
	{ "a form with flags", with_flags, false },
	{ "store into a form", store_into_a_form, false },
	{ "receive into a form", receive_into_a_form, false },
	{ "make forms writable", make_forms_writable, true },
	{ "put memory over forms", put_memory_over_forms, true },
	{ "a head where there is room", head_in_a_free_place, false },
	{ "take forms away", take_forms_away, true },
	{ "take everything away", take_all_away, true },
	{ "move memory over forms", move_memory_over_forms, true },
	{ "move forms away", move_forms_away, true },
	{ "shrink what lies above around to the forms", shrink_around, true },
	{ "reach around to the forms", reach_around, false },
	{ "put memory between forms", put_memory_between_forms, false },
	{ "forget forms", forget_forms, true },
	{ "free a low descriptor", free_a_low_descriptor, false },
	{ "... by a wide number", free_one_by_a_wide_number, false },
	{ "a message on a wide number", by_a_wide_descriptor, false },
#if defined(__x86_64__)
	{ "... by calls of 32 bits", by_int80, false },
	{ "... by calls of x32", by_x32, false },
#endif
	{ "put a netlink socket low", put_netlink_low, false },
	{ "copy a descriptor", copy_descriptor, false },
};

static pid_t begin(enum lane_kind kind, bool (*what)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		int pair[2], s;

		/* a signal because of an attack on a form ends the child, and is no failed test */
		signal(SIGSEGV, SIG_DFL);
		/* This process has forms already; a worker makes its own once. */
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
		munmap((void *)(uintptr_t)FORM_PLACE, FORM_ROOM * 4);
		if (unshare(CLONE_NEWNET) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
		    send(pair[0], "12345678", 8, 0) != 8)
			_exit(NOT_ENTERED);
		s = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_NETFILTER);
		dup2(s, NETLINK_FD);
		fcntl(pair[0], F_DUPFD, 40);
		s = fcntl(pair[1], F_DUPFD, 40);
		fcntl(s, F_SETFL, O_NONBLOCK);
		dup2(s, ROLE_FD_CONTROL);
		dup2(s, ROLE_FD_EVENTS);
		if ((kind == LANE_COMMANDS ? forms_make(&e) : forms_none(&e)) < 0 ||
		    sandbox_enter_pair(ROLE_DPI, kind, &e) < 0) {
			dprintf(2, "%s\n", e.text);
			_exit(NOT_ENTERED);
		}
		_exit(what() ? 0 : DENIED);
	}
	return pid;
}

static int run(enum lane_kind kind, bool (*what)(void))
{
	int status;
	pid_t pid = begin(kind, what);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void nothing_else_is_said(void **state)
{
	int failures = 0;

	(void)state;
	if (SANITIZED)
		print_message("NOTE attempts to change the forms' mapping are left out: this build has a sanitizer, "
			      "which changes mappings itself, "
			      "so its sandbox lets it; the release build tries them\n");
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		for (int kind = 0; kind < (int)LANE_KINDS && !(SANITIZED && attempts[i].maps); kind++) {
			int got = run((enum lane_kind)kind, attempts[i].what);

			if (got == DENIED || got == -SIGSYS || got == -SIGSEGV)
				continue;
			print_error("%s: %d\n", attempts[i].name, got);
			failures++;
		}
	assert_int_equal(failures, 0);
}

/* The kernel has no such queue here, and its answer shows that it read a verdict. */
static bool verdict_arrives(void)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer = { 0 };
	uint16_t queue = lane_queue(lane_number((struct lane){ .kind = LANE_COMMANDS }), 3);
	struct iovec iov = { &answer, sizeof(answer) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return form_accept(NETLINK_FD, queue, &(struct form_entry){ 1, 1, OUTCOME_ACCEPT }, 1) == 0 &&
	       recvmsg(NETLINK_FD, &m, MSG_DONTWAIT) >= (ssize_t)sizeof(answer) && answer.h.nlmsg_type == NLMSG_ERROR &&
	       answer.e.error == -ENODEV && answer.e.msg.nlmsg_type == ((NFNL_SUBSYS_QUEUE << 8) | 1);
}

/* Less than a header is no message: nothing happens, and there is no answer. */
static bool too_short_is_nothing(void)
{
	char answer[64];
	struct iovec iov = { answer, sizeof(answer) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return write(NETLINK_FD, new_table, 15) == 15 && recvmsg(NETLINK_FD, &m, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void verdicts_are_said(void **state)
{
	(void)state;
	assert_int_equal(run(LANE_COMMANDS, verdict_arrives), 0);
	assert_int_equal(run(LANE_COMMANDS, too_short_is_nothing), 0);
}

static bool stop_here(void)
{
	return raise(SIGSTOP) == 0;
}

/* A worker's capabilities, as the kernel states them. */
static uint64_t effective(enum lane_kind kind)
{
	pid_t pid = begin(kind, stop_here);
	unsigned long long ret = UINT64_MAX;
	char path[64], line[256];
	int status;
	FILE *f;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "CapEff:", 7) == 0)
			ret = strtoull(line + 7, NULL, 16);
	fclose(f);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return ret;
}

/* A worker with nDPI has no capability, and so can send no verdict, whatever it tries. */
static void naming_has_none(void **state)
{
	(void)state;
	assert_int_equal(effective(LANE_NAMING), 0);
	assert_int_equal(effective(LANE_COMMANDS), (uint64_t)1 << CAP_NET_ADMIN);
}

/* Root with the same message: this shows that the attempts above would make a table if they got
 * through. */
static void the_message_works(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		char answer[64];
		int s;

		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		s = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_NETFILTER);
		/* No answer was asked for: only a refusal would be answered. */
		_exit(all_sent(send(s, new_table, sizeof(new_table), 0)) && recv(s, answer, sizeof(answer), 0) < 0 ? 0
														   : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest texts[] = {
		cmocka_unit_test(same_as_the_gate),
		cmocka_unit_test(upto_with_a_mark),
		cmocka_unit_test(no_form_for_other_lanes),
		cmocka_unit_test(nothing_beyond_the_blanks),
	};
	const struct CMUnitTest entered[] = {
		cmocka_unit_test(the_message_works),
		cmocka_unit_test(nothing_else_is_said),
		cmocka_unit_test(verdicts_are_said),
		cmocka_unit_test(naming_has_none),
	};
	struct err e = { 0 };
	int failed;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0 || forms_make(&e) < 0) {
		print_error("%s\n", e.text);
		return 1;
	}
	failed = cmocka_run_group_tests(texts, NULL, NULL);
	if (geteuid() == 0)
		return failed + cmocka_run_group_tests(entered, NULL, NULL);
	print_message(
		"NOTE the cases inside the sandbox need root to enter it; tests/netns/sandbox/run runs them as root\n");
	return failed;
}
