/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/bacnet.h"

#include "dpi/bacnet/words.h"
#include "dpi/prefix.h"

#define LINK_TYPE 0x81u /* BACnet/IP over IPv4 (annex J.2) */
#define VERSION 1u
#define FORWARDED_ADDRESS 6u

/* Control octet of the network layer (clause 6.2.2). */
#define IS_MESSAGE 0x80u
#define HAS_DESTINATION 0x20u
#define HAS_SOURCE 0x08u
#define RESERVED 0x50u
#define VENDOR_MESSAGES 0x80u /* types from here on have a vendor's number */

/* First octet of an APDU (clause 20.1). */
#define SEGMENTED 0x08u
#define MORE 0x04u
#define FROM_SERVER 0x01u

static bool carries_network(uint8_t function)
{
	return function == BACNET_FORWARDED || (function >= BACNET_DISTRIBUTE && function <= BACNET_BROADCAST);
}

enum frame_result bacnet_frame(struct bytes head, size_t *ret_len)
{
	*ret_len = head.left;
	return head.left >= BACNET_LINK_HEADER && head.left <= BACNET_PDU_MAX && head.p[0] == LINK_TYPE ? FRAME_WHOLE
													: FRAME_BAD;
}

bool bacnet_is_length(size_t bytes, size_t least, size_t each)
{
	return bytes >= least && (each == 0 ? bytes == least : (bytes - least) % each == 0);
}

/* Whether this number of bytes may follow the header of this function of the link. Not for
 * functions that carry a network layer. */
static bool bacnet_link_fits(uint8_t function, size_t bytes)
{
	switch (function) {
#define LINK(function, name, class, end, least, each, form)                                                            \
	case function:                                                                                                 \
		return bacnet_is_length(bytes, least, each);
#include "dpi/bacnet/services.def"
	case BACNET_SECURE:
		return true;
	default:
		return false;
	}
}

/* Reads a route: a network, the length of an address in it, and the address. */
static bool take_route(struct bytes *b, bool source, uint32_t *ret)
{
	uint16_t network;
	uint8_t n, one = 0;

	bytes_be16(b, &network);
	if (!bytes_u8(b, &n) || network == 0)
		return false;
	/* A source is one network and a station. Network 65535 means all networks; it can only be
	 * a destination, and must not be followed by a station (clause 6.2.2). */
	if (source ? network == UINT16_MAX || n == 0 : network == UINT16_MAX && n > 0)
		return false;
	*ret = BACNET_ROUTE_OF(network, n == 0 ? BACNET_STATION_ALL : BACNET_STATION_LONG);
	if (n != 1)
		return bytes_skip(b, n);
	bytes_u8(b, &one);
	*ret = BACNET_ROUTE_OF(network, one);
	return !b->failed;
}

static bool take_network(struct bytes *b, struct bacnet_unit *ret)
{
	uint8_t version, control, hops = 1;
	uint16_t vendor;

	bytes_u8(b, &version);
	if (!bytes_u8(b, &control) || version != VERSION || (control & RESERVED) != 0)
		return false;
	if ((control & HAS_DESTINATION) != 0 && !take_route(b, false, &ret->route))
		return false;
	ret->relayed = (control & HAS_SOURCE) != 0;
	if (ret->relayed && !take_route(b, true, &ret->source))
		return false;
	if ((control & HAS_DESTINATION) != 0)
		bytes_u8(b, &hops);
	ret->message = (control & IS_MESSAGE) != 0;
	if (ret->message && bytes_u8(b, &ret->message_type) && ret->message_type >= VENDOR_MESSAGES)
		bytes_be16(b, &vendor);
	return !b->failed && hops > 0;
}

/* Whether these flags may be set for the type. Flags that mean nothing for it must be 0. */
static bool flags_fit(uint8_t type, uint8_t flags)
{
	switch (type) {
	case BACNET_CONFIRMED_REQUEST:
		return (flags & 1u) == 0 && ((flags & MORE) == 0 || (flags & SEGMENTED) != 0);
	case BACNET_COMPLEX_ACK:
		return (flags & 3u) == 0 && ((flags & MORE) == 0 || (flags & SEGMENTED) != 0);
	case BACNET_SEGMENT_ACK:
		return flags <= 3;
	case BACNET_ABORT:
		return flags <= FROM_SERVER;
	default:
		return flags == 0 && type <= BACNET_ABORT;
	}
}

static bool take_apdu(struct bytes *b, struct bacnet_unit *ret)
{
	uint8_t first, sizes = 0, window = 1;

	if (!bytes_u8(b, &first) || !flags_fit(first >> 4, first & 0x0fu))
		return false;
	ret->type = first >> 4;
	ret->segmented = ret->type != BACNET_ABORT && (first & SEGMENTED) != 0;
	ret->more = ret->segmented && (first & MORE) != 0;
	ret->from_server = (ret->type == BACNET_SEGMENT_ACK || ret->type == BACNET_ABORT) && (first & FROM_SERVER) != 0;
	if (ret->type == BACNET_CONFIRMED_REQUEST)
		bytes_u8(b, &sizes);
	if (ret->type != BACNET_UNCONFIRMED_REQUEST)
		bytes_u8(b, &ret->invoke);
	if (ret->segmented || ret->type == BACNET_SEGMENT_ACK) {
		bytes_u8(b, &ret->sequence);
		bytes_u8(b, &window);
	}
	if (ret->type != BACNET_SEGMENT_ACK)
		bytes_u8(b, &ret->service);
	if (b->failed || (sizes & 0x80u) != 0 || window == 0 || window > 127)
		return false;
	ret->rest = *b;
	/* the other types say everything in their header, so nothing may follow it */
	return b->left == 0 || ret->type <= BACNET_UNCONFIRMED_REQUEST || ret->type == BACNET_COMPLEX_ACK ||
	       ret->type == BACNET_ERROR;
}

bool bacnet_unwrap(struct bytes pdu, struct bacnet_unit *ret)
{
	struct bytes b = pdu;
	uint16_t length;
	uint8_t type;
	size_t n;

	*ret = (struct bacnet_unit){ .function = 0 };
	if (bacnet_frame(pdu, &n) != FRAME_WHOLE)
		return false;
	bytes_u8(&b, &type);
	bytes_u8(&b, &ret->function);
	if (!bytes_be16(&b, &length) || length != pdu.left)
		return false;
	ret->carries = carries_network(ret->function);
	ret->rest = b;
	if (!ret->carries)
		return ret->function <= BACNET_SECURE && bacnet_link_fits(ret->function, b.left);
	if (ret->function == BACNET_FORWARDED)
		bytes_skip(&b, FORWARDED_ADDRESS);
	if (!take_network(&b, ret))
		return false;
	ret->rest = b;
	return ret->message || take_apdu(&b, ret);
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

#define SEALED 12u

/* Whether a message of this function of the link may have this length (ANSI/ASHRAE 135, annex
 * J.2). */
static bool has_length(uint32_t function, uint32_t length)
{
	switch (function) {
	case 0: /* a result */
	case 5: /* a foreign device */
		return length == 6;
	case 2: /* a table is read */
	case 6:
		return length == 4;
	case 1: /* a table with rows of 10 bytes */
	case 3:
	case 7:
		return length % 10 == 4;
	case 8:
		return length == 10;
	default:
		return function == SEALED;
	}
}

/* Tests the link's type and function, and a length of at most 1,507 bytes. If a network layer
 * follows, also tests its version, and its control octet, which has no reserved bits (clause 6.2).
 * Both ends send the same messages. */
enum recognition recognise_bacnet(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t function, control, length;

	if (!may_be(&p, 0x81, 0x81))
		return RECOGNISE_NOT;
	function = next_byte(&p);
	if (!p.more && function > SEALED)
		return RECOGNISE_NOT;
	length = next_number(&p, 2);
	if (!p.more && (length < 4 || length > 1507))
		return RECOGNISE_NOT;
	if (function != 4 && (function < 9 || function > 11))
		return p.more || has_length(function, length) ? so_far(&p) : RECOGNISE_NOT;
	if (function == 4)
		pass_bytes(&p, 6);
	if (!may_be(&p, 1, 1))
		return RECOGNISE_NOT;
	control = next_byte(&p);
	return p.more || (control & 0x50u) == 0 ? so_far(&p) : RECOGNISE_NOT;
}
