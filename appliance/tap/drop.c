/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes event records of dropped packets that the kernel logs (NFLOG). The reason comes from the
 * log prefix of the rule, the ends from the packet; lost records are counted by the sequence
 * numbers.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/tap/tap.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/reason.h"

/* ---- the packet ------------------------------------------------------------------------------ */

/*
 * The functions here read what the event needs of the packet: addresses, transport, ports. No
 * length field is trusted beyond the bytes that are there. What cannot be read stays empty.
 */

#define TYPE_PACKET (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)
#define EXTENSIONS_MAX 8

static void read_transport(struct bytes b, struct event *e)
{
	uint8_t type, code;

	switch (e->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		bytes_be16(&b, &e->client_port);
		bytes_be16(&b, &e->server_port);
		if (b.failed)
			e->client_port = e->server_port = 0;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		bytes_u8(&b, &type);
		bytes_u8(&b, &code);
		if (!b.failed)
			e->server_port = (uint16_t)(type << 8 | code);
		break;
	default:
		break;
	}
}

static bool read_address(struct bytes *b, uint8_t family, struct addr *ret)
{
	*ret = (struct addr){ .family = family };
	if (bytes_copy(b, ret->b, addr_len(family)))
		return true;
	*ret = (struct addr){ 0 };
	return false;
}

static void ipv4(struct bytes b, struct event *e)
{
	uint8_t first, protocol;
	uint16_t fragment;
	size_t header;

	bytes_u8(&b, &first);
	bytes_skip(&b, 5);
	bytes_be16(&b, &fragment);
	bytes_skip(&b, 1);
	bytes_u8(&b, &protocol);
	bytes_skip(&b, 2);
	if (!read_address(&b, 4, &e->client) || !read_address(&b, 4, &e->server))
		return;
	e->l4proto = protocol;
	header = (first & 15u) * 4u;
	if (header >= 20 && (fragment & 0x1fff) == 0 && bytes_skip(&b, header - 20))
		read_transport(b, e);
}

static void ipv6(struct bytes b, struct event *e)
{
	uint8_t next, length;
	uint16_t fragment;

	bytes_skip(&b, 6);
	bytes_u8(&b, &next);
	bytes_skip(&b, 1);
	if (!read_address(&b, 6, &e->client) || !read_address(&b, 6, &e->server))
		return;
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		e->l4proto = next;
		if (next == IPPROTO_FRAGMENT) {
			bytes_u8(&b, &next);
			bytes_skip(&b, 1);
			bytes_be16(&b, &fragment);
			bytes_skip(&b, 4);
			if (b.failed)
				return;
			if ((fragment & 0xfff8) != 0) {
				e->l4proto = next;
				return; /* a later fragment has no ports */
			}
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
			bytes_u8(&b, &next);
			bytes_u8(&b, &length);
			if (!bytes_skip(&b, length * 8u + 6u))
				return;
		} else {
			read_transport(b, e);
			return;
		}
	}
}

/* Fills client, server, l4proto and ports from the first bytes of an IP packet (possibly cut). */
static void tap_packet(struct bytes ip, struct event *ret)
{
	if (ip.left == 0)
		return;
	if (ip.p[0] >> 4 == 4)
		ipv4(ip, ret);
	else if (ip.p[0] >> 4 == 6)
		ipv6(ip, ret);
}

/* ---- parsing --------------------------------------------------------------------------------- */

struct record {
	char prefix[64];
	struct bytes payload;
	uint32_t mark, iif, seq;
	bool has_seq, has_mac;
	uint8_t mac[6];
};

/* Parses the kernel's struct nfulnl_msg_packet_hw: a length, two bytes, and room for eight. */
static void hardware(struct bytes value, struct record *r)
{
	uint16_t length;

	bytes_be16(&value, &length);
	bytes_skip(&value, 2);
	if (bytes_copy(&value, r->mac, sizeof(r->mac)))
		r->has_mac = length == sizeof(r->mac);
}

static void read_attribute(uint16_t type, struct bytes value, struct record *r)
{
	size_t n;

	switch (type) {
	case NFULA_MARK:
		bytes_be32(&value, &r->mark);
		break;
	case NFULA_IFINDEX_INDEV:
		bytes_be32(&value, &r->iif);
		break;
	case NFULA_SEQ:
		r->has_seq = bytes_be32(&value, &r->seq);
		break;
	case NFULA_PAYLOAD:
		r->payload = value;
		break;
	case NFULA_HWADDR:
		hardware(value, r);
		break;
	case NFULA_PREFIX:
		n = value.left < sizeof(r->prefix) - 1 ? value.left : sizeof(r->prefix) - 1;
		bytes_copy(&value, r->prefix, n);
		r->prefix[n] = 0;
		break;
	default:
		break;
	}
}

static bool read_attributes(struct bytes b, struct record *r)
{
	struct bytes value;
	uint16_t type;

	while (tap_attribute(&b, &type, &value))
		read_attribute(type, value, r);
	return bytes_done(&b);
}

static void sequence(struct tap *t, uint32_t seq)
{
	/* A jump backwards means that the kernel's counter has begun anew, and not that 4,000
	 * million records are lost. */
	if (t->started && seq - t->next < 0x80000000u)
		t->lost += seq - t->next;
	t->started = true;
	t->next = seq + 1;
}

static enum event_verdict verdict_of(enum reason r)
{
	if (reason_kind(r) == REASON_PASS || r == R_DOWN_OPEN || r == R_DOWN_HELD)
		return EV_ALLOW;
	return EV_DENY;
}

/* Finds the reason in a rule's log prefix: it is the last word, possibly after "sekisho: " or the
 * like. */
static enum reason reason_of(char *prefix)
{
	size_t n = strlen(prefix);
	char *word;
	enum reason r;

	while (n > 0 && (prefix[n - 1] == ' ' || prefix[n - 1] == ':'))
		prefix[--n] = 0;
	word = strrchr(prefix, ' ');
	r = reason_by_word(word != NULL ? word + 1 : prefix);
	return r < REASON_COUNT ? r : R_NONE;
}

/*
 * The device that sent the packet. The source of an IPv4 packet is not taken as the device's
 * address, because the device may be a router; ARP tells that address. The source of an IPv6 packet
 * is taken if it is link-local, because such a packet never crosses a router (RFC 4291, section
 * 2.5.6).
 */
static struct sighting sender(const struct record *r, const struct event *e)
{
	struct sighting s = { .is = r->has_mac && r->iif != 0 && sighting_is_mac(r->mac), .iif = r->iif };

	memcpy(s.mac, r->mac, sizeof(s.mac));
	if (e->client.family == 6 && e->client.b[0] == 0xfe && (e->client.b[1] & 0xc0) == 0x80)
		s.address = e->client;
	return s;
}

bool tap_next(struct tap *t, struct bytes *datagram, struct event *ret)
{
	struct record r = { 0 };
	uint8_t family = 0;
	uint16_t type;
	struct bytes m;

	t->seen = (struct sighting){ 0 };
	if (!tap_message(datagram, &type, &m, &t->malformed) || type != TYPE_PACKET)
		return false;
	bytes_u8(&m, &family);
	bytes_skip(&m, 3); /* the rest of struct nfgenmsg */
	if (m.failed || !read_attributes(m, &r)) {
		t->malformed++;
		return false;
	}
	if (r.has_seq)
		sequence(t, r.seq);
	if (family == NFPROTO_ARP) {
		t->seen = tap_arp(r.payload, r.iif, r.has_mac ? r.mac : NULL);
		return false;
	}
	t->records++;
	*ret = event_new(EVENT_DROP, clock_wall_ns());
	/* If the mark has no lane, it has the number of the interface and no permit
	 * (policy/ir/skeleton/guard.c). */
	ret->permit = mark_lane(r.mark) != 0 ? mark_permit(r.mark) : 0;
	ret->iif = r.iif;
	ret->reason = (uint16_t)reason_of(r.prefix);
	ret->verdict = (uint8_t)verdict_of((enum reason)ret->reason);
	tap_packet(r.payload, ret);
	t->seen = sender(&r, ret);
	return true;
}

bool tap_is_chatter(const struct event *e)
{
	static const uint8_t link4[] = { 224, 0, 0 }, link6[] = { 0xff, 0x02 };

	if (e->reason != R_IP_OPTIONS && e->reason != R_SELF && e->reason != R_SELF_OUT)
		return false;
	return e->server.family == 4 ? memcmp(e->server.b, link4, sizeof(link4)) == 0
				     : e->server.family == 6 && memcmp(e->server.b, link6, sizeof(link6)) == 0;
}
