/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/tap/packet.h"

#include <netinet/in.h>

#define EXTENSIONS_MAX 8

static void transport(struct bytes b, struct event *e)
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

static bool address(struct bytes *b, uint8_t family, struct addr *ret)
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
	if (!address(&b, 4, &e->client) || !address(&b, 4, &e->server))
		return;
	e->l4proto = protocol;
	header = (first & 15u) * 4u;
	if (header >= 20 && (fragment & 0x1fff) == 0 && bytes_skip(&b, header - 20))
		transport(b, e);
}

static void ipv6(struct bytes b, struct event *e)
{
	uint8_t next, length;
	uint16_t fragment;

	bytes_skip(&b, 6);
	bytes_u8(&b, &next);
	bytes_skip(&b, 1);
	if (!address(&b, 6, &e->client) || !address(&b, 6, &e->server))
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
			transport(b, e);
			return;
		}
	}
}

void tap_packet(struct bytes ip, struct event *ret)
{
	if (ip.left == 0)
		return;
	if (ip.p[0] >> 4 == 4)
		ipv4(ip, ret);
	else if (ip.p[0] >> 4 == 6)
		ipv6(ip, ret);
}
