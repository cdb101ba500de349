/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of links, addresses and routes that come or change, and of what may lead packets another way. */
#include "appliance/box/rtnl_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/box/netns.h"

#define GROUP(g) (1u << ((g)-1))

int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct err back;
	int fd, code;

	if (facts)
		a.nl_groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
			       GROUP(RTNLGRP_IPV4_RULE) | GROUP(RTNLGRP_IPV6_RULE) | GROUP(RTNLGRP_TC);
	code = netns_enter(nsfd, e);
	if (code < 0)
		return code;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	code = -errno;
	if (netns_enter(homefd, &back) < 0)
		abort(); /* everything after this would touch the wrong namespace */
	if (fd < 0)
		return err_set(e, code, "open rtnetlink");
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	code = -errno;
	close(fd);
	return err_set(e, code, "listen for links");
}

static void new_link(const struct nlmsghdr *h, void (*each)(void *ctx, const char *device), void *ctx)
{
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(struct ifinfomsg))
		return;
	each_attr(a, h, sizeof(struct ifinfomsg)) if (mnl_attr_get_type(a) == IFLA_IFNAME &&
						      mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		each(ctx, mnl_attr_get_str(a));
}

bool rtnl_monitor(int fd, void (*each)(void *ctx, const char *device), void *ctx, bool *lost)
{
	static _Alignas(8) uint8_t buf[RTNL_ANSWER_BYTES];
	bool heard = false;

	*lost = false;
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
		int left = (int)n;

		if (n < 0 && errno == ENOBUFS) {
			*lost = heard = true;
			continue;
		}
		if (n <= 0)
			return heard;
		heard = true;
		for (; each != NULL && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			new_link(h, each, ctx);
	}
}
