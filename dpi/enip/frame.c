/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/enip.h"

#include "dpi/prefix.h"

#define ITEM_NULL 0x0000u
#define ITEM_CONNECTED_ADDRESS 0x00a1u
#define ITEM_CONNECTED_DATA 0x00b1u
#define ITEM_UNCONNECTED_DATA 0x00b2u
#define ITEM_ADDRESS_OUT 0x8000u
#define ITEM_ADDRESS_IN 0x8001u
#define ITEM_SEQUENCED_ADDRESS 0x8002u

#define IO_ITEMS 2u /* items of an I/O datagram; no encapsulation command has this number */

#define FAMILY_INET 2u
#define GROUPS 0xe0000000u /* 224.0.0.0/4 */

bool encap_command_known(uint16_t command)
{
	switch (command) {
	case ENCAP_NOP:
	case ENCAP_LIST_ADDRESS:
	case ENCAP_LIST_SERVICES:
	case ENCAP_LIST_IDENTITY:
	case ENCAP_LIST_INTERFACES:
	case ENCAP_REGISTER:
	case ENCAP_UNREGISTER:
	case ENCAP_REQUEST:
	case ENCAP_UNIT:
	case ENCAP_INDICATE_STATUS:
	case ENCAP_CANCEL:
		return true;
	default:
		return false;
	}
}

bool encap_read(struct bytes pdu, struct encap *ret)
{
	bytes_le16(&pdu, &ret->command);
	bytes_le16(&pdu, &ret->length);
	bytes_le32(&pdu, &ret->handle);
	bytes_le32(&pdu, &ret->status);
	bytes_be64(&pdu, &ret->context);
	bytes_le32(&pdu, &ret->options);
	ret->data = pdu;
	return !pdu.failed && ret->length == pdu.left;
}

static bool take_item(struct bytes *b, uint16_t *ret_type, struct bytes *ret)
{
	uint16_t n;

	bytes_le16(b, ret_type);
	bytes_le16(b, &n);
	return bytes_take(b, n, ret);
}

/* Reads interface (0 for CIP), timeout and the number of items. */
static bool take_items(struct bytes *b, uint16_t *ret_n)
{
	uint32_t interface;
	uint16_t time;

	bytes_le32(b, &interface);
	bytes_le16(b, &time);
	bytes_le16(b, ret_n);
	return !b->failed && interface == 0;
}

/* Reads a socket address: family, port, address, and eight bytes without meaning. */
static bool io_address(struct bytes b, struct encap_items *ret)
{
	uint16_t family, port;
	uint32_t host;

	bytes_be16(&b, &family);
	bytes_be16(&b, &port);
	bytes_be32(&b, &host);
	ret->elsewhere = ret->elsewhere || family != FAMILY_INET || (host != 0 && (host & GROUPS) != GROUPS);
	return bytes_skip(&b, 8) && bytes_done(&b);
}

bool encap_unconnected(struct bytes b, struct encap_items *ret)
{
	struct bytes address;
	uint16_t n, type;

	*ret = (struct encap_items){ 0 };
	if (!take_items(&b, &n) || n < 2 || n > 4 || !take_item(&b, &type, &address) || type != ITEM_NULL ||
	    address.left != 0 || !take_item(&b, &type, &ret->message) || type != ITEM_UNCONNECTED_DATA)
		return false;
	for (; n > 2; n--)
		if (!take_item(&b, &type, &address) || (type != ITEM_ADDRESS_OUT && type != ITEM_ADDRESS_IN) ||
		    !io_address(address, ret))
			return false;
	return bytes_done(&b);
}

/* Whether a datagram begins like an I/O datagram, and not like an encapsulation command. */
static bool encap_is_io(struct bytes b)
{
	uint16_t n;

	return bytes_le16(&b, &n) && n == IO_ITEMS;
}

bool encap_io(struct bytes b, struct encap_items *ret)
{
	struct bytes address;
	uint32_t count;
	uint16_t n, type;

	*ret = (struct encap_items){ 0 };
	return bytes_le16(&b, &n) && n == IO_ITEMS && take_item(&b, &type, &address) &&
	       type == ITEM_SEQUENCED_ADDRESS && bytes_le32(&address, &ret->connection) &&
	       bytes_le32(&address, &count) && bytes_done(&address) && take_item(&b, &type, &ret->message) &&
	       type == ITEM_CONNECTED_DATA && bytes_done(&b);
}

bool encap_connected(struct bytes b, struct encap_items *ret)
{
	struct bytes address;
	uint16_t n, type;

	*ret = (struct encap_items){ 0 };
	if (!take_items(&b, &n) || n != 2 || !take_item(&b, &type, &address) || type != ITEM_CONNECTED_ADDRESS ||
	    !bytes_le32(&address, &ret->connection) || !bytes_done(&address) || !take_item(&b, &type, &ret->message) ||
	    type != ITEM_CONNECTED_DATA)
		return false;
	return bytes_le16(&ret->message, &ret->sequence) && bytes_done(&b);
}

bool encap_says_nothing(struct bytes pdu)
{
	struct encap e;

	return !encap_read(pdu, &e) && e.command == ENCAP_LIST_IDENTITY && e.length == 0 && encap_is_list(e.data);
}

bool encap_is_list(struct bytes b)
{
	struct bytes one;
	uint16_t n, type;

	if (!bytes_le16(&b, &n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!take_item(&b, &type, &one))
			return false;
	return bytes_done(&b);
}

/* ---- the end of a message -------------------------------------------------------------------- */

/* A first message that has no effect: no session handle, status 0, no options (Volume 2, 2-4.1).
 * Its data and context may be anything. */
static bool may_do_nothing(struct bytes head)
{
	uint8_t byte;

	for (size_t at = 0; at < ENCAP_HEADER && bytes_u8(&head, &byte); at++)
		if (byte != 0 && ((at >= 4 && at < 12) || at >= 20))
			return false;
	return true;
}

/* Tests each byte as soon as it is there: a flow that cannot be EtherNet/IP ends at the first byte
 * that shows it. */
enum frame_result enip_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	const struct enip_state *s = state;
	struct encap_items items;
	struct bytes whole = head;
	size_t have = head.left;
	uint16_t command, length;
	uint8_t low;

	*ret_len = 0;
	/* a datagram has one such PDU, and nothing after it */
	if (s->datagrams && encap_is_io(head)) {
		*ret_len = have;
		return encap_io(head, &items) ? FRAME_WHOLE : FRAME_BAD;
	}
	if (have < 4) {
		if (have >= 1 && bytes_u8(&head, &low) && !encap_command_known(low))
			return FRAME_BAD;
		if (have >= 2 && bytes_u8(&head, &low) && low != 0)
			return FRAME_BAD;
		return FRAME_NEED_MORE;
	}
	bytes_le16(&head, &command);
	bytes_le16(&head, &length);
	if (!encap_command_known(command) || length > ENIP_PDU_MAX - ENCAP_HEADER)
		return FRAME_BAD;
	if (dir == DIR_C2S && command == ENCAP_NOP && s->session == SESSION_NONE && !s->datagrams &&
	    !may_do_nothing(whole))
		return FRAME_BAD;
	if (have < ENCAP_HEADER + length)
		return FRAME_NEED_MORE;
	if (dir == DIR_S2C && (s->lenient & LENIENT_LISTING) && encap_says_nothing(whole)) {
		*ret_len = have;
		return FRAME_WHOLE;
	}
	*ret_len = ENCAP_HEADER + length;
	return FRAME_WHOLE;
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

/* A datagram of an I/O connection: two items, of which the first is a sequenced address. */
static bool is_io(struct bytes head)
{
	static const uint8_t first[] = { 2, 0, 0x02, 0x80, 8, 0 };

	return bytes_starts(&head, first, sizeof(first));
}

/* Reads command, length, session handle and status. A client's status is 0, and only the first
 * message of a session has no session handle. */
enum recognition recognise_enip(enum direction dir, struct bytes head)
{
	static const struct {
		uint8_t command, length;
		bool any_length, session;
	} first[] = { { 0x00, 0, true, false },	 { 0x01, 0, false, false }, { 0x04, 0, false, false },
		      { 0x63, 0, false, false }, { 0x64, 0, false, false }, { 0x65, 4, false, false },
		      { 0x6f, 0, true, true },	 { 0x70, 0, true, true } };
	enum recognition best = RECOGNISE_NOT;

	if (is_io(head)) /* an I/O datagram of either end; over TCP no message begins like this */
		return RECOGNISED;

	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct prefix p = { .b = head };
		uint8_t low = first[i].any_length || dir == DIR_S2C ? 0 : first[i].length;
		uint8_t high = first[i].any_length || dir == DIR_S2C ? 255 : first[i].length;
		uint32_t session = 0;

		if (!may_be(&p, first[i].command, first[i].command) || !may_be(&p, 0, 0) || !may_be(&p, low, high) ||
		    !may_be(&p, 0, high == 255 ? 0x11 : 0))
			continue;
		for (unsigned k = 0; k < 4; k++)
			session |= next_byte(&p);
		if (!p.more && dir == DIR_C2S && (session != 0) != first[i].session)
			continue;
		for (unsigned k = 0; k < 4; k++)
			if (!may_be(&p, 0, dir == DIR_C2S ? 0 : 255))
				session = UINT32_MAX;
		if (!p.more && session != UINT32_MAX)
			return RECOGNISED;
		best = p.more && session != UINT32_MAX ? RECOGNISE_MORE : best;
	}
	return best;
}
