/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/links.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int links_open(struct err *e)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), r;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket for links");
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		r = err_set(e, -errno, "hear of links");
		close(fd);
		return r;
	}
	return fd;
}

void links_drain(int fd)
{
	uint8_t buf[16384];

	/* The contents, or an overrun, do not matter: all devices are resolved anew. */
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
		continue;
}

/* Asks through an open socket, because if_nametoindex would open one, which the sandbox forbids. */
static uint32_t index_of(int fd, const char *device)
{
	struct ifreq q = { 0 };

	if (strlen(device) >= sizeof(q.ifr_name))
		return 0;
	memcpy(q.ifr_name, device, strlen(device));
	return ioctl(fd, SIOCGIFINDEX, &q) < 0 ? 0 : (uint32_t)q.ifr_ifindex;
}

bool links_resolve(int fd, const struct ir *ir, uint32_t *ret)
{
	bool changed = false;

	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		uint32_t index = ir->interfaces[i].admin ? 0 : index_of(fd, ir->interfaces[i].device);

		changed |= index != ret[i];
		ret[i] = index;
	}
	return changed;
}

static bool is_up(int fd, const char *device)
{
	struct ifreq q = { 0 };

	if (strlen(device) >= sizeof(q.ifr_name))
		return false;
	memcpy(q.ifr_name, device, strlen(device));
	return ioctl(fd, SIOCGIFFLAGS, &q) == 0 && (q.ifr_flags & IFF_UP) != 0 && (q.ifr_flags & IFF_RUNNING) != 0;
}

void links_up(int fd, const struct ir *ir, bool *ret)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		ret[i] = !ir->interfaces[i].admin && is_up(fd, ir->interfaces[i].device);
}
