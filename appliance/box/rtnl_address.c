/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, routes, and hosts for which the kernel answers: list all, change one. */
#include "appliance/box/rtnl_address.h"
#include "appliance/box/rtnl_private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"

/* The protocol number of this program's routes: rtnetlink.h leaves it free. */
#define ROUTE_PROTOCOL 83u

/* A growing array; `failed`: out of memory. */
struct list {
	void *items;
	size_t n, room, size;
	/* index of the device whose addresses or hosts are read; for addresses, 0 = all devices */
	uint32_t index;
	enum rtnl_whose whose;
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

bool rtnl_addr(const struct nlattr *a, unsigned family, struct addr *ret)
{
	size_t n = family == AF_INET ? 4 : 16;

	if (mnl_attr_get_payload_len(a) != n)
		return false;
	*ret = (struct addr){ .family = family == AF_INET ? 4 : 6 };
	memcpy(ret->b, mnl_attr_get_payload(a), n);
	return true;
}

/* Whether the address was added within the last second. The kernel's time stamps are hundredths of
 * a second since the machine's start. */
static bool is_young(const void *cacheinfo)
{
	uint32_t now = (uint32_t)(clock_mono().ns / 10000000u);
	struct ifa_cacheinfo c;

	memcpy(&c, cacheinfo, sizeof(c));
	return now - c.cstamp < 100;
}

static int on_address(const struct nlmsghdr *h, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct addr local = { 0 }, remote = { 0 };
	struct list *l = ctx;
	struct rtnl_address *x;
	const struct nlattr *a;
	uint32_t flags;
	bool young = false;

	if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof(*ifa) ||
	    (l->index != 0 && ifa->ifa_index != l->index) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return MNL_CB_OK;
	flags = ifa->ifa_flags;
	each_attr(a, h, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == IFA_LOCAL)
			rtnl_addr(a, ifa->ifa_family, &local);
		else if (type == IFA_ADDRESS)
			rtnl_addr(a, ifa->ifa_family, &remote);
		else if (type == IFA_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			flags = mnl_attr_get_u32(a);
		else if (type == IFA_CACHEINFO && mnl_attr_get_payload_len(a) >= sizeof(struct ifa_cacheinfo))
			young = is_young(mnl_attr_get_payload(a));
	}
	x = list_add(l);
	if (x == NULL)
		return MNL_CB_OK;
	x->index = ifa->ifa_index;
	x->young = young;
	x->addr = local.family != 0 ? local : remote;
	x->prefix = ifa->ifa_prefixlen;
	x->link_local = ifa->ifa_family == AF_INET6 && ifa->ifa_scope == RT_SCOPE_LINK;
	x->unusable = ifa->ifa_family == AF_INET6 && (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
	return MNL_CB_OK;
}

static void list_restart(void *ctx)
{
	((struct list *)ctx)->n = 0;
}

/* Reads all objects of a kind into `l`; `l` is empty after a failure. */
static int dump(struct rtnl *r, uint16_t type, const void *header, size_t n, rtnl_message *each, struct list *l)
{
	int status = rtnl_each(r, type, header, n, each, list_restart, l, NULL);

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
	int status = dump(r, RTM_GETADDR, NULL, sizeof(struct ifaddrmsg), on_address, &l);

	*ret = l.items;
	*ret_n = l.n;
	return status < 0 ? err_set(e, status, "list its addresses") : 0;
}

int rtnl_address_change(struct rtnl *r, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, add ? RTM_NEWADDR : RTM_DELADDR,
					(uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)));
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	char text[ADDR_TEXT], whole[ADDR_TEXT + 8];

	addr_text(a, text);
	snprintf(whole, sizeof(whole), "%s/%u", text, prefix);
	if (!rtnl_told(r, add ? "missing" : "extra", whole))
		return 0;
	ifa->ifa_family = a->family == 4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_index = index;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(h, IFA_LOCAL, addr_len(a->family), a->b);
	mnl_attr_put(h, IFA_ADDRESS, addr_len(a->family), a->b);
	/* No duplicate detection: after a take-over, hosts already send to this address. */
	if (add && a->family == 6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	return rtnl_order(r, h, e, "%s address %s", add ? "add" : "remove", whole);
}

static bool is_ours(const struct rtmsg *rt)
{
	return rt->rtm_protocol == ROUTE_PROTOCOL && rt->rtm_table == RT_TABLE_MAIN;
}

/* Whether the kernel has made the route. A route to another host in the local table is never the
 * kernel's, whatever protocol number it has. */
static bool is_kernels(const struct rtmsg *rt)
{
	bool own = rt->rtm_type == RTN_LOCAL || rt->rtm_type == RTN_BROADCAST || rt->rtm_type == RTN_ANYCAST ||
		   rt->rtm_type == RTN_MULTICAST;

	return rt->rtm_protocol == RTPROT_KERNEL && (rt->rtm_table == RT_TABLE_MAIN || own);
}

static int on_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);
	struct list *l = ctx;
	struct rtnl_route *x;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*rt) ||
	    (rt->rtm_table != RT_TABLE_MAIN && rt->rtm_table != RT_TABLE_LOCAL) ||
	    (rt->rtm_flags & RTM_F_CLONED) != 0 || (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6))
		return MNL_CB_OK;
	if (l->whose == ROUTES_KERNELS ? !is_kernels(rt) : !is_ours(rt) && (l->whose == ROUTES_OURS || is_kernels(rt)))
		return MNL_CB_OK;
	x = list_add(l);
	if (x == NULL)
		return MNL_CB_OK;
	x->to.family = rt->rtm_family == AF_INET ? 4 : 6;
	x->prefix = rt->rtm_dst_len;
	x->protocol = rt->rtm_protocol;
	x->type = rt->rtm_type;
	x->tos = rt->rtm_tos;
	x->table = rt->rtm_table;
	x->foreign = !is_ours(rt);
	each_attr(a, h, sizeof(*rt)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_DST)
			rtnl_addr(a, rt->rtm_family, &x->to);
		else if (type == RTA_GATEWAY)
			rtnl_addr(a, rt->rtm_family, &x->via);
		else if (type == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			x->oif = mnl_attr_get_u32(a);
		else if (type == RTA_PRIORITY && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			x->priority = mnl_attr_get_u32(a);
		else if (type == RTA_NH_ID && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			x->nexthop = mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

int rtnl_routes(struct rtnl *r, enum rtnl_whose whose, struct rtnl_route **ret, size_t *ret_n, struct err *e)
{
	struct list l = { .size = sizeof(**ret), .whose = whose };
	int status = dump(r, RTM_GETROUTE, NULL, sizeof(struct rtmsg), on_route, &l);

	*ret = l.items;
	*ret_n = l.n;
	return status < 0 ? err_set(e, status, "list routes") : 0;
}

int rtnl_route_change(struct rtnl *r, const struct rtnl_route *route, bool add, struct err *e)
{
	uint16_t how = NLM_F_CREATE | (route->protocol != 0 ? NLM_F_APPEND : NLM_F_REPLACE);
	struct nlmsghdr *h = rtnl_begin(r, add ? RTM_NEWROUTE : RTM_DELROUTE, (uint16_t)(NLM_F_ACK | (add ? how : 0)));
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	char text[ADDR_TEXT], via[ADDR_TEXT] = "link", whole[2 * ADDR_TEXT + 32];

	addr_text(&route->to, text);
	if (route->via.family != 0)
		addr_text(&route->via, via);
	snprintf(whole, sizeof(whole), "%s/%u via %s%s", text, route->prefix,
		 route->type == RTN_UNREACHABLE ? "nothing" : via,
		 route->table == RT_TABLE_LOCAL ? ", table local" : "");
	if (!rtnl_told(r, add ? "missing" : "extra", whole))
		return 0;
	rt->rtm_family = route->to.family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = route->prefix;
	rt->rtm_table = route->table != 0 ? route->table : RT_TABLE_MAIN;
	rt->rtm_protocol = route->protocol != 0 ? route->protocol : ROUTE_PROTOCOL;
	rt->rtm_scope = route->via.family == 0 && route->type != RTN_UNREACHABLE ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rt->rtm_type = route->type != 0 ? route->type : RTN_UNICAST;
	if (route->type == RTN_LOCAL)
		rt->rtm_scope = RT_SCOPE_HOST;
	if (!add)
		rt->rtm_scope = RT_SCOPE_NOWHERE;
	if (route->prefix > 0)
		mnl_attr_put(h, RTA_DST, addr_len(route->to.family), route->to.b);
	rt->rtm_tos = route->tos;
	/* The kernel finds a route with a next-hop object only by that object, although it reports
	 * the gateway, too. */
	if (route->nexthop != 0)
		mnl_attr_put_u32(h, RTA_NH_ID, route->nexthop);
	if (route->via.family != 0 && route->nexthop == 0)
		mnl_attr_put(h, RTA_GATEWAY, addr_len(route->via.family), route->via.b);
	if (route->oif != 0 && route->nexthop == 0)
		mnl_attr_put_u32(h, RTA_OIF, route->oif);
	if (route->priority != 0)
		mnl_attr_put_u32(h, RTA_PRIORITY, route->priority);
	if (route->from.family != 0)
		mnl_attr_put(h, RTA_PREFSRC, addr_len(route->from.family), route->from.b);
	return rtnl_order(r, h, e, "%s route %s", add ? "add" : "remove", whole);
}

struct way {
	uint32_t oif;
	bool own;
};

static int on_way(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct way *w = ctx;

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*rt))
		return MNL_CB_OK;
	w->own = rt->rtm_type == RTN_LOCAL;
	each_attr(a, h, sizeof(*rt))
		if (mnl_attr_get_type(a) == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			w->oif = mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

int rtnl_way(struct rtnl *r, const struct addr *to, const struct addr *from, uint32_t *oif, bool *own)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETROUTE, 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct way w = { 0 };
	int status;

	rt->rtm_family = to->family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = rt->rtm_src_len = (uint8_t)(8 * addr_len(to->family));
	mnl_attr_put(h, RTA_DST, addr_len(to->family), to->b);
	mnl_attr_put(h, RTA_SRC, addr_len(from->family), from->b);
	status = rtnl_talk(r, h, on_way, &w);
	*oif = w.oif;
	*own = w.own;
	return status;
}

/* ---- hosts for which the kernel answers ------------------------------------------------------ */

/* Hosts for which the kernel answers on a device although they are behind another one (proxy ARP,
 * proxy NDP): reading the list, and changing one entry. */

static int on_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct list *l = ctx;
	struct rtnl_answer *x;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*nd) ||
	    (nd->ndm_flags & NTF_PROXY) == 0 || (uint32_t)nd->ndm_ifindex != l->index ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return MNL_CB_OK;
	each_attr(a, h, sizeof(*nd)) {
		uint8_t family = nd->ndm_family == AF_INET ? 4 : 6;

		if (mnl_attr_get_type(a) != NDA_DST || mnl_attr_get_payload_len(a) != addr_len(family))
			continue;
		x = list_add(l);
		if (x == NULL)
			break;
		x->router = (nd->ndm_flags & NTF_ROUTER) != 0;
		x->host.family = family;
		memcpy(x->host.b, mnl_attr_get_payload(a), addr_len(family));
	}
	return MNL_CB_OK;
}

int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e)
{
	/* lists the proxy entries alone, not the neighbours */
	const struct ndmsg proxies = { .ndm_flags = NTF_PROXY };
	struct list l = { .size = sizeof(**ret), .index = index };
	int status = dump(r, RTM_GETNEIGH, &proxies, sizeof(proxies), on_neighbour, &l);

	*ret = l.items;
	*ret_n = l.n;
	return status < 0 ? err_set(e, status, "list for whom it answers") : 0;
}

int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e)
{
	struct nlmsghdr *h =
		rtnl_begin(r, add ? RTM_NEWNEIGH : RTM_DELNEIGH, (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE : 0)));
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	char text[ADDR_TEXT], whole[ADDR_TEXT + 32];

	addr_text(&a->host, text);
	snprintf(whole, sizeof(whole), "answer for %s%s", text, a->router ? " (router)" : "");
	if (!rtnl_told(r, add ? "missing" : "extra", whole))
		return 0;
	nd->ndm_family = a->host.family == 4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = (int)index;
	nd->ndm_flags = (uint8_t)(NTF_PROXY | (a->router ? NTF_ROUTER : 0));
	nd->ndm_state = NUD_PERMANENT;
	mnl_attr_put(h, NDA_DST, addr_len(a->host.family), a->host.b);
	return rtnl_order(r, h, e, "%s %s", add ? "add" : "remove", whole);
}
