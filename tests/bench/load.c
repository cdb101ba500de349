/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients that measure. Each prints one line of JSON; `seconds` in it is the measured time.
 *
 *   load serve ADDRESS PORT | load sink ADDRESS PORT
 *	see load.h
 *   load rtt ADDRESS PORT MILLISECONDS
 *	one request at a time: p50, p99
 *   load crr ADDRESS PORT MILLISECONDS
 *	connect, request, answer, close
 *   load rate ADDRESS PORT MILLISECONDS CONNECTIONS
 *	one request at a time on each connection: every request and every answer is a packet of
 *	its own
 *   load stream ADDRESS PORT MILLISECONDS CONNECTIONS DEPTH
 *	DEPTH open requests of 125 registers on each connection, as many in a send as there is
 *	room for: bits of answers
 *   load poll ADDRESS PORT MILLISECONDS CONNECTIONS EVERY
 *	one request on each connection every EVERY milliseconds, at moments spread evenly; half a
 *	second with requests and half a second without take turns
 *   load soak MILLISECONDS
 *	counts as fast as it can, and prints how far in each tenth of a second of the clock: a
 *	smaller count shows that other programs used the core
 *   load bulk ADDRESS PORT MILLISECONDS
 *	one TCP stream after a TLS hello: bits
 *   load udp ADDRESS PORT MILLISECONDS
 *	small UDP packets of one flow, sent; the caller counts those that arrive
 *   load hold ADDRESS PORT FLOWS FROM...
 *	opens FLOWS connections from these addresses in turn, sends one request on each, waits for
 *	end of input
 * Ports other than 502 and 53 start with a TLS hello.
 */
#include "load.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 100
#define SAMPLES (1u << 20)
#define CONNECTIONS_MAX 256
#define DEPTH_MAX 16 /* requests that may wait for their answers in one Modbus connection */
#define UDP_STEP 32
#define FROM_MAX 8
#define UDP_WINDOW 256
#define SLICE_NS 100000000u
#define POLLED_NS 500000000u

const unsigned char client_hello[CLIENT_HELLO] = {
	0x16, 3,  1,  0,  47, 1,  0,  0,  43, 3,  3,  1,  2,  3,  4,  5,  6,  7, 8, 9, 10,   11, 12,   13, 14, 15,
	16,   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 4, 0x13, 1,	 0x13, 2,  1,  0,
};

void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(3);
}

struct addrinfo *resolve(const char *address, const char *port, int type)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST }, *ai;

	if (getaddrinfo(address, port, &hints, &ai) != 0)
		die("address");
	return ai;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double seconds_since(uint64_t start)
{
	return (double)(now_ns() - start) / 1e9;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void get(int s, unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(s, p, n, 0);

		if (got <= 0)
			die("answer");
		p += got;
		n -= (size_t)got;
	}
}

static void put(int s, const unsigned char *p, size_t n)
{
	if (send(s, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

static int dial_from(const struct addrinfo *ai, const struct addrinfo *from)
{
	int s = socket(ai->ai_family, ai->ai_socktype, 0), one = 1;
	unsigned port = ntohs(((const struct sockaddr_in *)(const void *)ai->ai_addr)->sin_port);
	struct timeval limit = { .tv_sec = 2 };
	unsigned char in[SERVER_HELLO];

	if (s < 0)
		die("socket");
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (from != NULL && bind(s, from->ai_addr, from->ai_addrlen) != 0)
		die("bind");
	if (connect(s, ai->ai_addr, ai->ai_addrlen) != 0)
		die("connect");
	if (ai->ai_socktype != SOCK_STREAM)
		return s;
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (port != 502) {
		put(s, client_hello, sizeof(client_hello));
		get(s, in, sizeof(in));
	}
	return s;
}

static int dial(const struct addrinfo *ai)
{
	return dial_from(ai, NULL);
}

static void hang_up(int s)
{
	/* a reset instead of FIN: the port is free for the next round */
	struct linger hard = { 1, 0 };

	setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(s);
}

/* `n` requests in one send, numbered from `id`. */
static void ask(int s, uint16_t id, uint8_t registers, size_t n)
{
	unsigned char out[DEPTH_MAX * REQUEST];

	for (size_t k = 0; k < n; k++, id++) {
		/* never begins with 0x16: that would be a TLS hello to the server */
		const unsigned char r[REQUEST] = {
			(unsigned char)(id >> 8 & 0x0f), (unsigned char)id, 0, 0, 0, 6, 1, 3, 0, 0, 0, registers
		};

		memcpy(out + k * REQUEST, r, REQUEST);
	}
	put(s, out, n * REQUEST);
}

/* ---- one at a time --------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int rtt(const struct addrinfo *ai, uint64_t ms)
{
	uint32_t *ns = calloc(SAMPLES, sizeof(*ns));
	unsigned char in[ANSWER_HEAD + 2];
	uint64_t start = now_ns();
	size_t n = 0;
	int s = dial(ai);

	if (ns == NULL)
		die("memory");
	for (long i = -WARM_UP; n < SAMPLES && (i < 1 || now_ns() < start + ms * 1000000u); i++) {
		uint64_t sent = now_ns();

		ask(s, (uint16_t)i, 1, 1);
		get(s, in, sizeof(in));
		if (i >= 0)
			ns[n++] = (uint32_t)(now_ns() - sent);
		else
			start = now_ns();
	}
	hang_up(s);
	qsort(ns, n, sizeof(*ns), by_value);
	printf("{\"n\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f,\"seconds\":%.6f}\n", n, ns[n / 2] / 1e3,
	       ns[n * 99 / 100] / 1e3, seconds_since(start));
	return 0;
}

static int crr(const struct addrinfo *ai, uint64_t ms)
{
	uint64_t start = now_ns(), n = 0;
	unsigned char in[ANSWER_HEAD + 2];

	for (; now_ns() < start + ms * 1000000u; n++) {
		int s = dial(ai);

		ask(s, (uint16_t)n, 1, 1);
		get(s, in, sizeof(in));
		hang_up(s);
	}
	printf("{\"n\":%lu,\"seconds\":%.6f}\n", n, seconds_since(start));
	return 0;
}

/* ---- many at a time -------------------------------------------------------------------------- */

/* `depth` requests open on each of `connections`; an answer makes room for the next request. */
static int many(const struct addrinfo *ai, uint64_t ms, int connections, int depth, uint8_t registers)
{
	size_t size = ANSWER_HEAD + 2u * registers, odd[CONNECTIONS_MAX] = { 0 };
	static unsigned char in[1 << 18];
	int s[CONNECTIONS_MAX], e = epoll_create1(0);
	struct epoll_event ev[CONNECTIONS_MAX];
	uint64_t start, n = 0;

	if (connections < 1 || connections > CONNECTIONS_MAX || depth < 1 || depth > DEPTH_MAX)
		return 2;
	for (int i = 0; i < connections; i++) {
		s[i] = dial(ai);
		ev[0] = (struct epoll_event){ .events = EPOLLIN, .data.u32 = (uint32_t)i };
		epoll_ctl(e, EPOLL_CTL_ADD, s[i], &ev[0]);
	}
	start = now_ns();
	for (int i = 0; i < connections; i++)
		ask(s[i], 0, registers, (size_t)depth);
	while (now_ns() < start + ms * 1000000u) {
		int ready = epoll_wait(e, ev, CONNECTIONS_MAX, 2000);

		if (ready <= 0) {
			errno = ready == 0 ? ETIMEDOUT : errno;
			die("answers");
		}
		for (int r = 0; r < ready; r++) {
			uint32_t i = ev[r].data.u32;
			ssize_t got = recv(s[i], in, sizeof(in), 0);
			size_t done;

			if (got <= 0)
				die("answer");
			done = (odd[i] + (size_t)got) / size;
			odd[i] = (odd[i] + (size_t)got) % size;
			n += done;
			if (done > 0)
				ask(s[i], (uint16_t)n, registers, done);
		}
	}
	printf("{\"n\":%lu,\"bits\":%lu,\"seconds\":%.6f}\n", n, n * size * 8, seconds_since(start));
	for (int i = 0; i < connections; i++)
		hang_up(s[i]);
	return 0;
}

/* ---- at their times -------------------------------------------------------------------------- */

static void sleep_until(uint64_t at)
{
	const struct timespec ts = { (time_t)(at / 1000000000u), (long)(at % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int polling(const struct addrinfo *ai, uint64_t ms, int connections, uint64_t every_ms)
{
	unsigned char in[ANSWER_HEAD + 2];
	int s[CONNECTIONS_MAX];
	uint64_t start, at, n = 0;

	if (connections < 1 || connections > CONNECTIONS_MAX || every_ms == 0)
		return 2;
	for (int i = 0; i < connections; i++) {
		s[i] = dial(ai);
		for (uint16_t k = 0; k < WARM_UP; k++) {
			ask(s[i], k, 1, 1);
			get(s[i], in, sizeof(in));
		}
	}
	printf("ready\n");
	fflush(stdout);
	at = start = now_ns();
	while (at < start + ms * 1000000u) {
		int i = (int)(n++ % (uint64_t)connections);

		if (at / POLLED_NS % 2 != 0) /* until the next half second with polls */
			at = (at / POLLED_NS + 1) * POLLED_NS;
		sleep_until(at);
		ask(s[i], (uint16_t)n, 1, 1);
		get(s[i], in, sizeof(in));
		at += every_ms * 1000000u / (uint64_t)connections;
	}
	printf("{\"n\":%lu,\"seconds\":%.6f}\n", n, seconds_since(start));
	for (int i = 0; i < connections; i++)
		hang_up(s[i]);
	return 0;
}

static int soak(uint64_t ms)
{
	uint64_t slice = now_ns() / SLICE_NS + 1, end = slice + ms * 1000000u / SLICE_NS;

	sleep_until(slice * SLICE_NS);
	printf("[");
	for (; slice < end; slice++) {
		uint64_t n = 0;

		for (; now_ns() < (slice + 1) * SLICE_NS; n++)
			for (volatile unsigned k = 0; k < 200; k++)
				;
		printf("[%lu,%lu]%s", slice, n, slice + 1 < end ? "," : "]\n");
	}
	return 0;
}

static int bulk(const struct addrinfo *ai, uint64_t ms)
{
	static unsigned char block[1 << 17];
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int s = dial(ai);
	uint64_t start = now_ns();
	double took;

	while (now_ns() < start + ms * 1000000u)
		if (send(s, block, sizeof(block), 0) <= 0)
			die("send");
	took = seconds_since(start);
	if (getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		die("what arrived");
	hang_up(s);
	printf("{\"bits\":%llu,\"seconds\":%.6f}\n", info.tcpi_bytes_acked * 8, took);
	return 0;
}

/*
 * Small packets of one DNS flow, at most UDP_WINDOW under way. The last of every UDP_STEP packets
 * asks for an answer, and the sender waits for the answer before the last one. So no queue
 * overflows, and the speed of the path is measured, not the packets that it drops.
 */
static int udp(const struct addrinfo *ai, uint64_t ms)
{
	unsigned char query[] = { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 'k', 'i', 't', 'a', 0, 0, 1, 0, 1 },
		      question[sizeof(query)];
	unsigned char in[64];
	struct timeval patience = { .tv_usec = 20000 };
	struct mmsghdr m[UDP_STEP];
	struct iovec v = { query, sizeof(query) }, last = { question, sizeof(question) };
	uint64_t start, n = 0, answered = 0, lost = 0;
	int s = dial(ai);

	memcpy(question, query, sizeof(query));
	question[sizeof(question) - 1] = '?';
	for (int i = 0; i < UDP_STEP; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = i + 1 < UDP_STEP ? &v : &last, .msg_iovlen = 1 };
	put(s, query, sizeof(query));
	for (int tries = 0;; tries++) { /* until the protocol of the flow is recognised */
		put(s, question, sizeof(question));
		if (recv(s, in, sizeof(in), 0) == sizeof(question))
			break;
		if (tries == 2)
			die("answer");
	}
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	start = now_ns();
	while (now_ns() < start + ms * 1000000u) {
		if (sendmmsg(s, m, UDP_STEP, 0) != UDP_STEP)
			die("send");
		n += UDP_STEP;
		while (n - (answered + lost) * UDP_STEP >= UDP_WINDOW) {
			if (recv(s, in, sizeof(in), 0) > 0)
				answered++;
			else
				lost++; /* the question or its answer was dropped on the way */
		}
	}
	printf("{\"n\":%lu,\"lost\":%lu,\"seconds\":%.6f}\n", n, lost, seconds_since(start));
	return 0;
}

static int hold(const struct addrinfo *ai, long flows, char *const *addresses, int n)
{
	const struct addrinfo *from[FROM_MAX];
	struct rlimit files = { (rlim_t)flows + 64, (rlim_t)flows + 64 };
	unsigned char in[ANSWER_HEAD + 2];

	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		die("descriptors");
	for (int i = 0; i < n; i++)
		from[i] = resolve(addresses[i], "0", SOCK_STREAM);
	for (long i = 0; i < flows; i++) {
		int s = dial_from(ai, from[i % n]);

		ask(s, (uint16_t)i, 1, 1);
		get(s, in, sizeof(in));
	}
	printf("{\"n\":%ld}\n", flows);
	fflush(stdout);
	while (read(STDIN_FILENO, in, sizeof(in)) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct addrinfo *ai;
	long n;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(what, "soak") == 0 && atol(argv[2]) > 0)
		return soak((uint64_t)atol(argv[2]));
	if (argc < 4)
		return 2;
	ai = resolve(argv[2], argv[3],
		     strcmp(what, "udp") == 0 || strcmp(what, "sink") == 0 ? SOCK_DGRAM : SOCK_STREAM);
	if (strcmp(what, "serve") == 0)
		serve(ai);
	if (strcmp(what, "sink") == 0)
		sink(ai);
	if (argc < 5)
		return 2;
	n = atol(argv[4]);
	if (n <= 0)
		return 2;
	if (strcmp(what, "rtt") == 0)
		return rtt(ai, (uint64_t)n);
	if (strcmp(what, "crr") == 0)
		return crr(ai, (uint64_t)n);
	if (strcmp(what, "rate") == 0 && argc == 6)
		return many(ai, (uint64_t)n, atoi(argv[5]), 1, 1);
	if (strcmp(what, "poll") == 0 && argc == 7)
		return polling(ai, (uint64_t)n, atoi(argv[5]), (uint64_t)atol(argv[6]));
	if (strcmp(what, "stream") == 0 && argc == 7)
		return many(ai, (uint64_t)n, atoi(argv[5]), atoi(argv[6]), REGISTERS_MAX);
	if (strcmp(what, "bulk") == 0)
		return bulk(ai, (uint64_t)n);
	if (strcmp(what, "udp") == 0)
		return udp(ai, (uint64_t)n);
	if (strcmp(what, "hold") == 0 && argc > 5 && argc - 5 <= FROM_MAX)
		return hold(ai, n, argv + 5, argc - 5);
	return 2;
}
