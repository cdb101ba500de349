/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/kernel/image.h"

#define MONITOR_READ 65536u
/* bytes: room for the reports of a flush of thousands of elements */
#define MONITOR_QUEUE (8 << 20)

/* The socket is passed from one enforce process to the next: a filter that was left on it could
 * hide the kernel's answers. */
static int requests_open(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0 ? -errno : 0;
}

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
	if (r == 0)
		r = monitor ? monitor_open(fd) : requests_open(fd);
	if (r < 0) {
		close(fd);
		return err_set(e, r, "netlink socket for the rules");
	}
	return fd;
}

/*
 * Ignores our own transactions: a policy of a hundred thousand cells would overrun the queue and
 * lose reports about others. All messages of one transmission belong to one transaction and name
 * its sender.
 */
int enforce_socket_ignore(int monitor, uint32_t portid, struct err *e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (setsockopt(monitor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return err_set(e, -errno, "whose changes of the rules are heard");
	return 0;
}

bool enforce_socket_here(int fd)
{
	int mine = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), kind = 0;
	uint64_t its = 0, here = 0;
	socklen_t n = sizeof(its), m = sizeof(here), k = sizeof(kind);
	struct sockaddr_nl self = { 0 };
	socklen_t len = sizeof(self);
	bool same = mine >= 0 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &kind, &k) == 0 && kind == NETLINK_NETFILTER &&
		    getsockname(fd, (struct sockaddr *)&self, &len) == 0 && self.nl_family == AF_NETLINK &&
		    self.nl_pid != 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &its, &n) == 0 &&
		    getsockopt(mine, SOL_SOCKET, SO_NETNS_COOKIE, &here, &m) == 0 && its == here;

	if (mine >= 0)
		close(mine);
	return same;
}

/* The table's name has the same attribute number in tables, chains, rules, sets, elements and
 * objects. */
static int find_ours(const struct nlattr *a, void *ctx)
{
	bool *found = ctx;

	*found |= mnl_attr_get_type(a) == NFTA_TABLE_NAME && mnl_attr_get_payload_len(a) == sizeof(TABLE_NAME) &&
		  memcmp(mnl_attr_get_payload(a), TABLE_NAME, sizeof(TABLE_NAME)) == 0;
	return MNL_CB_OK;
}

static bool concerns_ours(const struct nlmsghdr *m)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	bool found = false;

	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || (m->nlmsg_type & 0xff) == NFT_MSG_NEWGEN ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(*g) || g->nfgen_family != NFPROTO_INET)
		return false;
	mnl_attr_parse(m, sizeof(*g), find_ours, &found);
	return found;
}

bool enforce_socket_touched(int monitor)
{
	static _Alignas(struct nlmsghdr) uint8_t told[MONITOR_READ];
	bool touched = false;
	ssize_t n;

	while ((n = recv(monitor, told, sizeof(told), MSG_DONTWAIT | MSG_TRUNC)) != 0) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)told;
		int left = (int)n;

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			break;
		if (n < 0 || n > (ssize_t)sizeof(told)) {
			touched |= n > 0 || errno == ENOBUFS;
			continue;
		}
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			touched |= concerns_ours(m);
	}
	return touched;
}
