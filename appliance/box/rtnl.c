/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "appliance/box/netns.h"
#include "appliance/box/rtnl_private.h"

#define REQUEST_BYTES 4608u /* bytes: enough for a route of many next hops that is sent again */
#define DUMP_TRIES 5

struct rtnl {
	struct mnl_socket *s;
	uint32_t seq;
	bool dry;
	rtnl_note *note; /* NULL = changes are not reported */
	void *note_ctx;
	uint8_t request[REQUEST_BYTES];
	uint8_t answer[RTNL_ANSWER_BYTES];
};

struct rtnl *rtnl_open(int nsfd, int homefd, struct err *e)
{
	struct timeval limit = { .tv_sec = 2 };
	struct rtnl *r = calloc(1, sizeof(*r));
	struct err back;

	if (r == NULL) {
		err_set(e, -ENOMEM, "rtnetlink");
		return NULL;
	}
	if (netns_enter(nsfd, e) < 0) {
		free(r);
		return NULL;
	}
	r->s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (r->s == NULL)
		err_set(e, -errno, "open rtnetlink");
	if (netns_enter(homefd, &back) < 0)
		abort(); /* everything afterwards would act on the wrong namespace */
	if (r->s != NULL && mnl_socket_bind(r->s, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_set(e, -errno, "bind rtnetlink");
		mnl_socket_close(r->s);
		r->s = NULL;
	}
	if (r->s == NULL) {
		free(r);
		return NULL;
	}
	setsockopt(mnl_socket_get_fd(r->s), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return r;
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
	mnl_socket_close(r->s);
	free(r);
}

struct nlmsghdr *rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(r->request, 0, sizeof(r->request));
	h = mnl_nlmsg_put_header(r->request);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++r->seq;
	return h;
}

/*
 * Handles one message of an answer. *status gets the result of the whole answer. True: it was the
 * last message. An interrupted dump is read to its end, because until then the kernel refuses
 * another dump on this socket (EBUSY).
 */
static bool answered(const struct nlmsghdr *m, const struct nlmsghdr *request, mnl_cb_t cb, void *ctx, int *status)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);

	if ((m->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		*status = -EAGAIN;
	if (m->nlmsg_type == NLMSG_DONE)
		return true;
	if (m->nlmsg_type == NLMSG_ERROR) {
		if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
			*status = -EBADMSG;
		else if (err->error != 0)
			*status = err->error < 0 ? err->error : -err->error;
		return true;
	}
	if (*status == 0 && cb != NULL)
		(void)cb(m, ctx);
	/* The answer to a question about one link, route or namespace id has no end mark. All other
	 * answers end with ACK or DONE. */
	return cb != NULL && (request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)) == 0;
}

int rtnl_talk(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *ctx)
{
	unsigned portid = mnl_socket_get_portid(r->s);
	int status = 0;

	if (mnl_socket_sendto(r->s, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(r->s, r->answer, sizeof(r->answer));
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)r->answer;
		int left = (int)n;

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (mnl_nlmsg_seq_ok(m, r->seq) && mnl_nlmsg_portid_ok(m, portid) &&
			    answered(m, h, cb, ctx, &status))
				return status;
	}
}

int rtnl_each(struct rtnl *r, uint16_t type, size_t header, rtnl_message *each, void (*restart)(void *ctx), void *ctx,
	      struct err *e)
{
	int status = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && status == -EAGAIN; i++) {
		struct nlmsghdr *h = rtnl_begin(r, type, NLM_F_DUMP);

		mnl_nlmsg_put_extra_header(h, header);
		restart(ctx);
		status = rtnl_talk(r, h, each, ctx);
	}
	return status < 0 ? err_set(e, status, "list of kind %u", type) : 0;
}

int rtnl_replay(struct rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, type, (uint16_t)(NLM_F_ACK | flags));
	int status = n > REQUEST_BYTES - 64u ? -EMSGSIZE : 0;

	if (status == 0) {
		memcpy(mnl_nlmsg_put_extra_header(h, n), body, n);
		status = rtnl_talk(r, h, NULL, NULL);
	}
	return status < 0 ? err_set(e, status, "message of kind %u", type) : 0;
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
	struct err back;
	int fd, code;

	code = netns_enter(nsfd, e);
	if (code < 0)
		return code;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family);
	code = -errno;
	if (netns_enter(homefd, &back) < 0)
		abort(); /* everything afterwards would act on the wrong namespace */
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

/* Hosts for which the kernel answers on a device although they are behind another one (proxy ARP,
 * proxy NDP): reading the list, and changing one entry. */

struct hosts {
	struct rtnl_answer *list;
	size_t n, room;
	uint32_t index;
	bool failed;
};

static int on_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct hosts *x = ctx;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*nd) ||
	    (nd->ndm_flags & NTF_PROXY) == 0 || (uint32_t)nd->ndm_ifindex != x->index ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return MNL_CB_OK;
	each_attr(a, h, sizeof(*nd))
	{
		uint8_t family = nd->ndm_family == AF_INET ? 4 : 6;

		if (mnl_attr_get_type(a) != NDA_DST || mnl_attr_get_payload_len(a) != addr_len(family))
			continue;
		if (x->n == x->room) {
			size_t room = x->room == 0 ? 64 : x->room * 2;
			struct rtnl_answer *p = reallocarray(x->list, room, sizeof(*p));

			if (p == NULL) {
				x->failed = true;
				return MNL_CB_OK;
			}
			x->list = p;
			x->room = room;
		}
		x->list[x->n] = (struct rtnl_answer){ { .family = family }, (nd->ndm_flags & NTF_ROUTER) != 0 };
		memcpy(x->list[x->n++].host.b, mnl_attr_get_payload(a), addr_len(family));
	}
	return MNL_CB_OK;
}

int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETNEIGH, NLM_F_DUMP);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	struct hosts x = { .index = index };
	int status;

	nd->ndm_flags = NTF_PROXY; /* lists the proxy entries alone, not the neighbours */
	status = rtnl_talk(r, h, on_neighbour, &x);
	if (status == 0 && x.failed)
		status = -ENOMEM;
	if (status < 0) {
		free(x.list);
		return err_set(e, status, "list for whom it answers");
	}
	*ret = x.list;
	*ret_n = x.n;
	return 0;
}

int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e)
{
	struct nlmsghdr *h =
		rtnl_begin(r, add ? RTM_NEWNEIGH : RTM_DELNEIGH, (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE : 0)));
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	char text[ADDR_TEXT], whole[ADDR_TEXT + 32];
	int status;

	addr_text(&a->host, text);
	snprintf(whole, sizeof(whole), "answer for %s%s", text, a->router ? " (router)" : "");
	if (!rtnl_told(r, add ? "missing" : "extra", whole))
		return 0;
	nd->ndm_family = a->host.family == 4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = (int)index;
	nd->ndm_flags = (uint8_t)(NTF_PROXY | (a->router ? NTF_ROUTER : 0));
	nd->ndm_state = NUD_PERMANENT;
	mnl_attr_put(h, NDA_DST, addr_len(a->host.family), a->host.b);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "%s %s", add ? "add" : "remove", whole) : 0;
}
