/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink for the tap: opens its sockets, and takes the kernel's messages apart. */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/tap/tap.h"

int tap_socket(int protocol, int flags, int room, const char *what, struct err *e)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol), r;

	if (fd < 0)
		return err_set(e, -errno, "%s", what);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	r = err_set(e, -errno, "%s", what);
	close(fd);
	return r;
}

/* Messages and attributes are aligned to 4 bytes; the last one may have no padding. */
static void skip_padding(struct bytes *b, uint32_t length)
{
	size_t pad = (4u - length % 4u) % 4u;

	bytes_skip(b, pad < b->left ? pad : b->left);
}

bool tap_message(struct bytes *datagram, uint16_t *ret_type, struct bytes *ret, uint64_t *malformed)
{
	uint32_t length;

	if (!bytes_copy(datagram, &length, sizeof(length)) || length < 16 || !bytes_take(datagram, length - 4u, ret)) {
		/* Without this, a caller's loop over an invalid datagram would not end. */
		*datagram = bytes_of(datagram->p, 0);
		++*malformed;
		return false;
	}
	skip_padding(datagram, length);
	bytes_copy(ret, ret_type, sizeof(*ret_type));
	bytes_skip(ret, 10); /* flags, sequence, port */
	return true;
}

bool tap_attribute(struct bytes *b, uint16_t *ret_type, struct bytes *ret)
{
	uint16_t length;

	if (b->left < 4 || !bytes_copy(b, &length, sizeof(length)) || !bytes_copy(b, ret_type, sizeof(*ret_type)))
		return false;
	if (length < 4 || !bytes_take(b, length - 4u, ret)) {
		b->failed = true;
		return false;
	}
	*ret_type = (uint16_t)(*ret_type & NLA_TYPE_MASK);
	skip_padding(b, length);
	return true;
}
