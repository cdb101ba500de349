/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the gate's socket for questions about sessions. Runs in the supervisor. */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/kernel/conntrack.h"

int session_probe_open(struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int r;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket for sessions");
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0) {
		r = err_set(e, -errno, "netlink socket for sessions");
		close(fd);
		return r;
	}
	return fd;
}
