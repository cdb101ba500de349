/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define AT_ONCE 64
#define FILES 20000

const unsigned char server_hello[SERVER_HELLO] = {
	0x16, 3,  3,  0,  42, 2,  0,  0,  38, 3,  3,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10,   11, 12, 13,
	14,   15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0x13, 1,  0,
};

struct conn {
	int fd;
	bool swallow, started;
	size_t have;
	unsigned char in[1 << 14];
};

static bool put_all(int fd, const unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* Answers every whole request, with as few sends as possible. */
static bool answer_all(struct conn *c)
{
	static unsigned char out[1 << 16];
	size_t n = 0, at = 0;

	for (; c->have - at >= REQUEST; at += REQUEST) {
		const unsigned char *q = c->in + at;
		unsigned count = (unsigned)q[10] << 8 | q[11];
		unsigned char head[ANSWER_HEAD];

		if (count == 0 || count > REGISTERS_MAX)
			return false;
		if (n + ANSWER_MAX > sizeof(out)) {
			if (!put_all(c->fd, out, n))
				return false;
			n = 0;
		}
		memcpy(head,
		       (const unsigned char[]){ q[0], q[1], 0, 0, 0, (unsigned char)(3 + 2 * count), q[6], q[7],
						(unsigned char)(2 * count) },
		       sizeof(head));
		memcpy(out + n, head, sizeof(head));
		memset(out + n + sizeof(head), 7, 2u * count);
		n += sizeof(head) + 2u * count;
	}
	memmove(c->in, c->in + at, c->have - at);
	c->have -= at;
	return put_all(c->fd, out, n);
}

/* False when the connection is over. */
static bool take(struct conn *c, bool swallows)
{
	ssize_t got = recv(c->fd, c->in + c->have, sizeof(c->in) - c->have, 0);

	if (got <= 0)
		return false;
	if (c->swallow)
		return true;
	c->have += (size_t)got;
	if (!c->started && c->in[0] == client_hello[0]) {
		if (c->have < CLIENT_HELLO)
			return true;
		memmove(c->in, c->in + CLIENT_HELLO, c->have - CLIENT_HELLO);
		c->have -= CLIENT_HELLO;
		if (!put_all(c->fd, server_hello, SERVER_HELLO))
			return false;
		c->swallow = swallows;
		if (swallows) {
			c->have = 0;
			return true;
		}
	}
	c->started = true;
	return answer_all(c);
}

void serve(const struct addrinfo *ai)
{
	int l = socket(ai->ai_family, SOCK_STREAM, 0), e = epoll_create1(0), one = 1;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL }, events[EVENTS];
	bool swallows = ((const struct sockaddr_in *)(const void *)ai->ai_addr)->sin_port == htons(443);

	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ FILES, FILES }) != 0)
		die("descriptors");
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, ai->ai_addr, ai->ai_addrlen) != 0 || listen(l, 4096) != 0)
		die("listen");
	epoll_ctl(e, EPOLL_CTL_ADD, l, &ev);
	for (;;) {
		int n = epoll_wait(e, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (c == NULL) {
				c = calloc(1, sizeof(*c));
				if (c == NULL)
					die("memory");
				c->fd = accept(l, NULL, NULL);
				if (c->fd < 0)
					die("accept");
				setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				ev.data.ptr = c;
				epoll_ctl(e, EPOLL_CTL_ADD, c->fd, &ev);
			} else if (!take(c, swallows)) {
				close(c->fd);
				free(c);
			}
		}
	}
}

void sink(const struct addrinfo *ai)
{
	static unsigned char b[AT_ONCE][256];
	struct sockaddr_storage from[AT_ONCE];
	struct mmsghdr m[AT_ONCE];
	struct iovec v[AT_ONCE];
	int s = socket(ai->ai_family, SOCK_DGRAM, 0), size = 16 << 20;

	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(s, ai->ai_addr, ai->ai_addrlen) != 0)
		die("bind");
	for (;;) {
		int got;

		for (int i = 0; i < AT_ONCE; i++) {
			v[i] = (struct iovec){ b[i], sizeof(b[i]) };
			m[i].msg_hdr = (struct msghdr){
				.msg_iov = &v[i], .msg_iovlen = 1, .msg_name = &from[i], .msg_namelen = sizeof(from[i])
			};
		}
		got = recvmmsg(s, m, AT_ONCE, MSG_WAITFORONE, NULL);
		for (int i = 0; i < got; i++) {
			unsigned len = m[i].msg_len;

			if (len < 12 || b[i][len - 1] != '?')
				continue;
			b[i][2] |= 0x80; /* the request comes back as its answer */
			sendto(s, b[i], len, 0, (const struct sockaddr *)&from[i], m[i].msg_hdr.msg_namelen);
		}
	}
}
