/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/box/netns.h"
#include "appliance/box/rtnl_private.h"
#include "appliance/kernel/talk.h"

#define REQUEST_BYTES 4608u /* bytes: enough for a route of many next hops that is sent again */
#define DUMP_TRIES 5

struct rtnl {
	struct netlink net;
	bool dry;
	rtnl_note *note; /* NULL = changes are not reported */
	void *note_ctx;
	uint8_t request[REQUEST_BYTES];
};

struct rtnl *rtnl_open(int nsfd, int homefd, struct err *e)
{
	struct rtnl *r = calloc(1, sizeof(*r));
	int fd;

	if (r == NULL) {
		err_set(e, -ENOMEM, "rtnetlink");
		return NULL;
	}
	fd = netns_socket(nsfd, homefd, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "open rtnetlink", e);
	if (fd >= 0 && netlink_open(&r->net, fd, e) == 0)
		return r;
	if (fd >= 0)
		netlink_close_here(&r->net);
	free(r);
	return NULL;
}

void rtnl_tell(struct rtnl *r, bool dry, rtnl_note *note, void *ctx)
{
	r->dry = dry;
	r->note = note;
	r->note_ctx = ctx;
}

bool rtnl_told(const struct rtnl *r, const char *what, const char *detail)
{
	if (r->note != NULL)
		r->note(r->note_ctx, what, detail);
	return !r->dry;
}

void rtnl_close(struct rtnl *r)
{
	if (r == NULL)
		return;
	netlink_close_here(&r->net);
	free(r);
}

struct nlmsghdr *rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(r->request, 0, sizeof(r->request));
	h = mnl_nlmsg_put_header(r->request);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++r->net.seq;
	return h;
}

static int ignored(const struct nlmsghdr *m, void *ctx)
{
	return 0;
}

int rtnl_talk(struct rtnl *r, struct nlmsghdr *h, rtnl_message *each, void *ctx)
{
	struct err e;

	return netlink_ask(&r->net, h, each != NULL ? each : ignored, ctx, &e);
}

int rtnl_order(struct rtnl *r, struct nlmsghdr *h, struct err *e, const char *fmt, ...)
{
	int status = rtnl_talk(r, h, NULL, NULL);
	char what[160];
	va_list args;

	if (status >= 0)
		return 0;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set(e, status, "%s", what);
}

int rtnl_each(struct rtnl *r, uint16_t type, const void *header, size_t n, rtnl_message *each,
	      void (*restart)(void *ctx), void *ctx, struct err *e)
{
	int status = -EINTR;

	for (int i = 0; i < DUMP_TRIES && (status == -EINTR || status == -ENOBUFS); i++) {
		struct nlmsghdr *h = rtnl_begin(r, type, NLM_F_DUMP);
		void *to = mnl_nlmsg_put_extra_header(h, n);

		if (header != NULL)
			memcpy(to, header, n);
		restart(ctx);
		status = rtnl_talk(r, h, each, ctx);
	}
	return status < 0 ? err_set(e, status, "list of kind %u", type) : 0;
}

int rtnl_replay(struct rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, type, (uint16_t)(NLM_F_ACK | flags));

	if (n > REQUEST_BYTES - 64u)
		return err_set(e, -EMSGSIZE, "message of kind %u", type);
	memcpy(mnl_nlmsg_put_extra_header(h, n), body, n);
	return rtnl_order(r, h, e, "message of kind %u", type);
}

bool rtnl_attr_inside(const struct nlmsghdr *h, const struct nlattr *a)
{
	const char *tail = mnl_nlmsg_get_payload_tail(h);

	return tail >= (const char *)a && mnl_attr_ok(a, (int)(tail - (const char *)a));
}

/* A socket that receives changes of links, addresses and routes, and of all that may redirect
 * packets. */

#define GROUP(g) (1u << ((g)-1))

static int listen_to(int family, uint32_t groups, int nsfd, int homefd, struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = netns_socket(nsfd, homefd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, family, "open rtnetlink", e), code;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
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

/* A policy may add a hundred thousand set elements at once, so a message that begins with an
 * element is not reported. */
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
	each_attr(a, h, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
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
