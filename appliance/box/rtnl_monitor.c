/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of links, addresses and routes that come or change, and of what may lead packets another way. */
#include "appliance/box/rtnl_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/box/netns.h"

#define GROUP(g) (1u << ((g)-1))

static int listen_to(int family, uint32_t groups, int nsfd, int homefd, struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
	struct err back;
	int fd, code;

	code = netns_enter(nsfd, e);
	if (code < 0)
		return code;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family);
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

int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e)
{
	uint32_t groups = RTMGRP_LINK;

	if (facts)
		groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
			  GROUP(RTNLGRP_IPV4_RULE) | GROUP(RTNLGRP_IPV6_RULE) | GROUP(RTNLGRP_TC);
	return listen_to(NETLINK_ROUTE, groups, nsfd, homefd, e);
}

/* Elements of sets are a policy's, a hundred thousand at a time: a transmission that begins with one is not told. */
int rtnl_rules_open(int nsfd, int homefd, struct err *e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSETELEM), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };
	int fd = listen_to(NETLINK_NETFILTER, GROUP(NFNLGRP_NFTABLES), nsfd, homefd, e);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0) {
		err_set(e, -errno, "listen for rules");
		close(fd);
		return e->code;
	}
	return fd;
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
