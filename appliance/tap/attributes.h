/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's messages to the tap, parsed with the checked cursor. Netlink's own fields are in
 * host order, the contents of attributes are not. */
#ifndef SEKISHO_TAP_ATTRIBUTES_H
#define SEKISHO_TAP_ATTRIBUTES_H

#include <linux/netlink.h>

#include "appliance/base/bytes.h"

/* Takes one message with a struct nfgenmsg off the datagram: its type, and its attributes. False:
 * nothing behind it can be found, and nothing is left. */
static inline bool tap_message(struct bytes *datagram, uint16_t *ret_type, struct bytes *ret)
{
	uint32_t length;

	if (!bytes_copy(datagram, &length, sizeof(length)) || length < 16 || !bytes_take(datagram, length - 4u, ret)) {
		/* A failed cursor alone would not move. */
		*datagram = bytes_of(datagram->p, 0);
		return false;
	}
	bytes_skip(datagram, (4u - length % 4u) % 4u < datagram->left ? (4u - length % 4u) % 4u : datagram->left);
	bytes_copy(ret, ret_type, sizeof(*ret_type));
	bytes_skip(ret, 10); /* flags, sequence, port */
	return true;
}

/* The next attribute of a list. False: there is none, and `b` has bytes left or has failed when the
 * list is damaged. */
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
	/* The last one needs no padding. */
	bytes_skip(b, (4u - length % 4u) % 4u < b->left ? (4u - length % 4u) % 4u : b->left);
	return true;
}

#endif
