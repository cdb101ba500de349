/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the kernel's messages to the tap with the checked cursor. Netlink's own fields are in the
 * machine's byte order, the contents of attributes in network order. */
#ifndef SEKISHO_TAP_ATTRIBUTES_H
#define SEKISHO_TAP_ATTRIBUTES_H

#include <linux/netlink.h>

#include "appliance/base/bytes.h"

/* Takes one message with a struct nfgenmsg off the datagram: *ret_type is its type, *ret the rest
 * after the netlink header. False: the datagram is invalid, and nothing is left of it. */
static inline bool tap_message(struct bytes *datagram, uint16_t *ret_type, struct bytes *ret)
{
	uint32_t length;

	if (!bytes_copy(datagram, &length, sizeof(length)) || length < 16 || !bytes_take(datagram, length - 4u, ret)) {
		/* Without this, a caller's loop over an invalid datagram would not end. */
		*datagram = bytes_of(datagram->p, 0);
		return false;
	}
	bytes_skip(datagram, (4u - length % 4u) % 4u < datagram->left ? (4u - length % 4u) % 4u : datagram->left);
	bytes_copy(ret, ret_type, sizeof(*ret_type));
	bytes_skip(ret, 10); /* flags, sequence, port */
	return true;
}

/* Takes the next attribute of a list. False: there is none. If the list is damaged, `b` then has
 * bytes left or has failed. */
static inline bool tap_attribute(struct bytes *b, uint16_t *ret_type, struct bytes *ret)
{
	uint16_t length;

	if (b->left < 4 || !bytes_copy(b, &length, sizeof(length)) || !bytes_copy(b, ret_type, sizeof(*ret_type)))
		return false;
	if (length < 4 || !bytes_take(b, length - 4u, ret)) {
		b->failed = true;
		return false;
	}
	*ret_type = (uint16_t)(*ret_type & NLA_TYPE_MASK);
	/* The last attribute may have no padding. */
	bytes_skip(b, (4u - length % 4u) % 4u < b->left ? (4u - length % 4u) % 4u : b->left);
	return true;
}

#endif
