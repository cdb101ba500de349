/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/sockets.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define MONITOR_QUEUE (8 << 20) /* bytes: a flush of thousands of elements is heard to its end */

static int monitor_open(int fd)
{
	int group = NFNLGRP_NFTABLES, queue = MONITOR_QUEUE;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) < 0)
		return -errno;
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno : 0;
}

int enforce_socket_open(bool monitor, struct err *e)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (monitor ? SOCK_NONBLOCK : 0), NETLINK_NETFILTER), r = 0;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket for the rules");
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		r = -errno;
	if (r == 0 && monitor)
		r = monitor_open(fd);
	if (r < 0) {
		close(fd);
		return err_set(e, r, "netlink socket for the rules");
	}
	return fd;
}
