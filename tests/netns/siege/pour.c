/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   pour ADDRESS PORT SECONDS MOST
 *
 * Sends UDP datagrams of four bytes to an address that need not answer, at most MOST a second, from
 * one socket. Prints as JSON how many the kernel accepted and in which time. A datagram that the
 * kernel did not accept was not sent.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define AT_ONCE 64

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct iovec v = { (void *)(uintptr_t) "pour", 4 };
	struct mmsghdr m[AT_ONCE];
	double begin, passed = 0, seconds, most;
	const struct timespec turn = { .tv_nsec = 200000 };
	uint64_t sent = 0;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 5 || s < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	seconds = atof(argv[3]);
	most = atof(argv[4]);
	if (connect(s, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return 3;
	memset(m, 0, sizeof(m));
	for (int i = 0; i < AT_ONCE; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 };
	for (begin = now(); passed < seconds; passed = now() - begin) {
		if ((double)sent >= passed * most) {
			nanosleep(&turn, NULL);
			continue;
		}
		int n = sendmmsg(s, m, AT_ONCE, 0);

		if (n > 0)
			sent += (uint64_t)n;
	}
	printf("{\"sent\":%lu,\"seconds\":%.3f}\n", (unsigned long)sent, passed);
	return 0;
}
