/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a message from any role to any role: msg_recv either refuses it or returns what
 * message.def describes, and this must be sent as the same bytes. The first two bytes choose the
 * sender, the number of descriptors, and the receiver.
 *
 * LINK: appliance/wire/msg.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/utf8.c
 * LINK: appliance/base/memfd.c
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHOICES 2u
#define HEAD 12u /* a ping has only the first 8 of these bytes */

/* An accepted message, written again by msg_send, has the same bytes. */
static void same_again(const int sv[2], const struct msg *m, const uint8_t *frame, size_t n)
{
	uint8_t again[HEAD + MSG_BODY];
	ssize_t got;

	if (msg_send(sv[0], m->id, &m->body, m->fds, m->n_fds) != 0)
		abort();
	got = recv(sv[1], again, sizeof(again), 0);
	if ((size_t)got != n || memcmp(again, frame, n) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		char buf[CMSG_SPACE(MSG_FDS * sizeof(int))];
		struct cmsghdr align;
	} c = { 0 };
	struct iovec iov;
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sv[2], fds[MSG_FDS];
	size_t n_fds;
	struct msg m;

	if (size < CHOICES || size > 8192 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return 0;
	n_fds = (data[0] >> 4) % (MSG_FDS + 1);
	iov.iov_base = (void *)(uintptr_t)(data + CHOICES);
	iov.iov_len = size - CHOICES;
	for (size_t i = 0; i < MSG_FDS; i++)
		fds[i] = sv[1];
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
	if (sendmsg(sv[0], &mh, MSG_NOSIGNAL) >= 0) {
		int r = msg_recv(sv[1], (enum role)(data[0] & 15), (enum role)(data[1] & 15), &m);

		if (r == 1) {
			if (m.n_fds != n_fds || m.body.type == MSG_NONE)
				abort();
			same_again(sv, &m, data + CHOICES, size - CHOICES);
			msg_close_fds(&m);
		} else if (m.n_fds != 0) {
			abort();
		}
	}
	close(sv[0]);
	close(sv[1]);
	return 0;
}
