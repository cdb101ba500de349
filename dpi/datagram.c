/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/datagram.h"

/* An element of BER (X.690, 8.1): its tag, and its content out of `b`. Lengths of up to two bytes are enough for UDP. */
static bool element(struct bytes *b, uint8_t *ret_tag, struct bytes *ret)
{
	uint8_t first, low;
	uint16_t n;

	bytes_u8(b, ret_tag);
	if (!bytes_u8(b, &first))
		return false;
	n = first;
	if (first == 0x81 && bytes_u8(b, &low))
		n = low;
	else if (first == 0x82)
		bytes_be16(b, &n);
	else if (first > 0x7f)
		return false;
	return !b->failed && bytes_take(b, n, ret);
}

/* RFC 3416, 3 and RFC 3412, 6: one message and nothing behind it, with every length as long as what it counts. */
static bool snmp(struct bytes b)
{
	struct bytes message, part;
	uint8_t tag, version;

	if (!element(&b, &tag, &message) || tag != 0x30 || !bytes_done(&b))
		return false;
	if (!element(&message, &tag, &part) || tag != 0x02 || part.left != 1 || !bytes_u8(&part, &version))
		return false;
	if (!element(&message, &tag, &part))
		return false;
	if (version == 0 || version == 1) { /* community, PDU */
		return tag == 0x04 && element(&message, &tag, &part) && tag >= 0xa0 && tag <= 0xa8 && part.left > 0 &&
		       bytes_done(&message);
	}
	/* header, security parameters, scoped PDU, which may be encrypted */
	return version == 3 && tag == 0x30 && element(&message, &tag, &part) && tag == 0x04 &&
	       element(&message, &tag, &part) && (tag == 0x30 || tag == 0x04) && bytes_done(&message);
}

/* RFC 3164, 4.1 and RFC 5424, 6: a priority in angle brackets, then text; some senders end it with a zero byte. */
static bool syslog(struct bytes b)
{
	unsigned priority = 0, digits = 0;
	uint8_t c;

	if (!bytes_u8(&b, &c) || c != '<')
		return false;
	while (bytes_u8(&b, &c) && c >= '0' && c <= '9' && digits++ < 3)
		priority = priority * 10 + c - '0';
	if (b.failed || c != '>' || digits == 0 || priority > 191 || b.left == 0)
		return false;
	while (b.left > 0 && bytes_u8(&b, &c))
		if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n' && (c != 0 || b.left > 0)) || c == 0x7f)
			return false;
	return true;
}

bool datagram_is(enum protocol p, struct bytes payload)
{
	if (p == PROTO_SNMP)
		return snmp(payload);
	if (p == PROTO_SYSLOG)
		return syslog(payload);
	return false;
}
