/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses message.def for three things: who may send what with how many descriptors, how a body is
 * written, and how it is read. A message that does not fit message.def exactly is refused before
 * any handler gets it.
 */
#include "appliance/wire/msg.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/messages.h"
#include "appliance/base/utf8.h"

#define HEADER 12u /* bytes of a header: type, version, request id, length of the body */
/* bytes of a ping and of its answer, which have only the beginning of a header */
#define PING 8u

struct shape {
	unsigned from, to; /* bit sets of roles */
	uint8_t fds_min, fds_max;
};

static const struct shape shapes[MSG_TYPE_COUNT] = {
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields) [MSG_##NUMBER] = { from, to, fds_min, fds_max },
#include "appliance/wire/message.def"
};

/* ---- words and filters ----------------------------------------------------------------------- */

const char *progress_word(enum progress_stage s)
{
	static const char *const words[] = {
#define STAGE(id, word) [PROGRESS_##id] = (word),
#include "appliance/wire/progress.def"
	};

	return s < PROGRESS_STAGES ? words[s] : "?";
}

bool event_filter_set(struct event_filter *f, enum event_filter_key key, const char *text)
{
	size_t n = strlen(text);

	if (n >= FILTER_TEXT)
		return false;
	memset(f->text[key], 0, FILTER_TEXT);
	memcpy(f->text[key], text, n);
	return true;
}

bool event_filter_any(const struct event_filter *f)
{
	for (unsigned i = 0; i < FILTER_KEYS; i++)
		if (f->text[i][0] != '\0')
			return false;
	return true;
}

void event_filter_encode(const struct event_filter *f, struct outbuf *o)
{
	for (unsigned i = 0; i < FILTER_KEYS && !event_filter_any(f); i++) {
		out_u8(o, (uint8_t)strlen(f->text[i]));
		out_bytes(o, f->text[i], strlen(f->text[i]));
	}
}

bool event_filter_decode(struct bytes *b, struct event_filter *ret)
{
	*ret = (struct event_filter){ 0 };
	if (b->left == 0)
		return !b->failed;
	for (unsigned i = 0; i < FILTER_KEYS; i++) {
		uint8_t n;

		if (!bytes_u8(b, &n) || n >= FILTER_TEXT || !bytes_copy(b, ret->text[i], n) ||
		    strlen(ret->text[i]) != n)
			return false;
	}
	return bytes_done(b) && !event_filter_any(ret);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

static bool number_fits(uint64_t v, uint64_t largest)
{
	return v <= largest;
}

static void put_numbers(struct outbuf *o, const struct msg_numbers *x, uint32_t most)
{
	o->failed |= x->n > most;
	for (uint32_t i = 0; i < x->n && !o->failed; i++)
		out_be32(o, x->list[i]);
}

static void take_numbers(struct bytes *in, struct msg_numbers *x, uint32_t most)
{
	while (in->left > 0 && !in->failed && x->n < most)
		bytes_be32(in, &x->list[x->n++]);
}

static void put_text(struct outbuf *o, const char *text, size_t most)
{
	size_t n = text != NULL ? strlen(text) : 0;

	o->failed |= n > most;
	if (!o->failed)
		out_bytes(o, text, n);
}

/* Takes a text. The result points into the body, which has a NUL after it. */
static const char *take_text(struct bytes *in, size_t most)
{
	const char *text = (const char *)in->p;

	if (in->failed || in->left > most || memchr(text, 0, in->left) != NULL)
		in->failed = true;
	else
		bytes_skip(in, in->left);
	return in->failed ? "" : text;
}

static bool typed_is_plain(const uint8_t *text, size_t size)
{
	return utf8_is_plain(bytes_of(text, strnlen((const char *)text, size)));
}

static void put_counts(struct outbuf *o, const uint64_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_be64(o, x[i]);
}

static void take_counts(struct bytes *b, uint64_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes_be64(b, &x[i]);
}

/* How the fields of bodies and records are written. */
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields)                                                      \
	static void put_##name(struct outbuf *o, const struct msg_##name *x)                                           \
	{                                                                                                              \
		(void)o;                                                                                               \
		(void)x;                                                                                               \
		fields                                                                                                 \
	}
#define RECORD(NAME, name, fields)                                                                                     \
	void msg_put_##name(struct outbuf *o, const struct msg_##name *x)                                              \
	{                                                                                                              \
		fields                                                                                                 \
	}
#define PUT(name, largest, put)                                                                                        \
	o->failed |= !number_fits(x->name, largest);                                                                   \
	put(o, x->name);
#define U8(name, largest) PUT(name, largest, out_u8)
#define U16(name, largest) PUT(name, largest, out_be16)
#define U32(name, largest) PUT(name, largest, out_be32)
#define U64(name) out_be64(o, x->name);
#define RAW(name, size) out_bytes(o, x->name, size);
#define COUNTS(name, n) put_counts(o, x->name, n);
#define ENDS(name) ends_put(o, &x->name);
#define GENERATION(name) event_generation_put(o, x->name);
#define FILTER(name) event_filter_encode(&x->name, o);
#define NUMBERS(name, most) put_numbers(o, &x->name, most);
#define TEXT(name, most) put_text(o, x->name, most);
#define LINE(name, most)                                                                                               \
	o->failed |= x->name != NULL && !text_is_plain(x->name, most);                                                 \
	TEXT(name, most)
#define TYPED(name, size)                                                                                              \
	o->failed |= !typed_is_plain(x->name, size);                                                                   \
	RAW(name, size)
#define NOTHING
#include "appliance/wire/message.def"

/* How the fields of bodies and records are read. */
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields)                                                      \
	static void take_##name(struct bytes *b, struct msg_##name *x)                                                 \
	{                                                                                                              \
		(void)b;                                                                                               \
		(void)x;                                                                                               \
		fields                                                                                                 \
	}
/* The fields are statements: no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define RECORD(NAME, name, fields)                                                                                     \
	bool msg_take_##name(struct bytes *b, struct msg_##name *x)                                                    \
	{                                                                                                              \
		memset(x, 0, sizeof(*x));                                                                              \
		fields return !b->failed;                                                                              \
	}
/* NOLINTEND(bugprone-macro-parentheses) */
#define TAKE(name, largest, take)                                                                                      \
	take(b, &x->name);                                                                                             \
	b->failed |= !number_fits(x->name, largest);
#define U8(name, largest) TAKE(name, largest, bytes_u8)
#define U16(name, largest) TAKE(name, largest, bytes_be16)
#define U32(name, largest) TAKE(name, largest, bytes_be32)
#define U64(name) bytes_be64(b, &x->name);
#define RAW(name, size) bytes_copy(b, x->name, size);
#define COUNTS(name, n) take_counts(b, x->name, n);
#define ENDS(name) ends_take(b, &x->name);
#define GENERATION(name) event_generation_get(b, &x->name);
#define FILTER(name) b->failed |= !event_filter_decode(b, &x->name);
#define NUMBERS(name, most) take_numbers(b, &x->name, most);
#define TEXT(name, most) x->name = take_text(b, most);
#define LINE(name, most)                                                                                               \
	TEXT(name, most)                                                                                               \
	b->failed |= !text_is_plain(x->name, most);
#define TYPED(name, size)                                                                                              \
	RAW(name, size)                                                                                                \
	b->failed |= !typed_is_plain(x->name, size);
#define NOTHING
#include "appliance/wire/message.def"

static void put_body(struct outbuf *o, const struct msg_body *b)
{
	switch (b->type) {
#define MESSAGE(NUMBER, name, ...)                                                                                     \
	case MSG_##NUMBER:                                                                                             \
		put_##name(o, &b->name);                                                                               \
		break;
#include "appliance/wire/message.def"
	case MSG_NONE:
	case MSG_TYPE_COUNT:
	default:
		o->failed = true;
	}
}

/* Reads a body. `in` has a NUL after it. False: it is too short, too long or out of bounds. */
static bool take_body(struct bytes in, enum msg_type type, struct msg_body *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->type = type;
	switch (type) {
#define MESSAGE(NUMBER, name, ...)                                                                                     \
	case MSG_##NUMBER:                                                                                             \
		take_##name(&in, &ret->name);                                                                          \
		break;
#include "appliance/wire/message.def"
	case MSG_NONE:
	case MSG_TYPE_COUNT:
	default:
		return false;
	}
	return bytes_done(&in);
}

/* ---- sending --------------------------------------------------------------------------------- */

static const char *const role_names[ROLE_COUNT] = {
#define ROLE(id, name) [id] = (name),
#include "appliance/wire/role.def"
};

const char *role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? role_names[r] : "unknown";
}

enum role slot_role(unsigned slot)
{
	static const enum role single[] = {
		[SLOT_JOURNAL] = ROLE_JOURNAL, [SLOT_ENFORCE] = ROLE_ENFORCE, [SLOT_TAP] = ROLE_TAP,
		[SLOT_MGMT] = ROLE_MGMT,       [SLOT_COMPILE] = ROLE_COMPILE, [SLOT_ACCOUNTS] = ROLE_ACCOUNTS,
		[SLOT_CONTROL] = ROLE_CONTROL, [SLOT_ERRAND] = ROLE_COMPILE,
	};

	if (slot < SLOT_GATE)
		return single[slot];
	return slot == SLOT_BOX ? ROLE_SUPERVISOR : slot < SLOT_DPI ? ROLE_GATE : ROLE_DPI;
}

uint32_t slot_index(unsigned slot)
{
	if (slot < SLOT_GATE || slot == SLOT_BOX)
		return slot == SLOT_ERRAND;
	return slot - (slot < SLOT_DPI ? SLOT_GATE : SLOT_DPI);
}

bool user_order_looks(enum user_order o)
{
	return o == USER_LIST || o == USER_SHOW || o == USER_KEYS || o == USER_CERTIFICATES || o == USER_TOKENS ||
	       o == USER_SESSIONS || o == USER_ROLES || o == USER_APPROVAL || o == USER_LEAKED;
}

bool user_order_carries(enum user_order o)
{
	return o == USER_LEAKED_LOAD || o == USER_RESTORE || o == USER_RESTORE_TRY;
}

static bool is_ping(unsigned type)
{
	return type == MSG_PING || type == MSG_PONG;
}

static bool fds_fit(const struct shape *s, size_t n_fds)
{
	return n_fds >= s->fds_min && n_fds <= s->fds_max;
}

static int send_with(int sock, uint16_t version, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds,
		     int flags)
{
	union {
		char buf[CMSG_SPACE(MSG_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	uint8_t head[HEADER], space[MSG_BODY];
	struct outbuf h = outbuf_of(head, sizeof(head)), b = outbuf_of(space, sizeof(space));
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = is_ping(body->type) ? PING : HEADER },
		{ .iov_base = space },
	};
	struct msghdr mh = { .msg_iov = iov };
	ssize_t n;

	/* If the receiver would refuse this message, the mistake is in this program, and is found
	 * here. */
	put_body(&b, body);
	if (b.failed || !fds_fit(&shapes[body->type], n_fds) || (version != MSG_VERSION && body->type > MSG_STATUS))
		return -EINVAL;
	iov[1].iov_len = b.len;
	mh.msg_iovlen = b.len > 0 ? 2 : 1;
	out_be16(&h, (uint16_t)body->type);
	out_be16(&h, version);
	out_be32(&h, id);
	out_be32(&h, (uint32_t)b.len);
	if (n_fds > 0) {
		struct cmsghdr *c;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do {
		n = sendmsg(sock, &mh, MSG_NOSIGNAL | flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == iov[0].iov_len + b.len ? 0 : -EIO;
}

int msg_send(int sock, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds)
{
	return send_with(sock, MSG_VERSION, id, body, fds, n_fds, 0);
}

int msg_try(int sock, uint32_t id, const struct msg_body *body)
{
	return send_with(sock, MSG_VERSION, id, body, NULL, 0, MSG_DONTWAIT);
}

int msg_send_as(int sock, uint16_t version, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds)
{
	return send_with(sock, version, id, body, fds, n_fds, 0);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Takes all descriptors out of the control data, so that none is leaked; those beyond MSG_FDS are
 * closed. Returns how many came. */
static size_t take_fds(struct msghdr *mh, struct msg *ret)
{
	size_t came = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (came < MSG_FDS)
				ret->fds[ret->n_fds++] = fd;
			else
				close(fd);
			came++;
		}
	}
	return came;
}

bool msg_may_say(enum msg_type type, enum role from, enum role to)
{
	return (unsigned)type < MSG_TYPE_COUNT && (unsigned)from < ROLE_COUNT && (unsigned)to < ROLE_COUNT &&
	       (shapes[type].from >> from & 1u) != 0 && (shapes[type].to >> to & 1u) != 0;
}

static int receive(int sock, enum role from, enum role to, int flags, struct msg *ret)
{
	union {
		char buf[CMSG_SPACE((MSG_FDS + 1) * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t head[HEADER];
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = HEADER },
		{ .iov_base = ret->storage, .iov_len = MSG_BODY },
	};
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct bytes h;
	uint16_t type;
	uint32_t length;
	size_t came;
	ssize_t n;

	ret->body.type = MSG_NONE;
	ret->id = 0;
	ret->version = 0;
	ret->n_fds = 0;
	for (size_t i = 0; i < MSG_FDS; i++)
		ret->fds[i] = -1;
	do {
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	came = take_fds(&mh, ret);
	if (n == 0 && came == 0)
		return 0;
	h = bytes_of(head, (size_t)n < HEADER ? (size_t)n : HEADER);
	bytes_be16(&h, &type);
	bytes_be16(&h, &ret->version);
	bytes_be32(&h, &ret->id);
	if (is_ping(type))
		length = n == PING ? 0 : UINT32_MAX;
	else if (!bytes_be32(&h, &length) || length != (size_t)n - HEADER)
		length = UINT32_MAX;
	if (h.failed || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || ret->version == 0 || length > MSG_BODY ||
	    (ret->version == MSG_VERSION &&
	     (!msg_may_say((enum msg_type)type, from, to) || !fds_fit(&shapes[type], came)))) {
		msg_close_fds(ret);
		return -EBADMSG;
	}
	if (ret->version != MSG_VERSION) {
		msg_close_fds(ret);
		return -EPROTO;
	}
	ret->storage[length] = 0;
	if (!take_body(bytes_of(ret->storage, length), (enum msg_type)type, &ret->body)) {
		msg_close_fds(ret);
		return -EBADMSG;
	}
	return 1;
}

int msg_recv(int sock, enum role from, enum role to, struct msg *ret)
{
	int r, flags = 0;

	/* After a ping this call must not wait for another message, because the caller has other
	 * sockets to serve. */
	while ((r = receive(sock, from, to, flags, ret)) == 1 && ret->body.type == MSG_PING) {
		r = msg_send(sock, ret->id, &(struct msg_body){ .type = MSG_PONG }, NULL, 0);
		if (r < 0)
			return r;
		flags = MSG_DONTWAIT;
	}
	return r;
}

void msg_close_fds(struct msg *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	for (size_t i = 0; i < MSG_FDS; i++)
		m->fds[i] = -1;
	m->n_fds = 0;
}

int msg_take_fd(struct msg *m, size_t i)
{
	int fd = m->fds[i];

	m->fds[i] = -1;
	return fd;
}

/* ---- handling -------------------------------------------------------------------------------- */

bool msg_dispatch(msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx, struct msg *m)
{
	msg_handler *handler = handlers[m->body.type];
	bool ok = handler != NULL && handler(ctx, m);

	msg_close_fds(m);
	return ok;
}

int msg_serve_of(int sock, enum role from, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx)
{
	struct msg m;
	int r = msg_recv(sock, from, self, &m);

	return r == 1 && !msg_dispatch(handlers, ctx, &m) ? -EBADMSG : r;
}

int msg_serve(int sock, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx)
{
	return msg_serve_of(sock, ROLE_SUPERVISOR, self, handlers, ctx);
}
