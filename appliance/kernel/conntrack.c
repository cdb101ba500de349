/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/wire/mark.h"

#define ATTEMPTS 5

struct walk {
	session_each *each;
	void *ctx;
};

struct table {
	const struct nlattr **at;
	uint16_t max;
};

static int keep_attribute(const struct nlattr *a, void *ctx)
{
	const struct table *t = ctx;
	uint16_t type = mnl_attr_get_type(a);

	if (type <= t->max)
		t->at[type] = a;
	return MNL_CB_OK;
}

static void nest(const struct nlattr *in, const struct nlattr **at, uint16_t max)
{
	struct table t = { at, max };

	for (uint16_t i = 0; i <= max; i++)
		at[i] = NULL;
	if (in != NULL)
		mnl_attr_parse_nested(in, keep_attribute, &t);
}

static bool read_address(const struct nlattr *v4, const struct nlattr *v6, struct addr *ret)
{
	const struct nlattr *a = v4 != NULL ? v4 : v6;
	size_t want = v4 != NULL ? 4 : 16;

	memset(ret, 0, sizeof(*ret));
	if (a == NULL || mnl_attr_get_payload_len(a) != want)
		return false;
	ret->family = v4 != NULL ? 4 : 6;
	memcpy(ret->b, mnl_attr_get_payload(a), want);
	return true;
}

/* The attribute's number, of that many bytes; 0: the attribute is missing. */
static uint64_t read_number(const struct nlattr *a, size_t bytes)
{
	const uint8_t *p;
	uint64_t v = 0;

	if (a == NULL || mnl_attr_get_payload_len(a) != bytes)
		return 0;
	p = mnl_attr_get_payload(a);
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static uint8_t number8(const struct nlattr *a)
{
	return (uint8_t)read_number(a, 1);
}

static uint16_t number16(const struct nlattr *a)
{
	return (uint16_t)read_number(a, 2);
}

static uint32_t number32(const struct nlattr *a)
{
	return (uint32_t)read_number(a, 4);
}

static uint64_t packets_of(const struct nlattr *counters)
{
	const struct nlattr *at[CTA_COUNTERS_MAX + 1];

	nest(counters, at, CTA_COUNTERS_MAX);
	return read_number(at[CTA_COUNTERS_PACKETS], 8);
}

static bool tuple(const struct nlattr *in, struct session *s)
{
	const struct nlattr *t[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *p[CTA_PROTO_MAX + 1];

	nest(in, t, CTA_TUPLE_MAX);
	nest(t[CTA_TUPLE_IP], ip, CTA_IP_MAX);
	nest(t[CTA_TUPLE_PROTO], p, CTA_PROTO_MAX);
	if (!read_address(ip[CTA_IP_V4_SRC], ip[CTA_IP_V6_SRC], &s->client) ||
	    !read_address(ip[CTA_IP_V4_DST], ip[CTA_IP_V6_DST], &s->server) || p[CTA_PROTO_NUM] == NULL)
		return false;
	s->l4proto = number8(p[CTA_PROTO_NUM]);
	switch (s->l4proto) {
	case IPPROTO_ICMP:
		s->client_port = number16(p[CTA_PROTO_ICMP_ID]);
		s->server_port = (uint16_t)(number8(p[CTA_PROTO_ICMP_TYPE]) << 8 | number8(p[CTA_PROTO_ICMP_CODE]));
		break;
	case IPPROTO_ICMPV6:
		s->client_port = number16(p[CTA_PROTO_ICMPV6_ID]);
		s->server_port = (uint16_t)(number8(p[CTA_PROTO_ICMPV6_TYPE]) << 8 | number8(p[CTA_PROTO_ICMPV6_CODE]));
		break;
	default:
		s->client_port = number16(p[CTA_PROTO_SRC_PORT]);
		s->server_port = number16(p[CTA_PROTO_DST_PORT]);
	}
	return true;
}

static bool tcp_ending(const struct nlattr *info)
{
	const struct nlattr *t[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];
	uint8_t state;

	nest(info, t, CTA_PROTOINFO_MAX);
	nest(t[CTA_PROTOINFO_TCP], tcp, CTA_PROTOINFO_TCP_MAX);
	state = number8(tcp[CTA_PROTOINFO_TCP_STATE]);
	return state == TCP_CONNTRACK_TIME_WAIT || state == TCP_CONNTRACK_CLOSE;
}

static int on_session(const struct nlmsghdr *m, void *ctx)
{
	const struct walk *w = ctx;
	const struct nlattr *at[CTA_MAX + 1] = { 0 };
	struct table t = { at, CTA_MAX };
	struct session s = { 0 };

	mnl_attr_parse(m, sizeof(struct nfgenmsg), keep_attribute, &t);
	s.mark = number32(at[CTA_MARK]);
	if (mark_permit(s.mark) == 0 || !tuple(at[CTA_TUPLE_ORIG], &s))
		return 0;
	s.ending = s.l4proto == IPPROTO_TCP && tcp_ending(at[CTA_PROTOINFO]);
	s.assured = (number32(at[CTA_STATUS]) & IPS_ASSURED) != 0;
	s.id = number32(at[CTA_ID]);
	s.packets = packets_of(at[CTA_COUNTERS_ORIG]);
	s.packets_back = packets_of(at[CTA_COUNTERS_REPLY]);
	return w->each(&s, w->ctx);
}

int conntrack_dump(struct netlink *n, session_each *each, void (*restart)(void *ctx), void *ctx, struct err *e)
{
	struct walk w = { each, ctx };
	int r = -EINTR;

	for (int attempt = 0; attempt < ATTEMPTS && (r == -EINTR || r == -ENOBUFS); attempt++) {
		_Alignas(8) uint8_t buf[4096];
		struct nlmsghdr *h =
			netlink_request(n, buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);

		if (restart != NULL)
			restart(ctx);
		r = netlink_ask(n, h, on_session, &w, e);
	}
	return r;
}

static void put_address(struct nlmsghdr *h, uint16_t v4, uint16_t v6, const struct addr *a)
{
	mnl_attr_put(h, a->family == 4 ? v4 : v6, addr_len(a->family), a->b);
}

/* Puts the protocol, and the ports or, for ICMP, type and code of the session's first packet. */
static void put_protocol(struct nlmsghdr *h, const struct session *s)
{
	bool six = s->l4proto == IPPROTO_ICMPV6;

	mnl_attr_put_u8(h, CTA_PROTO_NUM, s->l4proto);
	if (s->l4proto != IPPROTO_ICMP && !six) {
		mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(s->client_port));
		mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(s->server_port));
		return;
	}
	mnl_attr_put_u16(h, six ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, htons(s->client_port));
	mnl_attr_put_u8(h, six ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, (uint8_t)(s->server_port >> 8));
	mnl_attr_put_u8(h, six ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, (uint8_t)s->server_port);
}

/* Begins a request about a session. */
static struct nlmsghdr *session_request(struct netlink *n, uint8_t *buf, uint16_t type, uint16_t flags,
					const struct session *s)
{
	struct nlmsghdr *h = netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags,
					     s->client.family == 4 ? AF_INET : AF_INET6);
	struct nlattr *tuple_at = mnl_attr_nest_start(h, CTA_TUPLE_ORIG), *at;

	at = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	put_address(h, CTA_IP_V4_SRC, CTA_IP_V6_SRC, &s->client);
	put_address(h, CTA_IP_V4_DST, CTA_IP_V6_DST, &s->server);
	mnl_attr_nest_end(h, at);
	at = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	put_protocol(h, s);
	mnl_attr_nest_end(h, at);
	mnl_attr_nest_end(h, tuple_at);
	return h;
}

int conntrack_mark(struct netlink *n, const struct session *s, uint32_t mark, struct err *e)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = session_request(n, buf, IPCTNL_MSG_CT_NEW, NLM_F_ACK, s);

	mnl_attr_put_u32(h, CTA_MARK, htonl(mark));
	return netlink_ask(n, h, NULL, NULL, e);
}

int conntrack_delete(struct netlink *n, const struct session *s, struct err *e)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = session_request(n, buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, s);

	mnl_attr_put_u32(h, CTA_ID, htonl(s->id));
	return netlink_ask(n, h, NULL, NULL, e);
}

struct counted {
	uint32_t n, most;
};

static int on_stats(const struct nlmsghdr *m, void *ctx)
{
	const struct nlattr *at[CTA_STATS_GLOBAL_MAX + 1] = { NULL };
	struct table t = { at, CTA_STATS_GLOBAL_MAX };
	struct counted *c = ctx;

	mnl_attr_parse(m, sizeof(struct nfgenmsg), keep_attribute, &t);
	c->n = number32(at[CTA_STATS_GLOBAL_ENTRIES]);
	c->most = number32(at[CTA_STATS_GLOBAL_MAX_ENTRIES]);
	return 0;
}

int conntrack_count(struct netlink *n, uint32_t *ret, uint32_t *ret_most, struct err *e)
{
	_Alignas(8) uint8_t buf[256];
	struct counted c = { 0, 0 };
	struct nlmsghdr *h =
		netlink_request(n, buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	int r = netlink_ask(n, h, on_stats, &c, e);

	*ret = c.n;
	*ret_most = c.most;
	return r;
}

/* ---- whether there is a session -------------------------------------------------------------- */

/* Reads the answer. The kernel answers while the request is sent, so the answer is there: a session
 * or an error. */
static int probe_answer(int fd)
{
	_Alignas(8) uint8_t buf[4096];
	const struct nlmsghdr *h = (const void *)buf;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct mmsghdr one = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int n = recvmmsg(fd, &one, 1, MSG_DONTWAIT, NULL), code;

	if (n < 1)
		return n < 0 ? -errno : -EIO;
	if (!mnl_nlmsg_ok(h, (int)one.msg_len))
		return -EBADMSG;
	if (h->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		return 1;
	if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof(struct nlmsgerr))
		return -EBADMSG;
	code = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
	return code == -ENOENT ? 0 : code < 0 ? code : -EBADMSG;
}

int session_probe(int fd, const struct addr *a, uint16_t a_port, const struct addr *b, uint16_t b_port)
{
	const struct session s = {
		.client = *a, .server = *b, .client_port = a_port, .server_port = b_port, .l4proto = IPPROTO_TCP
	};
	struct netlink numbers = { .fd = fd };
	_Alignas(8) uint8_t buf[4096];
	const struct nlmsghdr *h;
	ssize_t n;

	if (a->family != b->family || addr_len(a->family) == 0)
		return -EAFNOSUPPORT;
	h = session_request(&numbers, buf, IPCTNL_MSG_CT_GET, 0, &s);
	do {
		n = send(fd, h, h->nlmsg_len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : probe_answer(fd);
}
