/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/tap/neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/tap/attributes.h"

#define RECEIVE_QUEUE (1 << 20)
/* States in which the kernel has just heard the host. If the kernel only tries to reach an address,
 * or a person has entered it, no host was heard. */
#define HEARD (NUD_REACHABLE | NUD_STALE)

/* ---- opening, in the supervisor -------------------------------------------------------------- */

static int ask_all(int fd)
{
	const struct {
		struct nlmsghdr h;
		struct ndmsg n;
	} question = { .h = { .nlmsg_len = sizeof(question),
			      .nlmsg_type = RTM_GETNEIGH,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

	return send(fd, &question, sizeof(question), 0) < 0 ? -errno : 0;
}

int tap_neighbours_open(struct err *e)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int room = RECEIVE_QUEUE, group = RTNLGRP_NEIGH, r = 0;

	if (fd < 0)
		return err_set(e, -errno, "open the socket that hears of neighbours");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		r = -errno;
	if (r == 0)
		r = ask_all(fd);
	if (r == 0)
		return fd;
	close(fd);
	return err_set(e, r, "hear of neighbours");
}

/* ---- parsing --------------------------------------------------------------------------------- */

static bool attributes(struct bytes b, uint8_t family, struct sighting *s)
{
	struct bytes value;
	uint16_t type;

	while (tap_attribute(&b, &type, &value)) {
		if (type == NDA_LLADDR && value.left == sizeof(s->mac))
			s->is = bytes_copy(&value, s->mac, sizeof(s->mac));
		if (type == NDA_DST && value.left == addr_len(family)) {
			s->address.family = family;
			bytes_copy(&value, s->address.b, addr_len(family));
		}
	}
	return bytes_done(&b);
}

bool tap_neighbour_next(struct bytes *datagram, struct sighting *ret, uint64_t *malformed)
{
	struct ndmsg n;
	struct bytes m;
	uint16_t type;

	*ret = (struct sighting){ 0 };
	if (!tap_message(datagram, &type, &m)) {
		++*malformed;
		return false;
	}
	if (type != RTM_NEWNEIGH)
		return false;
	if (!bytes_copy(&m, &n, sizeof(n)) || !attributes(m, n.ndm_family == AF_INET ? 4 : 6, ret)) {
		++*malformed;
		return false;
	}
	ret->iif = n.ndm_ifindex > 0 ? (uint32_t)n.ndm_ifindex : 0;
	return ret->is && (n.ndm_family == AF_INET || n.ndm_family == AF_INET6) && ret->iif != 0 &&
	       (n.ndm_state & HEARD) != 0 && (n.ndm_flags & NTF_PROXY) == 0 && sighting_is_mac(ret->mac);
}
