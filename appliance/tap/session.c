/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that conduits let through, from the notifications of connection tracking: one record
 * when a session's first packet has passed all rules (the kernel then stores the session), and one
 * when the session is removed, because it closed or was silent for too long. Both name the permit
 * in the session's mark.
 *
 * While the policy wants no records, enforce turns the kernel's notifications off (box/sysctl.c),
 * so they cost nothing. The supervisor switches listening on and off on its copy of the tap's
 * socket. So the tap needs neither a message nor a privilege for this, and notifications wait in
 * the socket while the tap restarts.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/tap/tap.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/reason.h"

#define RECEIVE_QUEUE (4 << 20) /* bytes; enough for about ten thousand sessions */
#define TYPE_NEW (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)
#define TYPE_DELETE (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE)
#define SECOND 1000000000ull

/* ---- opening, in the supervisor -------------------------------------------------------------- */

int tap_sessions_open(struct err *e)
{
	return tap_socket(NETLINK_NETFILTER, SOCK_NONBLOCK, RECEIVE_QUEUE, "open the socket that hears of sessions", e);
}

int tap_sessions_hear(int fd, bool on, struct err *e)
{
	static const int groups[] = { NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			return err_set(e, -errno, on ? "hear of sessions" : "hear of sessions no more");
	return 0;
}

int tap_sessions_heard(int fd)
{
	uint32_t groups[8] = { 0 };
	socklen_t size = sizeof(groups);

	if (getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &size) < 0)
		return -errno;
	return (groups[0] & 1u << (NFNLGRP_CONNTRACK_NEW - 1)) != 0 &&
	       (groups[0] & 1u << (NFNLGRP_CONNTRACK_DESTROY - 1)) != 0;
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* What is read about a session. A missing field stays 0. */
struct told {
	struct event *e;
	uint32_t mark;
	uint64_t bytes[2]; /* from the client; from the server */
	bool counted[2];
	uint64_t start, stop; /* nanoseconds since 1970 */
};

/* The nested lists of attributes, each with its own numbers. */
enum level { TOP, TUPLE, ADDRESSES, PORTS, COUNTERS_THERE, COUNTERS_BACK, TIMES };

static bool read_list(struct told *t, enum level level, struct bytes b);

static void put_addr(struct addr *ret, uint8_t family, struct bytes value)
{
	struct addr a = { .family = family };

	if (value.left == addr_len(family) && bytes_copy(&value, a.b, addr_len(family)))
		*ret = a;
}

static bool of_addresses(struct told *t, uint16_t type, struct bytes value)
{
	if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
		put_addr(&t->e->client, type == CTA_IP_V4_SRC ? 4 : 6, value);
	if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
		put_addr(&t->e->server, type == CTA_IP_V4_DST ? 4 : 6, value);
	return true;
}

/* For ICMP, server_port is the type and the code, as in every record. The identifier is left
 * out. */
static bool of_ports(struct told *t, uint16_t type, struct bytes value)
{
	uint8_t n = 0;

	switch (type) {
	case CTA_PROTO_NUM:
		return bytes_u8(&value, &t->e->l4proto);
	case CTA_PROTO_SRC_PORT:
		return bytes_be16(&value, &t->e->client_port);
	case CTA_PROTO_DST_PORT:
		return bytes_be16(&value, &t->e->server_port);
	case CTA_PROTO_ICMP_TYPE:
	case CTA_PROTO_ICMPV6_TYPE:
		bytes_u8(&value, &n);
		t->e->server_port = (uint16_t)((unsigned)n << 8 | (t->e->server_port & 255u));
		break;
	case CTA_PROTO_ICMP_CODE:
	case CTA_PROTO_ICMPV6_CODE:
		bytes_u8(&value, &n);
		t->e->server_port = (uint16_t)((t->e->server_port & 0xff00u) | n);
		break;
	default:
		break;
	}
	return !value.failed;
}

static bool of_top(struct told *t, uint16_t type, struct bytes value)
{
	switch (type) {
	case CTA_TUPLE_ORIG:
		return read_list(t, TUPLE, value);
	case CTA_MARK:
		return bytes_be32(&value, &t->mark);
	case CTA_COUNTERS_ORIG:
		return read_list(t, COUNTERS_THERE, value);
	case CTA_COUNTERS_REPLY:
		return read_list(t, COUNTERS_BACK, value);
	case CTA_TIMESTAMP:
		return read_list(t, TIMES, value);
	default:
		return true;
	}
}

static bool of_level(struct told *t, enum level level, uint16_t type, struct bytes value)
{
	unsigned way = level == COUNTERS_BACK;

	switch (level) {
	case TOP:
		return of_top(t, type, value);
	case TUPLE:
		return type == CTA_TUPLE_IP	 ? read_list(t, ADDRESSES, value)
		       : type == CTA_TUPLE_PROTO ? read_list(t, PORTS, value)
						 : true;
	case ADDRESSES:
		return of_addresses(t, type, value);
	case PORTS:
		return of_ports(t, type, value);
	case COUNTERS_THERE:
	case COUNTERS_BACK:
		if (type == CTA_COUNTERS_BYTES)
			t->counted[way] = bytes_be64(&value, &t->bytes[way]);
		return !value.failed;
	case TIMES:
		if (type == CTA_TIMESTAMP_START)
			bytes_be64(&value, &t->start);
		else if (type == CTA_TIMESTAMP_STOP)
			bytes_be64(&value, &t->stop);
		return !value.failed;
	}
	return true;
}

static bool read_list(struct told *t, enum level level, struct bytes b)
{
	struct bytes value;
	uint16_t type;

	while (tap_attribute(&b, &type, &value))
		if (!of_level(t, level, type, value))
			return false;
	return bytes_done(&b);
}

/* Sets duration and bytes, which are known once a session has ended. */
static void put_sums(const struct told *t)
{
	struct event *e = t->e;
	uint64_t seconds;

	/* Without sums, the session began before the kernel counted. */
	if (!t->counted[0] || !t->counted[1] || t->start == 0 || t->stop < t->start)
		return;
	seconds = (t->stop - t->start) / SECOND;
	e->quantity = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
	e->space = PASSED_COUNTED;
	e->address = t->bytes[0];
	e->value = t->bytes[1];
}

bool tap_session_next(struct bytes *datagram, struct event *ret, uint64_t *malformed)
{
	struct told t = { .e = ret };
	struct bytes m;
	uint16_t type;

	if (!tap_message(datagram, &type, &m, malformed) || (type != TYPE_NEW && type != TYPE_DELETE))
		return false;
	*ret = event_new(EVENT_PASSED, clock_wall_ns());
	bytes_skip(&m, 4); /* struct nfgenmsg */
	if (m.failed || !read_list(&t, TOP, m)) {
		++*malformed;
		return false;
	}
	/* Sessions of the box itself, and sessions without a conduit, have no permit. */
	ret->permit = mark_permit(t.mark);
	if (ret->permit == 0 || ret->client.family == 0 || ret->server.family != ret->client.family)
		return false;
	ret->verdict = EV_ALLOW;
	ret->reason = R_ALLOWED;
	ret->code = type == TYPE_NEW ? PASSED_BEGAN : PASSED_ENDED;
	if (type == TYPE_DELETE)
		put_sums(&t);
	return true;
}
