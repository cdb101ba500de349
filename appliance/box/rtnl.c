/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "appliance/box/netns.h"

#define REQUEST_BYTES 512u
#define ANSWER_BYTES 32768u
#define DUMP_TRIES 5
/* Routes of ours, among others that people or programs may set: free for private use in rtnetlink.h's list. */
#define ROUTE_PROTOCOL 83u

struct rtnl {
	struct mnl_socket *s;
	uint32_t seq;
	bool dry;
	rtnl_note *note; /* NULL = nobody listens */
	void *note_ctx;
	uint8_t request[REQUEST_BYTES];
	uint8_t answer[ANSWER_BYTES];
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
		abort(); /* everything after this would touch the wrong namespace */
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

/* True when the change is to be made. */
static bool tell(const struct rtnl *r, const char *what, const char *detail)
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

static struct nlmsghdr *begin(struct rtnl *r, uint16_t type, uint16_t flags)
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
 * One message of an answer; *status is 0, or what the answer as a whole comes to. True when it was the last. An interrupted
 * dump goes on to its end, which must be read: what is left of it would be taken for the answer of the next question.
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
	/* One link asked by name comes without an end mark; everything else ends by ACK or DONE. */
	return cb != NULL && (request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)) == 0;
}

/* Sends and reads all answers. 0 or negative errno; -EAGAIN stands for "interrupted dump, ask again". */
static int talk(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *ctx)
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
		struct nlmsghdr *h = begin(r, type, NLM_F_DUMP);

		mnl_nlmsg_put_extra_header(h, header);
		restart(ctx);
		status = talk(r, h, each, ctx);
	}
	return status < 0 ? err_set(e, status, "list of kind %u", type) : 0;
}

/* Whether `a` lies wholly inside the message; libmnl's own loop macro narrows the distance without saying so. */
static bool attr_inside(const struct nlmsghdr *h, const struct nlattr *a)
{
	const char *tail = mnl_nlmsg_get_payload_tail(h);

	return tail >= (const char *)a && mnl_attr_ok(a, (int)(tail - (const char *)a));
}

#define each_attr(a, h, header)                                                                                        \
	for ((a) = mnl_nlmsg_get_payload_offset((h), (header)); attr_inside((h), (a)); (a) = mnl_attr_next(a))

struct link_answer {
	struct rtnl_link *link;
};

static int on_link(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct rtnl_link *l = ((struct link_answer *)ctx)->link;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(*ifi))
		return MNL_CB_OK;
	l->index = (uint32_t)ifi->ifi_index;
	l->up = (ifi->ifi_flags & IFF_UP) != 0;
	each_attr(a, h, sizeof(*ifi))
	{
		uint16_t type = mnl_attr_get_type(a);
		uint32_t *to = type == IFLA_MTU	      ? &l->mtu
			       : type == IFLA_MIN_MTU ? &l->mtu_min
			       : type == IFLA_MAX_MTU ? &l->mtu_max
						      : NULL;

		if (to != NULL && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			*to = mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

int rtnl_link_get(struct rtnl *r, const char *device, struct rtnl_link *ret, struct err *e)
{
	struct nlmsghdr *h = begin(r, RTM_GETLINK, 0);
	struct link_answer ctx = { .link = ret };
	int status;

	*ret = (struct rtnl_link){ 0 };
	if (strlen(device) >= IFNAMSIZ)
		return err_set(e, -ENODEV, "device %s", device);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	status = talk(r, h, on_link, &ctx);
	if (status == 0 && ret->index == 0)
		status = -ENODEV;
	return status < 0 ? err_set(e, status, "device %s", device) : 0;
}

int rtnl_link_set(struct rtnl *r, uint32_t index, bool up, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	if (!tell(r, "changed", mtu != 0 ? "mtu" : up ? "down" : "up"))
		return 0;
	ifi->ifi_index = (int)index;
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, mtu != 0 ? "set its MTU to %u" : "set it up or down", mtu) : 0;
}

int rtnl_link_pair(struct rtnl *r, const char *device, const char *peer, uint32_t mtu, struct err *e)
{
	struct nlmsghdr *h = begin(r, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *other;
	int status;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, peer);
	mnl_attr_nest_end(h, other);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "device %s", device) : 0;
}

int rtnl_link_delete(struct rtnl *r, uint32_t index, struct err *e)
{
	struct nlmsghdr *h = begin(r, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "remove it") : 0;
}

int rtnl_link_move(struct rtnl *r, uint32_t index, int to_nsfd, struct err *e)
{
	struct nlmsghdr *h = begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	int status;

	ifi->ifi_index = (int)index;
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)to_nsfd);
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "move it into its namespace") : 0;
}

/* A growing array for the dumps; `failed` when memory was out. */
struct list {
	void *items;
	size_t n, room, size;
	uint32_t index; /* addresses: of this device */
	bool foreign;	/* routes: of others too */
	bool failed;
};

static void *list_add(struct list *l)
{
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 16 : l->room * 2;
		void *p = reallocarray(l->items, room, l->size);

		if (p == NULL) {
			l->failed = true;
			return NULL;
		}
		l->items = p;
		l->room = room;
	}
	memset((uint8_t *)l->items + l->n * l->size, 0, l->size);
	return (uint8_t *)l->items + l->n++ * l->size;
}

static bool addr_from(const struct nlattr *a, uint8_t family, struct addr *ret)
{
	size_t n = family == AF_INET ? 4 : 16;

	if (mnl_attr_get_payload_len(a) != n)
		return false;
	*ret = (struct addr){ .family = family == AF_INET ? 4 : 6 };
	memcpy(ret->b, mnl_attr_get_payload(a), n);
	return true;
}

static int on_address(const struct nlmsghdr *h, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct addr local = { 0 }, remote = { 0 };
	struct list *l = ctx;
	struct rtnl_address *x;
	const struct nlattr *a;
	uint32_t flags;

	if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof(*ifa) || ifa->ifa_index != l->index ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return MNL_CB_OK;
	flags = ifa->ifa_flags;
	each_attr(a, h, sizeof(*ifa))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == IFA_LOCAL)
			addr_from(a, ifa->ifa_family, &local);
		else if (type == IFA_ADDRESS)
			addr_from(a, ifa->ifa_family, &remote);
		else if (type == IFA_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			flags = mnl_attr_get_u32(a);
	}
	x = list_add(l);
	if (x == NULL)
		return MNL_CB_OK;
	x->addr = local.family != 0 ? local : remote;
	x->prefix = ifa->ifa_prefixlen;
	x->link_local = ifa->ifa_family == AF_INET6 && ifa->ifa_scope == RT_SCOPE_LINK;
	x->unusable = ifa->ifa_family == AF_INET6 && (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
	return MNL_CB_OK;
}

/* A whole, uninterrupted dump into `l`. */
static int dump(struct rtnl *r, uint16_t type, size_t extra, mnl_cb_t cb, struct list *l)
{
	int status = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && status == -EAGAIN; i++) {
		struct nlmsghdr *h = begin(r, type, NLM_F_DUMP);

		mnl_nlmsg_put_extra_header(h, extra);
		l->n = 0;
		status = talk(r, h, cb, l);
	}
	if (status == 0 && l->failed)
		status = -ENOMEM;
	if (status < 0) {
		free(l->items);
		l->items = NULL;
		l->n = 0;
	}
	return status;
}

int rtnl_addresses(struct rtnl *r, uint32_t index, struct rtnl_address **ret, size_t *ret_n, struct err *e)
{
	struct list l = { .size = sizeof(**ret), .index = index };
	int status = dump(r, RTM_GETADDR, sizeof(struct ifaddrmsg), on_address, &l);

	*ret = l.items;
	*ret_n = l.n;
	return status < 0 ? err_set(e, status, "list its addresses") : 0;
}

int rtnl_address_change(struct rtnl *r, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e)
{
	struct nlmsghdr *h = begin(r, add ? RTM_NEWADDR : RTM_DELADDR,
				   (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)));
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	char text[ADDR_TEXT], whole[ADDR_TEXT + 8];
	int status;

	addr_text(a, text);
	snprintf(whole, sizeof(whole), "%s/%u", text, prefix);
	if (!tell(r, add ? "missing" : "extra", whole))
		return 0;
	ifa->ifa_family = a->family == 4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_index = index;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(h, IFA_LOCAL, addr_len(a->family), a->b);
	mnl_attr_put(h, IFA_ADDRESS, addr_len(a->family), a->b);
	/* Usable at once: after a take-over the peers are already talking to this address. */
	if (add && a->family == 6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "%s address %s", add ? "add" : "remove", whole) : 0;
}

static int on_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);
	struct list *l = ctx;
	struct rtnl_route *x;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*rt) ||
	    rt->rtm_table != RT_TABLE_MAIN || (rt->rtm_flags & RTM_F_CLONED) != 0 ||
	    (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6))
		return MNL_CB_OK;
	if (rt->rtm_protocol != ROUTE_PROTOCOL && (!l->foreign || rt->rtm_protocol == RTPROT_KERNEL))
		return MNL_CB_OK;
	x = list_add(l);
	if (x == NULL)
		return MNL_CB_OK;
	x->to.family = rt->rtm_family == AF_INET ? 4 : 6;
	x->prefix = rt->rtm_dst_len;
	x->protocol = rt->rtm_protocol;
	x->type = rt->rtm_type;
	x->foreign = rt->rtm_protocol != ROUTE_PROTOCOL;
	each_attr(a, h, sizeof(*rt))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_DST)
			addr_from(a, rt->rtm_family, &x->to);
		else if (type == RTA_GATEWAY)
			addr_from(a, rt->rtm_family, &x->via);
		else if (type == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			x->oif = mnl_attr_get_u32(a);
		else if (type == RTA_PRIORITY && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			x->priority = mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

int rtnl_routes(struct rtnl *r, bool foreign, struct rtnl_route **ret, size_t *ret_n, struct err *e)
{
	struct list l = { .size = sizeof(**ret), .foreign = foreign };
	int status = dump(r, RTM_GETROUTE, sizeof(struct rtmsg), on_route, &l);

	*ret = l.items;
	*ret_n = l.n;
	return status < 0 ? err_set(e, status, "list routes") : 0;
}

int rtnl_route_change(struct rtnl *r, const struct rtnl_route *route, bool add, struct err *e)
{
	struct nlmsghdr *h = begin(r, add ? RTM_NEWROUTE : RTM_DELROUTE,
				   (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0)));
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	char text[ADDR_TEXT], via[ADDR_TEXT] = "link", whole[2 * ADDR_TEXT + 16];
	int status;

	addr_text(&route->to, text);
	if (route->via.family != 0)
		addr_text(&route->via, via);
	snprintf(whole, sizeof(whole), "%s/%u via %s", text, route->prefix, via);
	if (!tell(r, add ? "missing" : "extra", whole))
		return 0;
	rt->rtm_family = route->to.family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = route->prefix;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = route->protocol != 0 ? route->protocol : ROUTE_PROTOCOL;
	rt->rtm_scope = route->via.family == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rt->rtm_type = route->type != 0 ? route->type : RTN_UNICAST;
	if (!add)
		rt->rtm_scope = RT_SCOPE_NOWHERE;
	if (route->prefix > 0)
		mnl_attr_put(h, RTA_DST, addr_len(route->to.family), route->to.b);
	if (route->via.family != 0)
		mnl_attr_put(h, RTA_GATEWAY, addr_len(route->via.family), route->via.b);
	if (route->oif != 0)
		mnl_attr_put_u32(h, RTA_OIF, route->oif);
	if (!add && route->priority != 0)
		mnl_attr_put_u32(h, RTA_PRIORITY, route->priority);
	status = talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "%s route %s", add ? "add" : "remove", whole) : 0;
}

/* ---- links that come ---------------------------------------------------------------------------------------------- */

int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct err back;
	int fd, code;

	if (facts)
		a.nl_groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
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
	static _Alignas(8) uint8_t buf[ANSWER_BYTES];
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
