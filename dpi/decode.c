/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/decode.h"

#include <string.h>

#include "appliance/base/checksum.h"

/* Header numbers that IPv6 may chain before the transport header. */
#define NEXT_HOP_BY_HOP 0u
#define NEXT_ROUTING 43u
#define NEXT_FRAGMENT 44u
#define NEXT_DESTINATION 60u
#define NEXT_MOBILITY 135u
#define NEXT_HIP 139u
#define NEXT_SHIM6 140u

#define OPTION_END 0u
#define OPTION_NOP 1u
#define OPTION_MULTIPATH 30u
#define MULTIPATH_CAPABLE 0u /* RFC 8684, 3.1 */

/* The transport's checksum over pseudo header and segment. */
static bool transport_good(const struct decoded *d, struct bytes segment)
{
	uint8_t tail[8] = { 0 };
	uint64_t sum = 0;
	struct outbuf o = outbuf_of(tail, sizeof(tail));

	out_be32(&o, (uint32_t)segment.left);
	out_be32(&o, d->l4proto);
	if (d->l4proto != IP_ICMP) {
		sum = checksum_add(sum, bytes_of(d->src.b, addr_len(d->src.family)));
		sum = checksum_add(sum, bytes_of(d->dst.b, addr_len(d->dst.family)));
		sum = checksum_add(sum, bytes_of(tail, sizeof(tail)));
	}
	return checksum_good(checksum_add(sum, segment));
}

/* R_NONE, or R_CHECKSUM when `rule` refuses. */
static enum reason checksum(struct decoded *d, struct bytes segment, enum checksum_rule rule)
{
	if (rule == CHECKSUM_UNREADY || transport_good(d, segment))
		return R_NONE;
	d->bad_checksum = true;
	return rule == CHECKSUM_STRICT ? R_CHECKSUM : R_NONE;
}

/* Looks for Multipath TCP; false when the lengths of the options are inconsistent. */
static bool tcp_options(struct decoded *d, struct bytes o)
{
	uint8_t kind, len, subtype;
	struct bytes body;

	while (o.left > 0) {
		bytes_u8(&o, &kind);
		if (kind == OPTION_END)
			return true;
		if (kind == OPTION_NOP)
			continue;
		bytes_u8(&o, &len);
		if (o.failed || len < 2 || !bytes_take(&o, len - 2u, &body))
			return false;
		if (kind == OPTION_MULTIPATH) {
			d->multipath = true;
			/* An option that does not clearly open a new connection counts as
			 * joining another. */
			d->joins = d->joins || !bytes_u8(&body, &subtype) || subtype >> 4 != MULTIPATH_CAPABLE;
		}
	}
	return true;
}

static enum reason decode_tcp(struct decoded *d, struct bytes segment, enum checksum_rule rule)
{
	struct bytes b = segment, options;
	uint16_t offset_flags, skip;
	uint8_t header;

	bytes_be16(&b, &d->sport);
	bytes_be16(&b, &d->dport);
	bytes_be32(&b, &d->seq);
	bytes_be32(&b, &d->ack);
	bytes_be16(&b, &offset_flags);
	bytes_be16(&b, &skip); /* window */
	bytes_be16(&b, &skip); /* checksum */
	bytes_be16(&b, &skip); /* urgent pointer */
	d->words = (uint8_t)(offset_flags >> 12);
	header = (uint8_t)(d->words * 4u);
	if (b.failed || header < 20 || !bytes_take(&b, header - 20u, &options))
		return R_MALFORMED_TCP;
	d->tcp_flags = (uint8_t)(offset_flags & 0x3fu);
	d->payload = b;
	if (options.left > 0 && !tcp_options(d, options) && (d->tcp_flags & TCP_SYN))
		return R_MALFORMED_TCP;
	return checksum(d, segment, rule);
}

static enum reason decode_udp(struct decoded *d, struct bytes segment, enum checksum_rule rule)
{
	struct bytes b = segment;
	uint16_t length, sum;

	bytes_be16(&b, &d->sport);
	bytes_be16(&b, &d->dport);
	bytes_be16(&b, &length);
	bytes_be16(&b, &sum);
	if (b.failed || length != segment.left)
		return R_MALFORMED_UDP;
	d->payload = b;
	if (sum == 0 && d->src.family == 4)
		return R_NONE; /* there is no checksum, which IPv4 allows */
	return checksum(d, segment, rule);
}

static enum reason decode_icmp(struct decoded *d, struct bytes segment, enum checksum_rule rule)
{
	struct bytes b = segment;
	uint32_t skip;

	bytes_be16(&b, &d->dport);
	bytes_be16(&b, &(uint16_t){ 0 }); /* checksum */
	bytes_be32(&b, &skip);
	if (b.failed)
		return R_MALFORMED_IP;
	d->payload = b;
	return checksum(d, segment, rule);
}

static enum reason decode_transport(struct decoded *d, struct bytes segment, enum checksum_rule rule)
{
	switch (d->l4proto) {
	case IP_TCP:
		return decode_tcp(d, segment, rule);
	case IP_UDP:
		return decode_udp(d, segment, rule);
	case IP_ICMP:
		return d->src.family == 4 ? decode_icmp(d, segment, rule) : R_MALFORMED_IP;
	case IP_ICMP6:
		return d->src.family == 6 ? decode_icmp(d, segment, rule) : R_MALFORMED_IP;
	default:
		d->payload = segment;
		return R_NONE;
	}
}

static enum reason decode_ip4(struct decoded *d, struct bytes ip, enum checksum_rule rule)
{
	struct bytes b = ip, header;
	uint8_t first, byte;
	uint16_t total, word, fragment;

	bytes_u8(&b, &first);
	bytes_u8(&b, &byte); /* type of service */
	bytes_be16(&b, &total);
	bytes_be16(&b, &word); /* identification */
	bytes_be16(&b, &fragment);
	bytes_u8(&b, &d->hops);
	bytes_u8(&b, &d->l4proto);
	bytes_be16(&b, &word); /* header checksum */
	d->src.family = d->dst.family = 4;
	bytes_copy(&b, d->src.b, 4);
	bytes_copy(&b, d->dst.b, 4);
	if (b.failed || (first & 15u) < 5)
		return R_MALFORMED_IP;
	if ((first & 15u) > 5)
		return R_IP_OPTIONS;
	/* A total length of 0 would be a super-frame above 64 kB, whose real length no
	 * header states. */
	if (total < 20 || total > ip.left)
		return R_MALFORMED_IP;
	d->ip = bytes_of(ip.p, total); /* what follows is link-layer padding */
	if (fragment & 0x3fffu)
		return R_FRAGMENT;
	header = bytes_of(ip.p, 20);
	if (!checksum_good(checksum_add(0, header))) {
		if (rule != CHECKSUM_FLAG)
			return R_CHECKSUM;
		d->bad_checksum = true;
	}
	return decode_transport(d, bytes_of(b.p, total - 20u), rule);
}

static enum reason decode_ip6(struct decoded *d, struct bytes ip, enum checksum_rule rule)
{
	struct bytes b = ip, rest;
	uint32_t word;
	uint16_t length;

	bytes_be32(&b, &word); /* version, traffic class, flow label */
	bytes_be16(&b, &length);
	bytes_u8(&b, &d->l4proto);
	bytes_u8(&b, &d->hops);
	d->src.family = d->dst.family = 6;
	bytes_copy(&b, d->src.b, 16);
	bytes_copy(&b, d->dst.b, 16);
	if (b.failed || !bytes_take(&b, length, &rest))
		return R_MALFORMED_IP;
	d->ip = bytes_of(ip.p, 40u + (size_t)length);
	switch (d->l4proto) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return R_IP_OPTIONS;
	case NEXT_FRAGMENT:
		return R_FRAGMENT;
	default:
		return decode_transport(d, rest, rule);
	}
}

enum reason decode_packet(struct bytes ip, enum checksum_rule rule, struct decoded *ret)
{
	struct bytes peek = ip;
	uint8_t first;

	memset(ret, 0, sizeof(*ret));
	ret->ip = ip;
	if (!bytes_u8(&peek, &first))
		return R_MALFORMED_IP;
	switch (first >> 4) {
	case 4:
		return decode_ip4(ret, ip, rule);
	case 6:
		return decode_ip6(ret, ip, rule);
	default:
		return R_MALFORMED_IP;
	}
}
