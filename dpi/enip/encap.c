/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/encap.h"

#define ITEM_NULL 0x0000u
#define ITEM_CONNECTED_ADDRESS 0x00a1u
#define ITEM_CONNECTED_DATA 0x00b1u
#define ITEM_UNCONNECTED_DATA 0x00b2u
#define ITEM_ADDRESS_OUT 0x8000u
#define ITEM_ADDRESS_IN 0x8001u

bool encap_command_known(uint16_t command)
{
	switch (command) {
	case ENCAP_NOP:
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

/* The interface, which is 0 for CIP, a time, and how many items there are. */
static bool items(struct bytes *b, uint16_t *ret_n)
{
	uint32_t interface;
	uint16_t time;

	bytes_le32(b, &interface);
	bytes_le16(b, &time);
	bytes_le16(b, ret_n);
	return !b->failed && interface == 0;
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
		    address.left != 16)
			return false;
	return bytes_done(&b);
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
