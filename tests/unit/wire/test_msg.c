/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message table: what is sent comes out the same, and everything that the table does not describe is refused with
 * its descriptors closed.
 *
 * LINK: appliance/wire/msg.c appliance/base/bytes.c appliance/base/err.c appliance/base/memfd.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/msg.h"

struct pair {
	int a, b;
};

static int setup(void **state)
{
	static struct pair p;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return -1;
	p.a = sv[0];
	p.b = sv[1];
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	close(p->a);
	close(p->b);
	return 0;
}

/* How many descriptors this process has open. */
static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void sent_is_received(void **state)
{
	struct pair *p = *state;
	uint8_t body[6];
	struct outbuf o = outbuf_of(body, sizeof(body));
	struct msg m;
	uint32_t lane;
	uint16_t queue;
	int fd = memfd_sealed("t", "x", 1);

	out_be32(&o, 17);
	out_be16(&o, 1136);
	assert_int_equal(msg_send(p->a, MSG_LANE, 77, &o, &fd, 1), 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, &m), 1);
	assert_int_equal(m.type, MSG_LANE);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.n_fds, 1);
	assert_true(bytes_be32(&m.body, &lane) && bytes_be16(&m.body, &queue) && bytes_done(&m.body));
	assert_int_equal(lane, 17);
	assert_int_equal(queue, 1136);
	assert_true(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
	msg_close_fds(&m);
	assert_int_equal(m.n_fds, 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, &m), -EAGAIN);
	close(fd);
}

/* Eight bytes there and back, and whoever reads his messages need not know of it. */
static void ping_is_eight_bytes(void **state)
{
	struct pair *p = *state;
	uint8_t seen[64], one = 1;
	struct outbuf o = { .p = &one, .len = 1, .size = 1 };
	struct msg m;

	assert_int_equal(msg_send(p->a, MSG_PING, 7, NULL, NULL, 0), 0);
	assert_int_equal(recv(p->b, seen, sizeof(seen), MSG_PEEK), 8);
	assert_int_equal(msg_send(p->a, MSG_PING, 8, NULL, NULL, 0), 0);
	assert_int_equal(msg_send(p->a, MSG_QUERY, 9, &o, NULL, 0), 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, &m), 1);
	assert_int_equal(m.type, MSG_QUERY);
	assert_int_equal(m.id, 9);
	for (uint32_t id = 7; id <= 8; id++) {
		assert_int_equal(recv(p->a, seen, sizeof(seen), MSG_PEEK), 8);
		assert_int_equal(msg_recv(p->a, ROLE_DPI, &m), 1);
		assert_int_equal(m.type, MSG_PONG);
		assert_int_equal(m.id, id);
	}
	assert_int_equal(msg_recv(p->a, ROLE_DPI, &m), -EAGAIN);
	/* A role asks nobody; and one with a length is none. */
	assert_int_equal(msg_send(p->b, MSG_PING, 1, NULL, NULL, 0), 0);
	assert_int_equal(msg_recv(p->a, ROLE_DPI, &m), -EBADMSG);
	seen[1] = MSG_PING;
	memset(seen + 2, 0, 10);
	seen[3] = MSG_VERSION;
	assert_int_equal(send(p->a, seen, 12, 0), 12);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, &m), -EBADMSG);
}

/* A role that sleeps in msg_recv behind a ping hears of nothing else: rules that were deleted, for seconds. */
static void ping_holds_nobody(void **state)
{
	int sock[2];
	struct msg m;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(msg_send(sock[0], MSG_PING, 7, NULL, NULL, 0), 0);
	alarm(10);
	assert_int_equal(msg_recv(sock[1], ROLE_SUPERVISOR, &m), -EAGAIN);
	alarm(0);
	assert_int_equal(msg_recv(sock[0], ROLE_DPI, &m), 1);
	assert_int_equal(m.type, MSG_PONG);
	close(sock[0]);
	close(sock[1]);
}

static void closed_peer_is_zero(void **state)
{
	struct pair *p = *state;
	struct msg m;

	shutdown(p->a, SHUT_RDWR);
	assert_int_equal(msg_recv(p->b, ROLE_DPI, &m), 0);
}

static void sender_finds_own_mistakes(void **state)
{
	struct pair *p = *state;
	uint8_t body[4];
	struct outbuf o = outbuf_of(body, sizeof(body));

	assert_int_equal(msg_send(p->a, MSG_DPI_START, 1, &o, NULL, 0), -EINVAL);
	assert_int_equal(msg_send(p->a, MSG_NONE, 1, NULL, NULL, 0), -EINVAL);
	assert_int_equal(msg_send(p->a, MSG_TYPE_COUNT, 1, NULL, NULL, 0), -EINVAL);
	out_be64(&o, 1); /* overflows */
	assert_int_equal(msg_send(p->a, MSG_TABLE_DROP, 1, &o, NULL, 0), -EINVAL);
}

static void wrong_sender_is_refused(void **state)
{
	struct pair *p = *state;
	uint8_t body[32] = { 0 };
	struct outbuf o = outbuf_of(body, sizeof(body));
	struct msg m;

	out_bytes(&o, body, sizeof(body));
	assert_int_equal(msg_send(p->a, MSG_TABLE_ACK, 1, &o, NULL, 0), 0);
	assert_int_equal(msg_recv(p->b, ROLE_GATE, &m), -EBADMSG);
	assert_int_equal(msg_send(p->a, MSG_TABLE_ACK, 1, &o, NULL, 0), 0);
	assert_int_equal(msg_recv(p->b, ROLE_DPI, &m), 1);
	/* The web side may read, never change. */
	o.len = 9;
	assert_int_equal(msg_send(p->a, MSG_CTL_ROLLBACK, 1, &o, NULL, 0), 0);
	assert_int_equal(msg_recv(p->b, ROLE_MGMT, &m), -EBADMSG);
	assert_int_equal(msg_send(p->a, MSG_CTL_STATUS, 1, NULL, NULL, 0), 0);
	assert_int_equal(msg_recv(p->b, ROLE_MGMT, &m), 1);
}

/* Sends raw bytes with descriptors, as a hostile peer would. */
static void send_raw(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
	union {
		char buf[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} c = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		struct cmsghdr *h;

		mh.msg_control = c.buf;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		h = CMSG_FIRSTHDR(&mh);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n_fds * sizeof(int));
	}
	assert_true(sendmsg(sock, &mh, MSG_NOSIGNAL) >= 0);
}

static void malformed_is_refused_and_descriptors_closed(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t n;
		size_t n_fds;
	} cases[] = {
		{ "empty, with descriptors", { 0 }, 0, 1 },
		{ "short header", { 0, MSG_READY, 0, 1 }, 4, 1 },
		{ "other version", { 0, MSG_READY, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "unknown type", { 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "type none", { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "length beyond", { 0, MSG_READY, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9 }, 12, 0 },
		{ "length short", { 0, MSG_READY, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 13, 0 },
		{ "body too long", { 0, MSG_READY, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1 }, 13, 0 },
		{ "body too short", { 0, MSG_ANSWER, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "unexpected descriptor", { 0, MSG_READY, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 1 },
		{ "too many descriptors", { 0, MSG_ANSWER, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, 13, 8 },
	};
	struct pair *p = *state;
	int fds[8];

	for (size_t i = 0; i < 8; i++)
		fds[i] = memfd_sealed("t", "x", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned before = count_fds();
		struct msg m;
		int r;

		send_raw(p->a, cases[i].bytes, cases[i].n, fds, cases[i].n_fds);
		r = msg_recv(p->b, ROLE_DPI, &m);
		if (r != -EBADMSG)
			fail_msg("%s: %d instead of EBADMSG", cases[i].name, r);
		assert_int_equal(m.n_fds, 0);
		if (count_fds() != before)
			fail_msg("%s: descriptors left open", cases[i].name);
	}
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
}

static void too_long_is_refused(void **state)
{
	struct pair *p = *state;
	uint8_t *big = calloc(1, MSG_BODY + 64);
	struct msg m;

	assert_non_null(big);
	big[1] = MSG_GENERATION;
	big[3] = MSG_VERSION;
	send_raw(p->a, big, MSG_BODY + 64, NULL, 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, &m), -EBADMSG);
	free(big);
}

static void memfd_goes_round(void **state)
{
	static const char text[] = "zones = { };";
	struct err e = { 0 };
	uint8_t *p;
	size_t n;
	int fd;

	(void)state;
	fd = memfd_sealed("t", text, sizeof(text));
	assert_true(fd >= 0);
	assert_int_equal(memfd_read(fd, sizeof(text), &p, &n, &e), 0);
	assert_int_equal(n, sizeof(text));
	assert_memory_equal(p, text, n);
	free(p);
	assert_int_equal(memfd_read(fd, sizeof(text) - 1, &p, &n, &e), -EFBIG);
	assert_null(p);
	assert_true(pwrite(fd, "X", 1, 0) < 0);
	close(fd);
	fd = memfd_sealed("empty", NULL, 0);
	assert_int_equal(memfd_read(fd, 10, &p, &n, &e), 0);
	assert_int_equal(n, 0);
	free(p);
	close(fd);
}

static void unsealed_is_refused(void **state)
{
	struct err e = { 0 };
	uint8_t *p;
	size_t n;
	int fds[2], fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, 16), 0);
	assert_int_equal(memfd_read(fd, 100, &p, &n, &e), -EPERM);
	close(fd);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(memfd_read(fds[0], 100, &p, &n, &e), -EPERM);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sent_is_received, setup, teardown),
		cmocka_unit_test_setup_teardown(ping_is_eight_bytes, setup, teardown),
		cmocka_unit_test(ping_holds_nobody),
		cmocka_unit_test_setup_teardown(closed_peer_is_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(sender_finds_own_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_sender_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed_is_refused_and_descriptors_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long_is_refused, setup, teardown),
		cmocka_unit_test(memfd_goes_round),
		cmocka_unit_test(unsealed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
