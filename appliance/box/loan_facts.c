/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses, permanent neighbours and routes of a link, as the kernel's own messages. They are
 * read and kept as hex. When they are sent again, they get the present device numbers and what is
 * left of their lifetimes.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "appliance/box/loan.h"
#include "appliance/box/loan_private.h"
#include "appliance/box/rtnl_private.h"

#define MESSAGE_BYTES 2048u
/* The text of a fact, for people and for comparison: "192.0.2.5/24", "0.0.0.0/0 via 192.0.2.1
 * metric 100". */
#define LOAN_TEXT 512u
#define TICKS 100u /* units of rta_expires in a second: the kernel's USER_HZ */

/* ---- texts ----------------------------------------------------------------------------------- */

/* Takes the next hop of a list, of which *left bytes from *p on are left. NULL: there is no more,
 * or it is cut. */
static const uint8_t *hop_take(const uint8_t **p, size_t *left, struct rtnexthop *ret)
{
	const uint8_t *at = *p;

	if (*left < sizeof(*ret))
		return NULL;
	memcpy(ret, at, sizeof(*ret));
	if (ret->rtnh_len < sizeof(*ret) || ret->rtnh_len > *left)
		return NULL;
	*p += aligned(ret->rtnh_len);
	*left = aligned(ret->rtnh_len) < *left ? *left - aligned(ret->rtnh_len) : 0;
	return at;
}

/* Addresses, neighbours and routes as texts: for people, and to compare two of them. */

/* Grows up to LOAN_TEXT bytes; the rest is cut. */
struct text {
	char *out;
	size_t at;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->at, LOAN_TEXT - t->at, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->at += (size_t)n < LOAN_TEXT - t->at ? (size_t)n : LOAN_TEXT - t->at - 1;
}

static void address_text(const struct nlmsghdr *h, char out[LOAN_TEXT])
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct addr local = { 0 }, other = { 0 };
	struct text t = { .out = out };
	char one[ADDR_TEXT], two[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m)) {
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			rtnl_addr(a, m->ifa_family, &local);
		else if (mnl_attr_get_type(a) == IFA_ADDRESS)
			rtnl_addr(a, m->ifa_family, &other);
	}
	if (local.family == 0)
		local = other;
	addr_text(&local, one);
	addr_text(&other, two);
	add(&t, "%s/%u", one, m->ifa_prefixlen);
	if (strcmp(one, two) != 0)
		add(&t, " peer %s", two);
}

static void neighbour_text(const struct nlmsghdr *h, char out[LOAN_TEXT])
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct text t = { .out = out };
	struct addr to = { 0 };
	char text[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m)) {
		if (mnl_attr_get_type(a) == NDA_DST && rtnl_addr(a, m->ndm_family, &to)) {
			addr_text(&to, text);
			add(&t, "%s", text);
		} else if (mnl_attr_get_type(a) == NDA_LLADDR) {
			const uint8_t *p = mnl_attr_get_payload(a);

			for (size_t i = 0; i < mnl_attr_get_payload_len(a) && i < 32; i++)
				add(&t, "%s%02x", i == 0 ? " lladdr " : ":", p[i]);
		}
	}
}

/* The gateway, which may be of the other family (RTA_VIA). */
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
	} else if (!rtnl_addr(a, family, &to))
		return;
	addr_text(&to, text);
	add(t, " via %s", text);
}

static void hops(struct text *t, const struct nlattr *list, unsigned family, const struct devices *all)
{
	const uint8_t *p = mnl_attr_get_payload(list), *own;
	size_t left = mnl_attr_get_payload_len(list);
	struct rtnexthop hop;

	while ((own = hop_take(&p, &left, &hop)) != NULL) {
		const struct device *d;

		for (size_t at = sizeof(hop); at + sizeof(struct nlattr) <= hop.rtnh_len;) {
			const struct nlattr *a = (const struct nlattr *)(const void *)(own + at);

			if (!mnl_attr_ok(a, (int)(hop.rtnh_len - at)))
				break;
			if (mnl_attr_get_type(a) == RTA_GATEWAY || mnl_attr_get_type(a) == RTA_VIA)
				gateway(t, a, family);
			at += aligned(a->nla_len);
		}
		d = devices_at(all, (uint32_t)hop.rtnh_ifindex);
		add(t, " dev %s weight %u", d != NULL ? d->name : "?", hop.rtnh_hops + 1u);
	}
}

static void route_text(const struct nlmsghdr *h, const struct devices *all, char out[LOAN_TEXT])
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct addr to = { .family = m->rtm_family == AF_INET ? 4 : 6 }, from = { 0 };
	struct text t = { .out = out };
	uint32_t table = m->rtm_table, metric = 0;
	char text[ADDR_TEXT];
	const struct nlattr *a;

	out[0] = '\0';
	each_attr(a, h, sizeof(*m))
		if (mnl_attr_get_type(a) == RTA_DST)
			rtnl_addr(a, m->rtm_family, &to);
	addr_text(&to, text);
	add(&t, "%s/%u", text, m->rtm_dst_len);
	each_attr(a, h, sizeof(*m)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_GATEWAY || type == RTA_VIA)
			gateway(&t, a, m->rtm_family);
		else if (type == RTA_MULTIPATH)
			hops(&t, a, m->rtm_family, all);
		else if (type == RTA_PRIORITY && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			metric = mnl_attr_get_u32(a);
		else if (type == RTA_TABLE && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			table = mnl_attr_get_u32(a);
		else if (type == RTA_PREFSRC && rtnl_addr(a, m->rtm_family, &from)) {
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

/* ---- reading --------------------------------------------------------------------------------- */

struct reading {
	const struct devices *all;
	uint32_t index;
	json_t *list;
	size_t begin; /* index of the first entry of this kind */
	bool newest_first;
	bool more;
};

/* Notes the name of a device that a message gives by number, because the number may differ
 * later. */
static void name_device(const struct reading *x, json_t *devices, uint32_t index)
{
	const struct device *d = devices_at(x->all, index);
	char number[16];

	if (d == NULL)
		return;
	snprintf(number, sizeof(number), "%u", index);
	json_object_set_new(devices, number, json_text(d->name));
}

/* Notes the device of each next hop of a route; true when one of them is `index`. */
static bool hops_name(const struct reading *x, const struct nlattr *list, json_t *devices)
{
	const uint8_t *p = mnl_attr_get_payload(list);
	size_t left = mnl_attr_get_payload_len(list);
	struct rtnexthop hop;
	bool ours = false;

	while (hop_take(&p, &left, &hop) != NULL) {
		ours = ours || (uint32_t)hop.rtnh_ifindex == x->index;
		name_device(x, devices, (uint32_t)hop.rtnh_ifindex);
	}
	return ours;
}

static void fact_keep(struct reading *x, const char *kind, const char *text, const struct nlmsghdr *h, json_t *devices,
		      uint32_t expires_s)
{
	size_t n = mnl_nlmsg_get_payload_len(h);
	char hex[2 * MESSAGE_BYTES + 1];
	json_t *fact;

	if (json_array_size(x->list) >= LOAN_FACTS || n > MESSAGE_BYTES) {
		x->more = true;
		json_decref(devices);
		return;
	}
	hex_text(mnl_nlmsg_get_payload(h), n, hex);
	fact = json_pack("{s:s, s:o, s:s, s:o}", "kind", kind, "text", json_text(text), "message", hex, "devices",
			 devices);
	if (expires_s != 0)
		json_object_set_new(fact, "expires_s", json_integer(expires_s));
	if (x->newest_first)
		json_array_insert_new(x->list, x->begin, fact);
	else
		json_array_append_new(x->list, fact);
}

static bool of_ip(unsigned family)
{
	return family == AF_INET || family == AF_INET6;
}

static int on_address(const struct nlmsghdr *h, void *ctx)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct reading *x = ctx;
	json_t *devices;
	char text[LOAN_TEXT];

	if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->ifa_index != x->index ||
	    m->ifa_family != (x->newest_first ? AF_INET6 : AF_INET))
		return MNL_CB_OK;
	devices = json_object();
	name_device(x, devices, m->ifa_index);
	address_text(h, text);
	fact_keep(x, "address", text, h, devices, 0);
	return MNL_CB_OK;
}

static int on_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct reading *x = ctx;
	json_t *devices;
	char text[LOAN_TEXT];

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (uint32_t)m->ndm_ifindex != x->index || !of_ip(m->ndm_family) || (m->ndm_state & NUD_PERMANENT) == 0)
		return MNL_CB_OK;
	devices = json_object();
	name_device(x, devices, (uint32_t)m->ndm_ifindex);
	neighbour_text(h, text);
	fact_keep(x, "neighbour", text, h, devices, 0);
	return MNL_CB_OK;
}

/* A route that the kernel itself makes comes back with its address, so it is left out. */
static int on_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct reading *x = ctx;
	struct rta_cacheinfo cache = { 0 };
	const struct nlattr *a;
	char text[LOAN_TEXT];
	json_t *devices;
	bool ours = false;

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m) || !of_ip(m->rtm_family) ||
	    (m->rtm_flags & RTM_F_CLONED) != 0 || m->rtm_protocol == RTPROT_KERNEL)
		return MNL_CB_OK;
	devices = json_object();
	each_attr(a, h, sizeof(*m)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) >= 0) {
			ours = ours || mnl_attr_get_u32(a) == x->index;
			name_device(x, devices, mnl_attr_get_u32(a));
		} else if (type == RTA_MULTIPATH) {
			ours = hops_name(x, a, devices) || ours;
		} else if (type == RTA_CACHEINFO && mnl_attr_get_payload_len(a) >= sizeof(cache)) {
			memcpy(&cache, mnl_attr_get_payload(a), sizeof(cache));
		}
	}
	if (!ours) {
		json_decref(devices);
		return MNL_CB_OK;
	}
	route_text(h, x->all, text);
	fact_keep(x, "route", text, h, devices, cache.rta_expires > 0 ? (uint32_t)cache.rta_expires / TICKS + 1 : 0);
	return MNL_CB_OK;
}

static void facts_restart(void *ctx)
{
	struct reading *x = ctx;

	while (json_array_size(x->list) > x->begin)
		json_array_remove(x->list, json_array_size(x->list) - 1);
}

int loan_facts(struct rtnl *r, const struct devices *all, uint32_t index, json_t **ret, bool *more, struct err *e)
{
	static const struct {
		uint16_t type;
		size_t header;
		rtnl_message *each;
		/* The kernel lists IPv6 addresses newest first and prefers the newest. They are
		 * stored oldest first, the order in which they are set again. */
		bool newest_first;
	} lists[] = { { RTM_GETADDR, sizeof(struct ifaddrmsg), on_address, false },
		      { RTM_GETADDR, sizeof(struct ifaddrmsg), on_address, true },
		      { RTM_GETNEIGH, sizeof(struct ndmsg), on_neighbour, false },
		      { RTM_GETROUTE, sizeof(struct rtmsg), on_route, false } };
	struct reading x = { .all = all, .index = index, .list = json_array() };
	int status = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && status == 0; i++) {
		x.begin = json_array_size(x.list);
		x.newest_first = lists[i].newest_first;
		status = rtnl_each(r, lists[i].type, NULL, lists[i].header, lists[i].each, facts_restart, &x, e);
	}
	*ret = x.list;
	*more = x.more;
	return status;
}

json_t *loan_missing(const json_t *wanted, const json_t *have)
{
	json_t *list = json_array();

	json_each(w, wanted) {
		bool there = false;

		for (size_t n = 0; n < json_array_size(have) && !there; n++) {
			const json_t *h = json_array_get(have, n);

			there = strcmp(text_in(h, "kind"), text_in(w, "kind")) == 0 &&
				strcmp(text_in(h, "text"), text_in(w, "text")) == 0;
		}
		if (!there)
			json_array_append(list, w);
	}
	return list;
}

/* ---- sending again --------------------------------------------------------------------------- */

struct sending {
	const struct devices *now;
	const json_t *fact;
	const char *from, *to;
	/* flags: of the address once it is set; while it is set, it has more */
	uint32_t elapsed_s, flags;
	bool expired;
};

bool loan_hex_read(const char *text, uint8_t *out, size_t most, size_t *ret_n)
{
	*ret_n = strlen(text) / 2;
	return strlen(text) % 2 == 0 && *ret_n <= most && hex_digits(text, out, *ret_n);
}

/* The present number of the device that had number `then`; 0 = the device does not exist any
 * more. */
static uint32_t index_now(const struct sending *s, uint32_t then)
{
	const struct device *d;
	const char *name;
	char number[16];

	snprintf(number, sizeof(number), "%u", then);
	name = text_in(json_object_get(s->fact, "devices"), number);
	d = devices_find(s->now, strcmp(name, s->from) == 0 ? s->to : name);
	return d != NULL ? d->index : 0;
}

static uint32_t left_of(uint32_t lifetime, uint32_t elapsed_s)
{
	if (lifetime == UINT32_MAX)
		return lifetime;
	return lifetime > elapsed_s ? lifetime - elapsed_s : 0;
}

static void put_lifetimes(struct nlmsghdr *out, const struct nlattr *a, struct sending *s)
{
	struct ifa_cacheinfo c;

	if (mnl_attr_get_payload_len(a) < sizeof(c))
		return;
	memcpy(&c, mnl_attr_get_payload(a), sizeof(c));
	c.ifa_prefered = left_of(c.ifa_prefered, s->elapsed_s);
	c.ifa_valid = left_of(c.ifa_valid, s->elapsed_s);
	s->expired = c.ifa_valid == 0;
	mnl_attr_put(out, IFA_CACHEINFO, sizeof(c), &c);
}

/* Flags that a person or program can set; the kernel sets all others. */
static uint32_t asked_flags(uint32_t flags, unsigned family)
{
	uint32_t both = IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

	return flags &
	       (family == AF_INET ? both
				  : both | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NODAD | IFA_F_OPTIMISTIC);
}

static int make_address(const struct nlmsghdr *in, struct nlmsghdr *out, struct sending *s)
{
	const struct ifaddrmsg *was = mnl_nlmsg_get_payload(in);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(out, sizeof(*m));
	const struct nlattr *a;

	*m = *was;
	m->ifa_flags = 0;
	m->ifa_index = index_now(s, was->ifa_index);
	s->flags = asked_flags(was->ifa_flags, was->ifa_family);
	each_attr(a, in, sizeof(*was)) {
		if (mnl_attr_get_type(a) == IFA_FLAGS && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			s->flags = asked_flags(mnl_attr_get_u32(a), was->ifa_family);
		else if (mnl_attr_get_type(a) == IFA_CACHEINFO)
			put_lifetimes(out, a, s);
		else
			mnl_attr_put(out, mnl_attr_get_type(a), mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
	}
	return m->ifa_index != 0 ? 0 : -ENODEV;
}

static int make_neighbour(const struct nlmsghdr *in, struct nlmsghdr *out, struct sending *s)
{
	const struct ndmsg *was = mnl_nlmsg_get_payload(in);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(out, sizeof(*m));
	const struct nlattr *a;

	*m = *was;
	m->ndm_ifindex = (int)index_now(s, (uint32_t)was->ndm_ifindex);
	each_attr(a, in, sizeof(*was))
		if (mnl_attr_get_type(a) == NDA_DST || mnl_attr_get_type(a) == NDA_LLADDR)
			mnl_attr_put(out, mnl_attr_get_type(a), mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
	return m->ndm_ifindex != 0 ? 0 : -ENODEV;
}

/* Copies the list of next hops with the present device numbers. Fails when a device does not exist
 * any more, because the route is then impossible. */
static int put_hops(struct nlmsghdr *out, const struct nlattr *list, const struct sending *s)
{
	uint8_t copy[MESSAGE_BYTES];
	size_t n = mnl_attr_get_payload_len(list), at = 0;

	if (n > sizeof(copy))
		return -EMSGSIZE;
	memcpy(copy, mnl_attr_get_payload(list), n);
	while (n - at >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;
		size_t step;

		memcpy(&hop, copy + at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > n - at)
			return -EBADMSG;
		hop.rtnh_ifindex = (int)index_now(s, (uint32_t)hop.rtnh_ifindex);
		hop.rtnh_flags &= RTNH_F_ONLINK;
		if (hop.rtnh_ifindex == 0)
			return -ENODEV;
		memcpy(copy + at, &hop, sizeof(hop));
		step = aligned(hop.rtnh_len);
		at += step < n - at ? step : n - at;
	}
	mnl_attr_put(out, RTA_MULTIPATH, n, copy);
	return 0;
}

static int make_route(const struct nlmsghdr *in, struct nlmsghdr *out, struct sending *s)
{
	const struct rtmsg *was = mnl_nlmsg_get_payload(in);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(out, sizeof(*m));
	uint32_t expires = (uint32_t)json_integer_value(json_object_get(s->fact, "expires_s"));
	const struct nlattr *a;
	int status = 0;

	*m = *was;
	m->rtm_flags &= RTNH_F_ONLINK;
	each_attr(a, in, sizeof(*was)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) >= 0) {
			uint32_t index = index_now(s, mnl_attr_get_u32(a));

			mnl_attr_put_u32(out, RTA_OIF, index);
			status = index == 0 ? -ENODEV : status;
		} else if (type == RTA_MULTIPATH) {
			int r = put_hops(out, a, s);

			status = r < 0 ? r : status;
		} else if (type != RTA_CACHEINFO && type != RTA_NH_ID && type != RTA_EXPIRES) {
			mnl_attr_put(out, type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
		}
	}
	if (expires != 0) {
		s->expired = expires <= s->elapsed_s;
		mnl_attr_put_u32(out, RTA_EXPIRES, left_of(expires, s->elapsed_s));
	}
	return status;
}

/* Sends the address without duplicate detection, because a host may wait for it, and then sets its
 * final flags. */
static int send_address(struct rtnl *r, const struct nlmsghdr *m, size_t n, const struct sending *s, struct err *e)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(m);
	uint8_t copy[2 * MESSAGE_BYTES];
	bool six = ifa->ifa_family == AF_INET6;
	int status = 0;

	for (int again = 0; again < (six ? 2 : 1) && status == 0; again++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)copy;

		memcpy(copy, m, n);
		mnl_attr_put_u32(h, IFA_FLAGS, s->flags | (six && again == 0 ? IFA_F_NODAD : 0));
		status = rtnl_replay(r, RTM_NEWADDR,
				     (uint16_t)(NLM_F_CREATE | (again == 0 ? NLM_F_EXCL : NLM_F_REPLACE)),
				     mnl_nlmsg_get_payload(h), mnl_nlmsg_get_payload_len(h), e);
	}
	return status;
}

static const struct {
	const char *word;
	uint16_t type, flags;
	size_t header;
	int (*make)(const struct nlmsghdr *in, struct nlmsghdr *out, struct sending *s);
} kinds[] = {
	{ "address", RTM_NEWADDR, 0, sizeof(struct ifaddrmsg), make_address },
	{ "neighbour", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ndmsg), make_neighbour },
	/* NLM_F_EXCL: never replaces a route of another program. */
	{ "route", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg), make_route },
};

int loan_fact_set(struct rtnl *r, const struct devices *now, const json_t *fact, const char *from, const char *to,
		  uint64_t elapsed_s, struct err *e)
{
	uint8_t in[MESSAGE_BYTES + 64] = { 0 }, out[2 * MESSAGE_BYTES] = { 0 }, payload[MESSAGE_BYTES];
	struct sending s = { .now = now,
			     .fact = fact,
			     .from = from,
			     .to = to,
			     .elapsed_s = elapsed_s < UINT32_MAX ? (uint32_t)elapsed_s : UINT32_MAX - 1 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(in), *o = mnl_nlmsg_put_header(out);
	size_t k = 0, n;
	int status;

	while (k < 3 && strcmp(kinds[k].word, text_in(fact, "kind")) != 0)
		k++;
	if (k == 3 || !loan_hex_read(text_in(fact, "message"), payload, sizeof(payload), &n) || n < kinds[k].header)
		return err_set(e, -EBADMSG, "%s", text_in(fact, "text"));
	memcpy(mnl_nlmsg_put_extra_header(m, n), payload, n);
	status = kinds[k].make(m, o, &s);
	if (status < 0)
		return err_set(e, status, "%s", text_in(fact, "text"));
	if (s.expired)
		return err_set(e, -ETIME, "%s", text_in(fact, "text"));
	if (kinds[k].type == RTM_NEWADDR)
		return send_address(r, o, o->nlmsg_len, &s, e);
	return rtnl_replay(r, kinds[k].type, kinds[k].flags, mnl_nlmsg_get_payload(o), mnl_nlmsg_get_payload_len(o), e);
}
