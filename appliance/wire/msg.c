/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table below is the whole vocabulary: a message that it does not describe exactly is not a message. What a peer
 * may say in which state is its reader's affair; who may say it at all, how long it is and how many descriptors it
 * carries is decided here, before anybody looks at a byte of the body.
 */
#include "appliance/wire/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 12u /* type, version, request id, body length */
#define PING 8u	   /* of them, the whole of a ping and of its answer */

#define BY(r) (1u << (r))
#define BY_SUPERVISOR BY(ROLE_SUPERVISOR)
#define BY_ROLES                                                                                                       \
	(BY(ROLE_ENFORCE) | BY(ROLE_GATE) | BY(ROLE_DPI) | BY(ROLE_TAP) | BY(ROLE_COMPILE) | BY(ROLE_JOURNAL) |        \
	 BY(ROLE_MGMT))
#define BY_READERS (BY(ROLE_CLI) | BY(ROLE_MGMT))

struct shape {
	unsigned by;		     /* who may send it */
	uint16_t body_min, body_max; /* bytes */
	uint8_t fds_min, fds_max;
};

static const struct shape shapes[MSG_TYPE_COUNT] = {
	[MSG_READY] = { BY_ROLES, 0, 0, 0, 0 },
	[MSG_ANSWER] = { BY_ROLES | BY_SUPERVISOR, 1, 1, 0, 1 },
	[MSG_PONG] = { BY_ROLES, 0, 0, 0, 0 },
	[MSG_PING] = { BY_SUPERVISOR, 0, 0, 0, 0 },
	[MSG_QUERY] = { BY_SUPERVISOR, 1, 1024, 0, 0 },
	[MSG_DPI_START] = { BY_SUPERVISOR, 4, 4, 2, 2 },
	[MSG_LANE] = { BY_SUPERVISOR, 6, 6, 1, 1 },
	[MSG_TABLE] = { BY_SUPERVISOR, 16, 16, 1, 1 },
	[MSG_TABLE_DROP] = { BY_SUPERVISOR, 0, 0, 0, 0 },
	[MSG_IMPACT] = { BY_SUPERVISOR, 8, 8, 1, 1 },
	[MSG_CUTS] = { BY_SUPERVISOR, 0, 0, 1, 1 },
	[MSG_TABLE_ACK] = { BY(ROLE_DPI), 32, 32, 0, 0 },
	[MSG_WORKER] = { BY_SUPERVISOR, 8, 8, 4, 4 },
	[MSG_PAIRS] = { BY_SUPERVISOR, 0, 0, 1, 1 },
	[MSG_HUNG] = { BY(ROLE_GATE), 8, 8, 0, 0 },
	[MSG_APPLY] = { BY_SUPERVISOR, 13, 13, 1, 1 },
	[MSG_APPLIED] = { BY(ROLE_ENFORCE), 5, 1024, 0, 1 },
	[MSG_DRIFT] = { BY(ROLE_ENFORCE), 17, 1024, 0, 0 },
	[MSG_GENERATION] = { BY_SUPERVISOR, 12, MSG_BODY, 1, 1 },
	[MSG_SOURCE] = { BY_SUPERVISOR, 5, 5, 1, 1 },
	[MSG_COMPILE] = { BY_SUPERVISOR, 1, 1, 1, 1 },
	[MSG_COMPILED] = { BY(ROLE_COMPILE), 9, 9, 1, 1 },
	[MSG_CTL_STATUS] = { BY_READERS, 0, 0, 0, 0 },
	[MSG_CTL_EFFECTIVE] = { BY_READERS, 0, 0, 0, 0 },
	[MSG_CTL_EVENTS] = { BY_READERS, 12, 1023, 0, 0 },
	[MSG_CTL_VERIFY] = { BY(ROLE_CLI), 0, 0, 0, 0 },
	[MSG_CTL_APPLY] = { BY(ROLE_CLI), 5, 5 + COMMENT_MOST, 1, 1 },
	[MSG_CTL_CONFIRM] = { BY(ROLE_CLI), 0, 0, 0, 0 },
	[MSG_CTL_ROLLBACK] = { BY(ROLE_CLI), 9, 9 + COMMENT_MOST, 0, 0 },
	[MSG_CTL_HISTORY] = { BY(ROLE_CLI), 0, 0, 0, 0 },
	[MSG_CTL_EXPLAIN] = { BY(ROLE_CLI), 8, 8, 0, 0 },
	[MSG_IN_FORCE] = { BY_SUPERVISOR, 12, 12, 0, 0 },
	[MSG_CTL_SHOW] = { BY(ROLE_CLI), 8, 8, 0, 0 },
};

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_ENFORCE] = "enforce",
	[ROLE_GATE] = "gate",
	[ROLE_DPI] = "dpi",
	[ROLE_TAP] = "tap",
	[ROLE_COMPILE] = "compile",
	[ROLE_JOURNAL] = "journal",
	[ROLE_MGMT] = "mgmt",
	[ROLE_CLI] = "cli",
};

const char *role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? role_names[r] : "unknown";
}

static bool is_ping(unsigned type)
{
	return type == MSG_PING || type == MSG_PONG;
}

static bool fits(const struct shape *s, size_t body, size_t n_fds)
{
	return s->by != 0 && body >= s->body_min && body <= s->body_max && n_fds >= s->fds_min && n_fds <= s->fds_max;
}

int msg_send(int sock, enum msg_type type, uint32_t id, const struct outbuf *body, const int *fds, size_t n_fds)
{
	union {
		char buf[CMSG_SPACE(MSG_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	uint8_t head[HEADER];
	struct outbuf h = outbuf_of(head, sizeof(head));
	size_t body_len = body != NULL ? body->len : 0;
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = is_ping(type) ? PING : HEADER },
		{ .iov_base = body != NULL ? body->p : NULL, .iov_len = body_len },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = body_len > 0 ? 2 : 1 };
	ssize_t n;

	/* A message that the other end would refuse is a mistake of ours: found here, not there. */
	if ((unsigned)type >= MSG_TYPE_COUNT || !fits(&shapes[type], body_len, n_fds) || (body != NULL && body->failed))
		return -EINVAL;
	out_be16(&h, (uint16_t)type);
	out_be16(&h, MSG_VERSION);
	out_be32(&h, id);
	out_be32(&h, (uint32_t)body_len);
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
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == iov[0].iov_len + body_len ? 0 : -EIO;
}

/* Takes every descriptor out of the control data, so that none is ever left behind; those past MSG_FDS are closed.
 * Returns how many came. */
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

static int receive(int sock, enum role from, int flags, struct msg *ret)
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
	uint16_t type, version;
	uint32_t length;
	size_t came;
	ssize_t n;

	ret->type = MSG_NONE;
	ret->id = 0;
	ret->n_fds = 0;
	ret->body = bytes_of(ret->storage, 0);
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
	bytes_be16(&h, &version);
	bytes_be32(&h, &ret->id);
	if (is_ping(type))
		length = n == PING ? 0 : UINT32_MAX;
	else if (!bytes_be32(&h, &length) || length != (size_t)n - HEADER)
		length = UINT32_MAX;
	if (h.failed || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || version != MSG_VERSION || length > MSG_BODY ||
	    type >= MSG_TYPE_COUNT || (unsigned)from >= ROLE_COUNT || (shapes[type].by & BY(from)) == 0 ||
	    !fits(&shapes[type], length, came)) {
		msg_close_fds(ret);
		return -EBADMSG;
	}
	ret->type = (enum msg_type)type;
	ret->body = bytes_of(ret->storage, length);
	return 1;
}

int msg_recv(int sock, enum role from, struct msg *ret)
{
	int r, flags = 0;

	/* Who was woken by a ping must not sleep here until something else comes: its other sockets wait. */
	while ((r = receive(sock, from, flags, ret)) == 1 && ret->type == MSG_PING) {
		r = msg_send(sock, MSG_PONG, ret->id, NULL, NULL, 0);
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
