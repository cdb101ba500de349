/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the benchmarks: one server and the clients that measure it. Requests are 12-byte Modbus reads, so that the same
 * bytes go through plain forwarding, through an accept-all queue and through inspection. Every client prints one line of JSON.
 *
 *   load serve ADDRESS PORT                        Modbus answers; a connection that starts with a TLS hello is a sink
 *   load sink ADDRESS PORT                         UDP: counts; answers a packet that ends in '?' with the count so far
 *   load rtt ADDRESS PORT REQUESTS                 round trips of one request at a time: p50, p99
 *   load crr ADDRESS PORT MILLISECONDS             connect, request, response, close per second
 *   load pipeline ADDRESS PORT MILLISECONDS CONNECTIONS DEPTH    requests per second with DEPTH open on each connection
 *   load bulk ADDRESS PORT MILLISECONDS            one TCP stream after a TLS hello: bits per second
 *   load udp ADDRESS PORT MILLISECONDS             small UDP packets of one flow: packets per second that arrived
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST 12
#define ANSWER 11

/* The start of a TLS 1.2 ClientHello record, whole and well-formed as far as its lengths go. */
static const unsigned char hello[] = {
	0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 4, 0x13, 1, 0x13, 2, 1, 0,
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(3);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct addrinfo *resolve(const char *address, const char *port, int type)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST }, *ai;

	if (getaddrinfo(address, port, &hints, &ai) != 0)
		die("address");
	return ai;
}

static int dial(const struct addrinfo *ai)
{
	int s = socket(ai->ai_family, ai->ai_socktype, 0), one = 1;
	struct timeval limit = { .tv_sec = 2 };

	if (s < 0)
		die("socket");
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(s, ai->ai_addr, ai->ai_addrlen) != 0)
		die("connect");
	if (ai->ai_socktype == SOCK_STREAM)
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return s;
}

static void all(int s, unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(s, p, n, 0);

		if (got <= 0)
			die("answer");
		p += got;
		n -= (size_t)got;
	}
}

static void request(unsigned char out[REQUEST], uint16_t tid)
{
	/* never 0x16 first: that would be a TLS hello to the server */
	const unsigned char r[REQUEST] = { (unsigned char)(tid >> 8 & 0x0f), (unsigned char)tid, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1 };

	memcpy(out, r, REQUEST);
}

struct conn {
	int fd;
	int sink;
	size_t have;
	unsigned char in[65536];
};

static void answer_all(struct conn *c)
{
	unsigned char out[sizeof(c->in) / REQUEST * ANSWER];
	size_t n = 0, at = 0;

	for (; c->have - at >= REQUEST; at += REQUEST, n += ANSWER) {
		const unsigned char a[ANSWER] = { c->in[at], c->in[at + 1], 0, 0, 0, 5, 1, 3, 2, 0, 7 };

		memcpy(out + n, a, ANSWER);
	}
	memmove(c->in, c->in + at, c->have - at);
	c->have -= at;
	for (size_t sent = 0; sent < n;) {
		ssize_t put = send(c->fd, out + sent, n - sent, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		sent += (size_t)put;
	}
}

_Noreturn static void serve(const char *address, const char *port)
{
	struct addrinfo *ai = resolve(address, port, SOCK_STREAM);
	int l = socket(ai->ai_family, SOCK_STREAM, 0), e = epoll_create1(0), one = 1;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, ai->ai_addr, ai->ai_addrlen) != 0 || listen(l, 1024) != 0)
		die("listen");
	epoll_ctl(e, EPOLL_CTL_ADD, l, &ev);
	for (;;) {
		struct epoll_event events[64];
		int n = epoll_wait(e, events, 64, -1);

		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			ssize_t got;

			if (c == NULL) {
				c = calloc(1, sizeof(*c));
				c->fd = accept(l, NULL, NULL);
				setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				ev.data.ptr = c;
				epoll_ctl(e, EPOLL_CTL_ADD, c->fd, &ev);
				continue;
			}
			got = recv(c->fd, c->in + c->have, sizeof(c->in) - c->have, 0);
			if (got <= 0) {
				close(c->fd);
				free(c);
				continue;
			}
			if (c->have == 0 && c->in[0] == 0x16)
				c->sink = 1;
			if (c->sink)
				continue;
			c->have += (size_t)got;
			answer_all(c);
		}
	}
}

_Noreturn static void sink(const char *address, const char *port)
{
	struct addrinfo *ai = resolve(address, port, SOCK_DGRAM);
	int s = socket(ai->ai_family, SOCK_DGRAM, 0), size = 16 << 20;
	uint64_t n = 0;

	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(s, ai->ai_addr, ai->ai_addrlen) != 0)
		die("bind");
	for (;;) {
		static unsigned char b[64][256];
		struct mmsghdr m[64];
		struct iovec v[64];
		struct sockaddr_storage from[64];
		int got;

		for (int i = 0; i < 64; i++) {
			v[i] = (struct iovec){ b[i], sizeof(b[i]) };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1, .msg_name = &from[i],
							.msg_namelen = sizeof(from[i]) };
		}
		got = recvmmsg(s, m, 64, MSG_WAITFORONE, NULL);
		for (int i = 0; i < got; i++) {
			if (m[i].msg_len > 0 && b[i][m[i].msg_len - 1] == '?')
				sendto(s, &n, sizeof(n), 0, (struct sockaddr *)&from[i], m[i].msg_hdr.msg_namelen);
			else
				n++;
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int rtt(const struct addrinfo *ai, long n)
{
	uint32_t *ns = calloc((size_t)n, sizeof(*ns));
	unsigned char out[REQUEST], in[ANSWER];
	int s = dial(ai);

	for (long i = -200; i < n; i++) {
		uint64_t start;

		request(out, (uint16_t)i);
		start = now_ns();
		if (send(s, out, sizeof(out), 0) != REQUEST)
			die("send");
		all(s, in, sizeof(in));
		if (i >= 0)
			ns[i] = (uint32_t)(now_ns() - start);
	}
	qsort(ns, (size_t)n, sizeof(*ns), by_value);
	printf("{\"p50_us\":%.2f,\"p99_us\":%.2f}\n", ns[n / 2] / 1000.0, ns[n * 99 / 100] / 1000.0);
	return 0;
}

static int crr(const struct addrinfo *ai, uint64_t ms)
{
	uint64_t start = now_ns(), end = start + ms * 1000000u, n = 0;
	unsigned char out[REQUEST], in[ANSWER];
	struct linger hard = { 1, 0 };

	for (; now_ns() < end; n++) {
		int s = dial(ai);

		request(out, (uint16_t)n);
		if (send(s, out, sizeof(out), 0) != REQUEST)
			die("send");
		all(s, in, sizeof(in));
		setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)); /* spares the port for the next round */
		close(s);
	}
	printf("{\"per_s\":%.0f}\n", (double)n * 1e9 / (double)(now_ns() - start));
	return 0;
}

static int pipeline(const struct addrinfo *ai, uint64_t ms, int connections, int depth)
{
	uint64_t start, end, n = 0;
	struct pollfd p[64];
	size_t odd[64] = { 0 };
	unsigned char out[64 * REQUEST], in[65536];

	if (connections > 64 || depth > 64)
		return 2;
	for (int i = 0; i < connections; i++) {
		p[i] = (struct pollfd){ .fd = dial(ai), .events = POLLIN };
		for (int k = 0; k < depth; k++) {
			request(out, (uint16_t)k);
			send(p[i].fd, out, REQUEST, 0); /* a segment each: small packets are what is measured */
		}
	}
	start = now_ns();
	end = start + ms * 1000000u;
	while (now_ns() < end) {
		if (poll(p, (nfds_t)connections, 2000) <= 0)
			die("poll");
		for (int i = 0; i < connections; i++) {
			ssize_t got;
			size_t done;

			if (!(p[i].revents & POLLIN))
				continue;
			got = recv(p[i].fd, in, sizeof(in), 0);
			if (got <= 0)
				die("answer");
			done = (odd[i] + (size_t)got) / ANSWER;
			odd[i] = (odd[i] + (size_t)got) % ANSWER;
			n += done;
			for (size_t k = 0; k < done; k++) {
				request(out, (uint16_t)(n + k));
				if (send(p[i].fd, out, REQUEST, 0) != REQUEST)
					die("send");
			}
		}
	}
	printf("{\"per_s\":%.0f}\n", (double)n * 1e9 / (double)(now_ns() - start));
	return 0;
}

static int bulk(const struct addrinfo *ai, uint64_t ms)
{
	static unsigned char block[1 << 17];
	uint64_t start, end, n = 0;
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int s = dial(ai);

	if (send(s, hello, sizeof(hello), 0) != (ssize_t)sizeof(hello))
		die("hello");
	start = now_ns();
	end = start + ms * 1000000u;
	while (now_ns() < end) {
		ssize_t put = send(s, block, sizeof(block), 0);

		if (put <= 0)
			die("send");
		n += (uint64_t)put;
	}
	if (getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
		n = info.tcpi_bytes_acked;
	printf("{\"bits_per_s\":%.0f}\n", (double)n * 8e9 / (double)(now_ns() - start));
	return 0;
}

/* A DNS question, so that a naming conduit knows the flow; then small packets of the same flow. */
static int udp(const struct addrinfo *ai, uint64_t ms)
{
	unsigned char query[] = { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 'k', 'i', 't', 'a', 0, 0, 1, 0, 1 };
	unsigned char ask[] = { 0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 'k', 'i', 't', 'a', 0, 0, 1, 0, '?' };
	uint64_t start, took, before = 0, after = 0;
	struct mmsghdr m[32];
	struct iovec v = { query, sizeof(query) };
	int s = dial(ai);

	for (int i = 0; i < 32; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 };
	send(s, query, sizeof(query), 0);
	for (int tries = 0; tries < 3 && recv(s, &before, sizeof(before), 0) != sizeof(before); tries++)
		send(s, ask, sizeof(ask), 0);
	start = now_ns();
	while (now_ns() < start + ms * 1000000u)
		sendmmsg(s, m, 32, 0);
	took = now_ns() - start;
	for (int tries = 0; tries < 3; tries++) {
		send(s, ask, sizeof(ask), 0);
		if (recv(s, &after, sizeof(after), 0) == sizeof(after))
			break;
	}
	printf("{\"per_s\":%.0f}\n", (double)(after - before) * 1e9 / (double)took);
	return 0;
}

int main(int argc, char **argv)
{
	struct addrinfo *ai;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "serve") == 0)
		serve(argv[2], argv[3]);
	if (strcmp(argv[1], "sink") == 0)
		sink(argv[2], argv[3]);
	if (argc < 5)
		return 2;
	ai = resolve(argv[2], argv[3], strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM);
	if (strcmp(argv[1], "rtt") == 0)
		return rtt(ai, atol(argv[4]));
	if (strcmp(argv[1], "crr") == 0)
		return crr(ai, (uint64_t)atol(argv[4]));
	if (strcmp(argv[1], "bulk") == 0)
		return bulk(ai, (uint64_t)atol(argv[4]));
	if (strcmp(argv[1], "udp") == 0)
		return udp(ai, (uint64_t)atol(argv[4]));
	if (strcmp(argv[1], "pipeline") == 0 && argc == 7)
		return pipeline(ai, (uint64_t)atol(argv[4]), atoi(argv[5]), atoi(argv[6]));
	return 2;
}
