/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/encap.h"

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

static bool item(struct bytes *b, uint16_t *ret_type, struct bytes *ret)
{
	uint16_t n;

	bytes_le16(b, ret_type);
	bytes_le16(b, &n);
	return bytes_take(b, n, ret);
}

/* Reads interface (0 for CIP), timeout and the number of items. */
static bool items(struct bytes *b, uint16_t *ret_n)
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
	if (!items(&b, &n) || n < 2 || n > 4 || !item(&b, &type, &address) || type != ITEM_NULL || address.left != 0 ||
	    !item(&b, &type, &ret->message) || type != ITEM_UNCONNECTED_DATA)
		return false;
	for (; n > 2; n--)
		if (!item(&b, &type, &address) || (type != ITEM_ADDRESS_OUT && type != ITEM_ADDRESS_IN) ||
		    !io_address(address, ret))
			return false;
	return bytes_done(&b);
}

bool encap_is_io(struct bytes b)
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
	return bytes_le16(&b, &n) && n == IO_ITEMS && item(&b, &type, &address) && type == ITEM_SEQUENCED_ADDRESS &&
	       bytes_le32(&address, &ret->connection) && bytes_le32(&address, &count) && bytes_done(&address) &&
	       item(&b, &type, &ret->message) && type == ITEM_CONNECTED_DATA && bytes_done(&b);
}

bool encap_connected(struct bytes b, struct encap_items *ret)
{
	struct bytes address;
	uint16_t n, type;

	*ret = (struct encap_items){ 0 };
	if (!items(&b, &n) || n != 2 || !item(&b, &type, &address) || type != ITEM_CONNECTED_ADDRESS ||
	    !bytes_le32(&address, &ret->connection) || !bytes_done(&address) || !item(&b, &type, &ret->message) ||
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
		if (!item(&b, &type, &one))
			return false;
	return bytes_done(&b);
}
