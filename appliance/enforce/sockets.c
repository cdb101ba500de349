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
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/links.h"
#include "appliance/kernel/isolation_pairs.h"
#include "appliance/wire/event.h"

#define MONITOR_READ 65536u
/* bytes: room for the reports of a flush of thousands of elements */
#define MONITOR_QUEUE (8 << 20)

/* Makes it impossible to set a filter on the socket. The socket is passed from one enforce process
 * to the next, and a filter that one of them left on it could hide the kernel's answers. */
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
 * Makes the monitor ignore our own transactions, because the reports of a policy with a hundred
 * thousand cells would overrun the queue, and reports about changes by others would be lost. All
 * messages of one transmission belong to one transaction and name its sender.
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

struct sought {
	uint16_t type;
	const struct nlattr *found;
};

static int seek(const struct nlattr *a, void *ctx)
{
	struct sought *s = ctx;

	if (mnl_attr_get_type(a) != s->type)
		return MNL_CB_OK;
	s->found = a;
	return MNL_CB_STOP;
}

const struct nlattr *enforce_socket_attribute(const struct nlmsghdr *m, uint16_t type)
{
	struct sought s = { .type = type };

	mnl_attr_parse(m, sizeof(struct nfgenmsg), seek, &s);
	return s.found;
}

bool enforce_socket_ours(const struct nlmsghdr *m)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	const struct nlattr *table = enforce_socket_attribute(m, NFTA_TABLE_NAME);

	return (m->nlmsg_type & 0xff) != NFT_MSG_NEWGEN && mnl_nlmsg_get_payload_len(m) >= sizeof(*g) &&
	       g->nfgen_family == NFPROTO_INET && table != NULL &&
	       mnl_attr_get_payload_len(table) == sizeof(TABLE_NAME) &&
	       memcmp(mnl_attr_get_payload(table), TABLE_NAME, sizeof(TABLE_NAME)) == 0;
}

uint64_t enforce_socket_reports(int monitor, socket_report *each, void *ctx)
{
	static _Alignas(struct nlmsghdr) uint8_t told[MONITOR_READ];

	for (;;) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)told;
		uint64_t asked_ns = clock_mono().ns;
		ssize_t n = recv(monitor, told, sizeof(told), MSG_DONTWAIT | MSG_TRUNC);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if ((n < 0 && errno == ENOBUFS) || n > (ssize_t)sizeof(told)) {
			each(ctx, NULL);
			continue;
		}
		if (n <= 0)
			return asked_ns;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (m->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES)
				each(ctx, m);
	}
}

static void note_ours(void *ctx, const struct nlmsghdr *m)
{
	bool *touched = ctx;

	*touched |= m == NULL || enforce_socket_ours(m);
}

bool enforce_socket_touched(int monitor)
{
	bool touched = false;

	(void)enforce_socket_reports(monitor, note_ours, &touched);
	return touched;
}

/* ---- links ----------------------------------------------------------------------------------- */

struct neighbours {
	struct neighbour *list;
	size_t n, most;
};

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

static int note_attribute(const struct nlattr *a, void *ctx)
{
	const uint8_t *p = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);
	struct neighbour *one = ctx;

	if (mnl_attr_get_type(a) == NDA_DST && n == addr_len(one->address.family))
		memcpy(one->address.b, p, n);
	else if (mnl_attr_get_type(a) == NDA_LLADDR && n == 6)
		one->mac = event_mac_value(p);
	return MNL_CB_OK;
}

/* Adds the neighbour of a message, if its MAC address is known. */
static int note_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	struct neighbours *to = ctx;
	struct neighbour one;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*nd) || to->n == to->most ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6) || (nd->ndm_flags & NTF_PROXY) != 0 ||
	    (nd->ndm_state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP)) != 0)
		return MNL_CB_OK;
	one = (struct neighbour){ .address.family = nd->ndm_family == AF_INET ? 4 : 6 };
	(void)mnl_attr_parse(h, sizeof(*nd), note_attribute, &one);
	/* fe80::/10 says nothing: other machines may have the same address on other links */
	if (one.mac != 0 && (one.address.family == 4 || one.address.b[0] != 0xfe || one.address.b[1] >> 6 != 2))
		to->list[to->n++] = one;
	return MNL_CB_OK;
}

int neighbours_open(struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return fd >= 0 ? fd : err_set(e, -errno, "netlink socket for neighbours");
}

/* The kernel answers a dump in the same call that asks for the next part, so nothing is waited
 * for. */
int neighbours_read(int fd, struct neighbour *ret, size_t most)
{
	static uint32_t seq;
	struct {
		struct nlmsghdr h;
		struct ndmsg nd;
	} ask = { { sizeof(ask), RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, ++seq, 0 }, { .ndm_family = AF_UNSPEC } };
	struct neighbours to = { ret, 0, most };
	uint8_t buf[32768];
	int r = MNL_CB_OK;

	links_drain(fd); /* what a dump before left */
	if (write(fd, &ask, sizeof(ask)) < 0)
		return -errno;
	while (r == MNL_CB_OK) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r = mnl_cb_run(buf, (size_t)n, seq, 0, note_neighbour, &to);
	}
	return r == MNL_CB_STOP ? (int)to.n : -EIO;
}

void links_drain(int fd)
{
	uint8_t buf[16384];

	/* Neither the contents nor an overrun matter, because the indexes of all devices are read
	 * again afterwards. */
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
		continue;
}

/* Asks through an open socket, because if_nametoindex would open a new one, which the sandbox
 * forbids. */
static bool ask_device(int fd, unsigned long what, const char *device, struct ifreq *ret)
{
	*ret = (struct ifreq){ 0 };
	if (strlen(device) >= sizeof(ret->ifr_name))
		return false;
	memcpy(ret->ifr_name, device, strlen(device));
	return ioctl(fd, what, ret) == 0;
}

bool links_resolve(int fd, struct generation_held *g)
{
	bool changed = false;
	struct ifreq q;

	for (uint32_t i = 0; i < g->ir.n_interfaces; i++) {
		const struct ir_interface *n = &g->ir.interfaces[i];
		uint32_t index = !n->admin && ask_device(fd, SIOCGIFINDEX, n->device, &q) ? (uint32_t)q.ifr_ifindex : 0;

		changed |= index != g->interfaces[i];
		g->interfaces[i] = index;
	}
	return changed;
}

void links_up(int fd, const struct ir *ir, bool *ret)
{
	struct ifreq q;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		ret[i] = !ir->interfaces[i].admin && ask_device(fd, SIOCGIFFLAGS, ir->interfaces[i].device, &q) &&
			 (q.ifr_flags & IFF_UP) != 0 && (q.ifr_flags & IFF_RUNNING) != 0;
}
