/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, neighbours and routes as texts: for people, and to tell whether two are the same. */
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/box/rtnl_private.h"
#include "appliance/box/was_private.h"

/* Grows within WAS_TEXT; what does not fit is cut. */
struct text {
	char *out;
	size_t at;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->at, WAS_TEXT - t->at, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->at += (size_t)n < WAS_TEXT - t->at ? (size_t)n : WAS_TEXT - t->at - 1;
}

/* An address in an attribute of a message of that family. */
static bool address(const struct nlattr *a, unsigned family, struct addr *ret)
{
	size_t n = family == AF_INET ? 4 : 16;

	if (mnl_attr_get_payload_len(a) != n)
		return false;
	*ret = (struct addr){ .family = family == AF_INET ? 4 : 6 };
	memcpy(ret->b, mnl_attr_get_payload(a), n);
	return true;
}

void was_address_text(const struct nlmsghdr *h, char out[WAS_TEXT])
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct addr local = { 0 }, other = { 0 };
	struct text t = { .out = out };
	char one[ADDR_TEXT], two[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			address(a, m->ifa_family, &local);
		else if (mnl_attr_get_type(a) == IFA_ADDRESS)
			address(a, m->ifa_family, &other);
	}
	if (local.family == 0)
		local = other;
	addr_text(&local, one);
	addr_text(&other, two);
	add(&t, "%s/%u", one, m->ifa_prefixlen);
	if (strcmp(one, two) != 0)
		add(&t, " peer %s", two);
}

void was_neighbour_text(const struct nlmsghdr *h, char out[WAS_TEXT])
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct text t = { .out = out };
	struct addr to = { 0 };
	char text[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == NDA_DST && address(a, m->ndm_family, &to)) {
			addr_text(&to, text);
			add(&t, "%s", text);
		} else if (mnl_attr_get_type(a) == NDA_LLADDR) {
			const uint8_t *p = mnl_attr_get_payload(a);

			for (size_t i = 0; i < mnl_attr_get_payload_len(a) && i < 32; i++)
				add(&t, "%s%02x", i == 0 ? " lladdr " : ":", p[i]);
		}
	}
}

/* Where it goes; the gateway may be of the other family (RTA_VIA). */
static void gateway(struct text *t, const struct nlattr *a, unsigned family)
{
	const uint8_t *p = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);
	struct addr to = { 0 };
	char text[ADDR_TEXT];
	uint16_t other;

	if (mnl_attr_get_type(a) == RTA_VIA && n > 2) {
		memcpy(&other, p, sizeof(other));
		to.family = other == AF_INET ? 4 : 6;
		if (n - 2 != addr_len(to.family))
			return;
		memcpy(to.b, p + 2, n - 2);
	} else if (!address(a, family, &to))
		return;
	addr_text(&to, text);
	add(t, " via %s", text);
}

static void hops(struct text *t, const struct nlattr *list, unsigned family, const struct devices *all)
{
	const uint8_t *p = mnl_attr_get_payload(list);
	size_t left = mnl_attr_get_payload_len(list);

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;
		const struct device *d;

		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		for (size_t at = sizeof(hop); at + sizeof(struct nlattr) <= hop.rtnh_len;) {
			const struct nlattr *a = (const struct nlattr *)(const void *)(p + at);

			if (!mnl_attr_ok(a, (int)(hop.rtnh_len - at)))
				break;
			if (mnl_attr_get_type(a) == RTA_GATEWAY || mnl_attr_get_type(a) == RTA_VIA)
				gateway(t, a, family);
			at += aligned(a->nla_len);
		}
		d = devices_at(all, (uint32_t)hop.rtnh_ifindex);
		add(t, " dev %s weight %u", d != NULL ? d->name : "?", hop.rtnh_hops + 1u);
		p += aligned(hop.rtnh_len);
		left = aligned(hop.rtnh_len) < left ? left - aligned(hop.rtnh_len) : 0;
	}
}

void was_route_text(const struct nlmsghdr *h, const struct devices *all, char out[WAS_TEXT])
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct addr to = { .family = m->rtm_family == AF_INET ? 4 : 6 }, from = { 0 };
	struct text t = { .out = out };
	uint32_t table = m->rtm_table, metric = 0;
	char text[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m)) if (mnl_attr_get_type(a) == RTA_DST) address(a, m->rtm_family, &to);
	addr_text(&to, text);
	add(&t, "%s/%u", text, m->rtm_dst_len);
	each_attr(a, h, sizeof(*m))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_GATEWAY || type == RTA_VIA)
			gateway(&t, a, m->rtm_family);
		else if (type == RTA_MULTIPATH)
			hops(&t, a, m->rtm_family, all);
		else if (type == RTA_PRIORITY && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			metric = mnl_attr_get_u32(a);
		else if (type == RTA_TABLE && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			table = mnl_attr_get_u32(a);
		else if (type == RTA_PREFSRC && address(a, m->rtm_family, &from)) {
			addr_text(&from, text);
			add(&t, " src %s", text);
		}
	}
	if (metric != 0)
		add(&t, " metric %u", metric);
	if (table != RT_TABLE_MAIN)
		add(&t, " table %u", table);
	if (m->rtm_tos != 0)
		add(&t, " tos %u", m->rtm_tos);
	if (m->rtm_type != RTN_UNICAST)
		add(&t, " type %u", m->rtm_type);
}
