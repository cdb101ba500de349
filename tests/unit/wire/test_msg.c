/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: what is sent is received unchanged, and everything that message.def does not describe
 * is refused with its descriptors closed. The test reads the rows of message.def itself and makes
 * its own bytes: each message of each type too short, too long, out of its bounds, from and to
 * every role, with more and fewer descriptors.
 *
 * LINK: appliance/wire/msg.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/messages.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

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

/* The number of open descriptors of this process. */
static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void sent_is_received(void **state)
{
	const struct msg_body lane = { MSG_LANE, .lane = { .lane = 17, .slots = 0x55 } };
	struct pair *p = *state;
	struct msg m;
	int fd = memfd_sealed("t", "x", 1);

	assert_int_equal(msg_send(p->a, 77, &lane, &fd, 1), 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, ROLE_GATE, &m), 1);
	assert_int_equal(m.body.type, MSG_LANE);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.n_fds, 1);
	assert_int_equal(m.body.lane.lane, 17);
	assert_int_equal(m.body.lane.slots, 0x55);
	assert_true(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
	msg_close_fds(&m);
	assert_int_equal(m.n_fds, 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, ROLE_GATE, &m), -EAGAIN);
	close(fd);
}

static int say(int sock, enum msg_type type, uint32_t id)
{
	return msg_send(sock, id, &(struct msg_body){ .type = type }, NULL, 0);
}

/* A ping has eight bytes in each direction. A reader of messages does not have to handle pings. */
static void ping_is_eight_bytes(void **state)
{
	struct pair *p = *state;
	uint8_t seen[64];
	struct msg m;

	assert_int_equal(say(p->a, MSG_PING, 7), 0);
	assert_int_equal(recv(p->b, seen, sizeof(seen), MSG_PEEK), 8);
	assert_int_equal(say(p->a, MSG_PING, 8), 0);
	assert_int_equal(say(p->a, MSG_STATUS, 9), 0);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, ROLE_DPI, &m), 1);
	assert_int_equal(m.body.type, MSG_STATUS);
	assert_int_equal(m.id, 9);
	for (uint32_t id = 7; id <= 8; id++) {
		assert_int_equal(recv(p->a, seen, sizeof(seen), MSG_PEEK), 8);
		assert_int_equal(msg_recv(p->a, ROLE_DPI, ROLE_SUPERVISOR, &m), 1);
		assert_int_equal(m.body.type, MSG_PONG);
		assert_int_equal(m.id, id);
	}
	assert_int_equal(msg_recv(p->a, ROLE_DPI, ROLE_SUPERVISOR, &m), -EAGAIN);
	/* A role does not ask; and a ping with a length is invalid. */
	assert_int_equal(say(p->b, MSG_PING, 1), 0);
	assert_int_equal(msg_recv(p->a, ROLE_DPI, ROLE_SUPERVISOR, &m), -EBADMSG);
	seen[1] = MSG_PING;
	memset(seen + 2, 0, 10);
	seen[3] = MSG_VERSION;
	assert_int_equal(send(p->a, seen, 12, 0), 12);
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, ROLE_DPI, &m), -EBADMSG);
}

/* A role that is in msg_recv gets a ping: msg_recv must not wait, because for seconds the role
 * would not notice anything else, for example deleted rules. */
static void ping_holds_nobody(void **state)
{
	int sock[2];
	struct msg m;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(say(sock[0], MSG_PING, 7), 0);
	alarm(10);
	assert_int_equal(msg_recv(sock[1], ROLE_SUPERVISOR, ROLE_DPI, &m), -EAGAIN);
	alarm(0);
	assert_int_equal(msg_recv(sock[0], ROLE_DPI, ROLE_SUPERVISOR, &m), 1);
	assert_int_equal(m.body.type, MSG_PONG);
	close(sock[0]);
	close(sock[1]);
}

static void closed_peer_is_zero(void **state)
{
	struct pair *p = *state;
	struct msg m;

	shutdown(p->a, SHUT_RDWR);
	assert_int_equal(msg_recv(p->b, ROLE_DPI, ROLE_SUPERVISOR, &m), 0);
}

/* Sends raw bytes with descriptors, as a hostile peer might. */
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

/* ---- every row of message.def ---------------------------------------------------------------- */

struct field {
	enum { NUMBER, BYTES, TWO_ENDS, LIST, WORDS, PLAIN, PLAIN_IN, CONDITIONS } kind;
	size_t size;	  /* size of a number or of bytes; the longest list or text */
	uint64_t largest; /* of a number */
};

struct row {
	const char *name;
	unsigned from, to;
	size_t fds_min, fds_max;
	struct field fields[96];
};

/* clang-format off */
/* The fields need no names here: only their order in the message matters. */
#define MESSAGE(NUMBER_, name, from, to, fds_min, fds_max, fields)                                                     \
	[MSG_##NUMBER_] = { #NUMBER_, from, to, fds_min, fds_max, { fields { NUMBER, 0, 0 } } },
#define U8(name, largest) { NUMBER, 1, largest },
#define U16(name, largest) { NUMBER, 2, largest },
#define U32(name, largest) { NUMBER, 4, largest },
#define U64(name) { NUMBER, 8, UINT64_MAX },
#define RAW(name, size) { BYTES, size, 0 },
#define COUNTS(name, n) { BYTES, 8 * (n), 0 },
#define ENDS(name) { TWO_ENDS, ENDS_BYTES, 0 },
#define GENERATION(name) { NUMBER, 4, UINT32_MAX }, { NUMBER, 8, UINT64_MAX },
#define FILTER(name) { CONDITIONS, 0, 0 },
#define NUMBERS(name, most) { LIST, most, 0 },
#define TEXT(name, most) { WORDS, most, 0 },
#define LINE(name, most) { PLAIN, most, 0 },
#define TYPED(name, size) { PLAIN_IN, size, 0 },
#define NOTHING
static const struct row rows[MSG_TYPE_COUNT] = {
#include "appliance/wire/message.def"
};

/* How a record is read and written again, and its fields. */
#define RECORD(NAME, name, fields)                                                                                     \
	static bool again_##name(struct bytes *b, struct outbuf *o)                                                    \
	{                                                                                                              \
		struct msg_##name x;                                                                                   \
                                                                                                                       \
		if (!msg_take_##name(b, &x))                                                                           \
			return false;                                                                                  \
		msg_put_##name(o, &x);                                                                                 \
		return !o->failed;                                                                                     \
	}
#include "appliance/wire/message.def"

struct record {
	struct row row;
	size_t size;
	bool (*again)(struct bytes *b, struct outbuf *o);
};

#define RECORD(NAME, name, fields) { { #NAME, 0, 0, 0, 0, { fields { NUMBER, 0, 0 } } }, NAME##_BYTES, again_##name },
#define U8(name, largest) { NUMBER, 1, largest },
#define U16(name, largest) { NUMBER, 2, largest },
#define U32(name, largest) { NUMBER, 4, largest },
#define U64(name) { NUMBER, 8, UINT64_MAX },
#define RAW(name, size) { BYTES, size, 0 },
#define ENDS(name) { TWO_ENDS, ENDS_BYTES, 0 },
static const struct record records[] = {
#include "appliance/wire/message.def"
};
/* clang-format on */

static uint64_t state64;

static uint64_t next_random(void)
{
	state64 ^= state64 << 13;
	state64 ^= state64 >> 7;
	state64 ^= state64 << 17;
	return state64;
}

static void put_number(struct outbuf *o, size_t size, uint64_t v)
{
	for (size_t i = size; i-- > 0;)
		out_u8(o, (uint8_t)(v >> (8 * i)));
}

/* A text of this length; `steers`: with a control character, which no line may have. */
static void put_plain(struct outbuf *o, bool steers, size_t n)
{
	static const char *const signs[] = { "\n", "\r", "\x1b", "\x7f", "\xe2\x80\xae", "\xe2\x80\x8b", "\xff" };
	const char *sign = steers ? signs[next_random() % (sizeof(signs) / sizeof(signs[0]))] : "";

	out_bytes(o, sign, strlen(sign));
	for (size_t i = strlen(sign); i < n; i++)
		out_u8(o, (uint8_t)('a' + next_random() % 26));
}

enum how { LEAST, MOST, ANY };

/* Writes a body as the row describes it, without msg.c. `wrong`: this number is one too large, or
 * this line has a control character. */
static void make_body(const struct row *r, enum how how, const struct field *wrong, struct outbuf *o)
{
	static const struct event_filter some = { .text = { [FILTER_ZONE] = "crane", [FILTER_HOST] = "10.0.0.1" } };

	for (const struct field *f = r->fields; f->size > 0 || f->kind == CONDITIONS; f++) {
		size_t n = how == LEAST ? 0 : how == MOST ? f->size : next_random() % (f->size + 1);
		uint64_t v = f->largest == UINT64_MAX ? next_random() : next_random() % (f->largest + 1);

		switch (f->kind) {
		case NUMBER:
			put_number(o, f->size,
				   f == wrong	  ? f->largest + 1
				   : how == LEAST ? 0
				   : how == MOST  ? f->largest
						  : v);
			break;
		case BYTES:
			for (size_t i = 0; i < f->size; i++)
				out_u8(o, (uint8_t)next_random());
			break;
		case TWO_ENDS:
			out_u8(o, f == wrong ? 5 : how == LEAST ? 4 : 6);
			for (size_t i = 1; i < ENDS_BYTES; i++)
				out_u8(o, (uint8_t)next_random());
			break;
		case LIST:
			for (size_t i = 0; i < n; i++)
				put_number(o, 4, next_random());
			break;
		case WORDS:
			for (size_t i = 0; i < n; i++)
				out_u8(o, (uint8_t)(1 + next_random() % 255));
			break;
		case PLAIN:
			put_plain(o, f == wrong, f == wrong ? f->size : n);
			break;
		case PLAIN_IN:
			put_plain(o, f == wrong, f->size);
			break;
		case CONDITIONS:
			if (how != LEAST)
				event_filter_encode(&some, o);
			break;
		}
	}
	assert_false(o->failed);
}

static int one_fd;

/* Sends a frame with this body and this number of descriptors; returns what the receiver says. */
static int offer(struct pair *p, unsigned type, const struct outbuf *body, size_t n_fds, enum role from, enum role to,
		 struct msg *ret)
{
	static uint8_t frame[12 + MSG_BODY + 8];
	struct outbuf o = outbuf_of(frame, sizeof(frame));
	int fds[MSG_FDS + 1];

	for (size_t i = 0; i <= MSG_FDS; i++)
		fds[i] = one_fd;
	out_be16(&o, (uint16_t)type);
	out_be16(&o, MSG_VERSION);
	out_be32(&o, 7);
	if (type != MSG_PING && type != MSG_PONG) {
		out_be32(&o, (uint32_t)body->len);
		out_bytes(&o, body->p, body->len);
	}
	send_raw(p->a, frame, o.len, fds, n_fds);
	return msg_recv(p->b, from, to, ret);
}

static enum role any_of(unsigned roles)
{
	unsigned r = 0;

	while ((roles >> r & 1u) == 0)
		r++;
	return (enum role)r;
}

#define EACH_TYPE(t) (unsigned t = MSG_NONE + 1; t < MSG_TYPE_COUNT; t++)

static uint8_t space[MSG_BODY + 8];

/* A body is received, sent again, and received again: the bytes are the same. */
static void bodies_go_round(void **state)
{
	struct pair *p = *state;

	for
		EACH_TYPE(t)
	for (int turn = 0; turn < 20; turn++) {
		const struct row *r = &rows[t];
		struct outbuf o = outbuf_of(space, sizeof(space));
		uint8_t again[12 + MSG_BODY];
		struct msg m;
		ssize_t n;

		if (t == MSG_PING) /* answered, not handed on */
			continue;
		make_body(r, turn == 0 ? LEAST : turn == 1 ? MOST : ANY, NULL, &o);
		if (offer(p, t, &o, r->fds_max, any_of(r->from), any_of(r->to), &m) != 1)
			fail_msg("%s is refused", r->name);
		assert_int_equal(m.body.type, t);
		assert_int_equal(m.n_fds, r->fds_max);
		if (msg_send(p->a, 7, &m.body, m.fds, m.n_fds) != 0)
			fail_msg("%s as received cannot be sent", r->name);
		msg_close_fds(&m);
		n = recv(p->b, again, sizeof(again), 0);
		if (t != MSG_PONG && ((size_t)n != 12 + o.len || memcmp(again + 12, space, o.len) != 0))
			fail_msg("%s comes out otherwise", r->name);
	}
}

static void refuse(struct pair *p, unsigned type, const struct outbuf *o, size_t n_fds, enum role from, enum role to,
		   const char *why)
{
	unsigned before = count_fds();
	struct msg m;
	int got = offer(p, type, o, n_fds, from, to, &m);

	if (got != -EBADMSG)
		fail_msg("%s, %s: %d instead of EBADMSG", rows[type].name, why, got);
	if (m.n_fds != 0 || count_fds() != before)
		fail_msg("%s, %s: descriptors left open", rows[type].name, why);
}

static void others_may_not_say_it(void **state)
{
	struct pair *p = *state;

	for
		EACH_TYPE(t)
		{
			const struct row *r = &rows[t];
			struct outbuf o = outbuf_of(space, sizeof(space));

			make_body(r, LEAST, NULL, &o);
			for (unsigned from = 0; from < ROLE_COUNT; from++)
				for (unsigned to = 0; to < ROLE_COUNT; to++)
					if ((r->from >> from & 1u) == 0 || (r->to >> to & 1u) == 0)
						refuse(p, t, &o, r->fds_min, (enum role)from, (enum role)to,
						       "by or to another");
		}
}

static void wrong_sizes_are_refused(void **state)
{
	struct pair *p = *state;

	for
		EACH_TYPE(t)
		{
			const struct row *r = &rows[t];
			enum role from = any_of(r->from), to = any_of(r->to);
			struct outbuf o = outbuf_of(space, sizeof(space));
			const struct field *last = r->fields;

			/* the length is in the header; see above */
			if (t == MSG_PING || t == MSG_PONG)
				continue;
			make_body(r, LEAST, NULL, &o);
			if (o.len > 0) {
				o.len--;
				refuse(p, t, &o, r->fds_min, from, to, "too short");
			}
			o = outbuf_of(space, sizeof(space));
			make_body(r, MOST, NULL, &o);
			out_u8(&o, 'x');
			refuse(p, t, &o, r->fds_min, from, to, "too long");
			while (last->size > 0 && last[1].size > 0)
				last++;
			o = outbuf_of(space, sizeof(space));
			make_body(r, LEAST, NULL, &o);
			out_u8(&o, 0);
			if (last->kind == WORDS || last->kind == PLAIN)
				refuse(p, t, &o, r->fds_min, from, to, "a NUL in the text");
			if (last->kind == LIST)
				refuse(p, t, &o, r->fds_min, from, to, "a quarter of a number");
		}
}

/* Lines with control characters are neither written nor read: comments, reasons, notes and names
 * cannot control a terminal or a browser. */
static void lines_that_steer_are_refused(void **state)
{
	struct pair *p = *state;
	const struct msg_body said = { MSG_CTL_CHANGE, .ctl_change = { .comment = "routine\n(root)" } };
	unsigned lines = 0;

	for
		EACH_TYPE(t)
	for (const struct field *f = rows[t].fields; f->size > 0; f++)
		for (unsigned i = 0; i < 32 && (f->kind == PLAIN || f->kind == PLAIN_IN); i++) {
			const struct row *r = &rows[t];
			struct outbuf o = outbuf_of(space, sizeof(space));

			make_body(r, LEAST, f, &o);
			refuse(p, t, &o, r->fds_min, any_of(r->from), any_of(r->to), "a line that steers");
			lines++;
		}
	assert_true(lines >= 10 * 32);
	assert_true(msg_send(p->a, 1, &said, NULL, 0) < 0);
}

static void numbers_out_of_bounds_are_refused(void **state)
{
	struct pair *p = *state;
	unsigned bounded = 0;

	for
		EACH_TYPE(t)
	for (const struct field *f = rows[t].fields; f->size > 0; f++) {
		const struct row *r = &rows[t];
		struct outbuf o = outbuf_of(space, sizeof(space));

		if (f->kind != NUMBER || f->size == 8 || f->largest >= (1ull << (8 * f->size)) - 1)
			continue;
		make_body(r, LEAST, f, &o);
		refuse(p, t, &o, r->fds_min, any_of(r->from), any_of(r->to), "a number too large");
		bounded++;
	}
	assert_true(bounded >= 10);
}

/* Records in sealed memory are read as carefully as messages: one after the other, each within its
 * limits, none cut short. */
static void records_go_round(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(records) / sizeof(records[0]); k++)
		for (int turn = 0; turn < 20; turn++) {
			const struct record *r = &records[k];
			enum how how = turn == 0 ? LEAST : turn == 1 ? MOST : ANY;
			struct outbuf o = outbuf_of(space, sizeof(space)), twice;
			uint8_t again[4096];
			struct bytes b;

			make_body(&r->row, how, NULL, &o);
			assert_int_equal(o.len, r->size);
			twice = outbuf_of(again, sizeof(again));
			b = bytes_of(space, o.len);
			if (!r->again(&b, &twice) || !bytes_done(&b) || memcmp(again, space, o.len) != 0)
				fail_msg("%s comes out otherwise", r->row.name);
			b = bytes_of(space, o.len - 1);
			if (r->again(&b, &twice))
				fail_msg("%s is taken though it is cut short", r->row.name);
			for (const struct field *f = r->row.fields; f->size > 0; f++) {
				if (f->kind == BYTES || /* any are within bounds */
				    (f->kind == NUMBER && (f->size == 8 || f->largest >= (1ull << (8 * f->size)) - 1)))
					continue;
				o = outbuf_of(space, sizeof(space));
				make_body(&r->row, how, f, &o);
				b = bytes_of(space, o.len);
				if (r->again(&b, &twice))
					fail_msg("%s is taken out of its bounds", r->row.name);
			}
		}
}

static void other_numbers_of_descriptors_are_refused(void **state)
{
	struct pair *p = *state;

	for
		EACH_TYPE(t)
	for (size_t n = 0; n <= MSG_FDS + 1; n++) {
		const struct row *r = &rows[t];
		struct outbuf o = outbuf_of(space, sizeof(space));

		make_body(r, LEAST, NULL, &o);
		if (n < r->fds_min || n > r->fds_max)
			refuse(p, t, &o, n, any_of(r->from), any_of(r->to), "another number of descriptors");
	}
}

static void sender_finds_own_mistakes(void **state)
{
	static char long_text[COMMENT_MOST + 2];
	const struct msg_body order = { MSG_CTL_CHANGE, .ctl_change = { .comment = long_text } },
			      lane = { MSG_LANE, .lane = { .lane = LANE_COUNT } },
			      list = { MSG_GENERATION, .generation = { .interfaces.n = MSG_NUMBERS + 1 } };
	struct pair *p = *state;

	memset(long_text, 'x', COMMENT_MOST + 1);
	assert_int_equal(msg_send(p->a, 1, &order, &one_fd, 1), -EINVAL);
	long_text[COMMENT_MOST] = 0;
	assert_int_equal(msg_send(p->a, 1, &order, &one_fd, 1), 0);
	assert_int_equal(msg_send(p->a, 1, &lane, NULL, 0), -EINVAL);
	assert_int_equal(msg_send(p->a, 1, &lane, &one_fd, 1), -EINVAL);
	assert_int_equal(msg_send(p->a, 1, &list, &one_fd, 1), -EINVAL);
	assert_int_equal(say(p->a, MSG_NONE, 1), -EINVAL);
	assert_int_equal(say(p->a, MSG_TYPE_COUNT, 1), -EINVAL);
}

/* The web side may read, but never change anything by itself. This is stated here again, because
 * nothing else ensures it. */
static void web_side_orders_nothing_by_itself(void **state)
{
	static const enum msg_type orders[] = { MSG_CTL_CHANGE, MSG_CTL_CLOCK, MSG_CTL_RELEASE, MSG_CTL_USER,
						MSG_APPLY,	MSG_LANE,      MSG_TABLE,	MSG_HUNG,
						MSG_DRIFT,	MSG_TABLE_ACK };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		assert_int_equal(rows[orders[i]].from >> ROLE_MGMT & 1u, 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void malformed_is_refused_and_descriptors_closed(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t n;
		size_t n_fds;
	} cases[] = {
		{ "empty, with descriptors", { 0 }, 0, 1 },
		{ "short header", { 0, MSG_READY, 0, MSG_VERSION }, 4, 1 },
		{ "no version", { 0, MSG_READY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "other version, length short", { 0, MSG_READY, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 13, 0 },
		{ "unknown type", { 0xff, 0xff, 0, MSG_VERSION, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "type none", { 0, 0, 0, MSG_VERSION, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0 },
		{ "length beyond", { 0, MSG_READY, 0, MSG_VERSION, 0, 0, 0, 0, 0, 0, 0, 9 }, 12, 0 },
		{ "length short", { 0, MSG_READY, 0, MSG_VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 13, 0 },
		{ "too many descriptors", { 0, MSG_ANSWER, 0, MSG_VERSION, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, 13, 8 },
	};
	struct pair *p = *state;
	int fds[8];

	for (size_t i = 0; i < 8; i++)
		fds[i] = one_fd;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned before = count_fds();
		struct msg m;
		int r;

		send_raw(p->a, cases[i].bytes, cases[i].n, fds, cases[i].n_fds);
		r = msg_recv(p->b, ROLE_DPI, ROLE_SUPERVISOR, &m);
		if (r != -EBADMSG)
			fail_msg("%s: %d instead of EBADMSG", cases[i].name, r);
		assert_int_equal(m.n_fds, 0);
		if (count_fds() != before)
			fail_msg("%s: descriptors left open", cases[i].name);
	}
}

/* A message of another version is refused with its version, whatever the message is; its
 * descriptors are closed. */
static void other_versions_are_told(void **state)
{
	static const uint8_t versions[] = { 1, 2, MSG_VERSION - 1, MSG_VERSION + 1, 99 };
	struct pair *p = *state;

	for (size_t i = 0; i < sizeof(versions); i++)
		for (unsigned type = 0; type < MSG_TYPE_COUNT + 5u; type++) {
			uint8_t head[12] = { 0, (uint8_t)type, 0, versions[i], 0, 0, 0, 7 };
			unsigned before = count_fds();
			struct msg m;

			if (type == MSG_PING || type == MSG_PONG)
				continue;
			send_raw(p->a, head, sizeof(head), &one_fd, 1);
			assert_int_equal(msg_recv(p->b, ROLE_CLI, ROLE_SUPERVISOR, &m), -EPROTO);
			assert_int_equal(m.version, versions[i]);
			assert_int_equal(m.id, 7);
			assert_int_equal(m.body.type, MSG_NONE);
			assert_int_equal(count_fds(), before);
		}
}

/* To a peer of another version only messages are sent that are the same in all versions. */
static void few_are_said_to_other_versions(void **state)
{
	struct pair *p = *state;
	struct msg m;

	for
		EACH_TYPE(t)
		{
			struct msg_body body = { .type = (enum msg_type)t };
			int r = msg_send_as(p->a, MSG_VERSION + 1, 1, &body, NULL, 0);

			assert_int_equal(r, t <= MSG_STATUS ? 0 : -EINVAL);
			if (r == 0)
				assert_int_equal(msg_recv(p->b, ROLE_CLI, ROLE_SUPERVISOR, &m), -EPROTO);
		}
	assert_int_equal(MSG_READY, 1);
	assert_int_equal(MSG_ANSWER, 2);
	assert_int_equal(MSG_PING, 3);
	assert_int_equal(MSG_PONG, 4);
	assert_int_equal(MSG_STATUS, 5);
}

static void digest(uint64_t *d, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*d = (*d ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
}

/*
 * Programs of two releases meet at the control socket. A number that means something else in the
 * other release would do something that nobody ordered. So every row counts, with its text and its
 * place; for messages that the command line sends or gets, sizes and limits count as well.
 */
static void rows_changed_with_their_version(void **state)
{
	static const struct {
		unsigned version;
		uint64_t rows;
	} kept = { 30, 0x04728b2fbde346c2 };
	static const char text[] =
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields)                                                      \
#NUMBER " " #from " > " #to " " #fds_min " " #fds_max " " #fields "\n"
#define RECORD(NAME, name, fields) #NAME " " #fields "\n"
#include "appliance/wire/message.def"
		;
	uint64_t now = 0xcbf29ce484222325u;

	(void)state;
	digest(&now, text, sizeof(text));
	for
		EACH_TYPE(t)
	if (((rows[t].from | rows[t].to) >> ROLE_CLI & 1u) != 0) {
		struct outbuf o = outbuf_of(space, sizeof(space));

		for (const struct field *f = rows[t].fields; f->size > 0 || f->kind == CONDITIONS; f++) {
			put_number(&o, 1, f->kind);
			put_number(&o, 4, f->size);
			put_number(&o, 8, f->largest);
		}
		event_filter_encode(&(struct event_filter){ .text = { [FILTER_ZONE] = "crane" } }, &o);
		assert_false(o.failed);
		digest(&now, o.p, o.len);
	}
	if (now != kept.rows || kept.version != MSG_VERSION)
		fail_msg("message.def is not what it was in version %u (%#llx, not %#llx): raise MSG_VERSION in msg.h, "
			 "now %d, if it is that of a "
			 "release, and keep both here",
			 kept.version, (unsigned long long)now, (unsigned long long)kept.rows, MSG_VERSION);
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
	assert_int_equal(msg_recv(p->b, ROLE_SUPERVISOR, ROLE_JOURNAL, &m), -EBADMSG);
	free(big);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static bool took(void *ctx, struct msg *m)
{
	*(int *)ctx = msg_take_fd(m, 0);
	return true;
}

static bool refused(void *ctx, struct msg *m)
{
	(void)ctx;
	(void)m;
	return false;
}

/* One table decides: a message that is not in it, or that its handler refuses, ends the connection,
 * and no descriptor stays open. */
static void table_is_asked(void **state)
{
	msg_handler *const handlers[MSG_TYPE_COUNT] = { [MSG_PAIRS] = took, [MSG_LANE] = refused };
	const struct msg_body pairs = { .type = MSG_PAIRS }, lane = { .type = MSG_LANE };
	struct pair *p = *state;
	unsigned before = count_fds();
	int kept = -1;

	assert_int_equal(msg_serve(p->b, ROLE_GATE, handlers, &kept), -EAGAIN);
	assert_int_equal(msg_send(p->a, 1, &pairs, &one_fd, 1), 0);
	assert_int_equal(msg_serve(p->b, ROLE_GATE, handlers, &kept), 1);
	assert_true(kept >= 0);
	assert_int_equal(count_fds(), before + 1);
	close(kept);
	assert_int_equal(msg_send(p->a, 1, &lane, &one_fd, 1), 0);
	assert_int_equal(msg_serve(p->b, ROLE_GATE, handlers, &kept), -EBADMSG);
	/* a message to a gate, which has no handler for it here */
	assert_int_equal(say(p->a, MSG_IN_FORCE, 1), 0);
	assert_int_equal(msg_serve(p->b, ROLE_GATE, handlers, &kept), -EBADMSG);
	assert_int_equal(count_fds(), before);
	shutdown(p->a, SHUT_RDWR);
	assert_int_equal(msg_serve(p->b, ROLE_GATE, handlers, &kept), 0);
}

/* ---- sealed memory --------------------------------------------------------------------------- */

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
		cmocka_unit_test_setup_teardown(bodies_go_round, setup, teardown),
		cmocka_unit_test_setup_teardown(others_may_not_say_it, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_sizes_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_that_steer_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_out_of_bounds_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(other_numbers_of_descriptors_are_refused, setup, teardown),
		cmocka_unit_test(records_go_round),
		cmocka_unit_test_setup_teardown(sender_finds_own_mistakes, setup, teardown),
		cmocka_unit_test(web_side_orders_nothing_by_itself),
		cmocka_unit_test_setup_teardown(malformed_is_refused_and_descriptors_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(other_versions_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(few_are_said_to_other_versions, setup, teardown),
		cmocka_unit_test(rows_changed_with_their_version),
		cmocka_unit_test_setup_teardown(too_long_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(table_is_asked, setup, teardown),
		cmocka_unit_test(memfd_goes_round),
		cmocka_unit_test(unsealed_is_refused),
	};

	one_fd = memfd_sealed("t", "x", 1);
	state64 = getenv("SEED") != NULL ? strtoull(getenv("SEED"), NULL, 10)
					 : (uint64_t)getpid() * 2654435761u + (uint64_t)time(NULL);
	print_message("seed %llu\n", (unsigned long long)state64);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
