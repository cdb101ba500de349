/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/capture.h"

#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define TYPE_8021Q 0x8100u
#define TYPE_8021AD 0x88a8u
#define TYPE_QINQ_OLD 0x9100u
#define TAGS_MAX 4 /* more tags than any switch writes */

/* Whether the rest of *b is an IP packet, by its first four bits. */
static bool starts_ip(const struct bytes *b, unsigned version)
{
	struct bytes peek = *b;
	uint8_t first;

	return bytes_u8(&peek, &first) && first >> 4 == version;
}

static bool by_type(uint16_t type, struct bytes *b, struct bytes *ret)
{
	for (int i = 0; i < TAGS_MAX && (type == TYPE_8021Q || type == TYPE_8021AD || type == TYPE_QINQ_OLD); i++) {
		bytes_skip(b, 2);
		if (!bytes_be16(b, &type))
			return false;
	}
	if (type < 0x0600) { /* a length: LLC follows, and SNAP if it carries IP */
		static const uint8_t snap[6] = { 0xaa, 0xaa, 3, 0, 0, 0 };

		if (!bytes_starts(b, snap, sizeof(snap)) || !bytes_skip(b, sizeof(snap)) || !bytes_be16(b, &type))
			return false;
	}
	*ret = *b;
	return (type == TYPE_IPV4 && starts_ip(b, 4)) || (type == TYPE_IPV6 && starts_ip(b, 6));
}

static bool by_version(struct bytes *b, struct bytes *ret)
{
	*ret = *b;
	return starts_ip(b, 4) || starts_ip(b, 6);
}

bool link_strip(enum link_kind kind, struct bytes frame, struct bytes *ret_ip)
{
	uint16_t type = 0;

	*ret_ip = (struct bytes){ .failed = true };
	switch (kind) {
	case LINK_ETHERNET:
		bytes_skip(&frame, 12);
		return bytes_be16(&frame, &type) && by_type(type, &frame, ret_ip);
	case LINK_COOKED:
		bytes_skip(&frame, 14);
		return bytes_be16(&frame, &type) && by_type(type, &frame, ret_ip);
	case LINK_COOKED2:
		bytes_be16(&frame, &type);
		bytes_skip(&frame, 18);
		return !frame.failed && by_type(type, &frame, ret_ip);
	case LINK_RAW:
		return by_version(&frame, ret_ip);
	case LINK_NULL:
		/* Systems use different numbers for the family; the packet itself tells its IP
		 * version. */
		return bytes_skip(&frame, 4) && by_version(&frame, ret_ip);
	case LINK_UNKNOWN:
		return false;
	}
	return false;
}
