/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/plausible.h"

#include "dpi/decode.h"

/* RFC 1035, 4.1: header and question; questions are never compressed. */
static bool dns(enum direction dir, struct bytes b)
{
	uint16_t id, flags, questions, answers, authorities, more, type, class;
	uint8_t opcode, length;
	size_t name = 1;

	bytes_be16(&b, &id);
	bytes_be16(&b, &flags);
	bytes_be16(&b, &questions);
	bytes_be16(&b, &answers);
	bytes_be16(&b, &authorities);
	bytes_be16(&b, &more);
	opcode = flags >> 11 & 15u;
	if (b.failed || (flags >> 15) != (dir == DIR_S2C) || (flags & 0x40u) ||
	    (opcode != 0 && opcode != 4 && opcode != 5))
		return false;
	if (dir == DIR_S2C && questions == 0)
		return true; /* an error without its question */
	if (questions != 1 || (dir == DIR_C2S && opcode == 0 && (answers != 0 || authorities != 0)))
		return false;
	while (bytes_u8(&b, &length) && length != 0) {
		name += length + 1u;
		if (length > 63 || name > 255 || !bytes_skip(&b, length))
			return false;
	}
	bytes_be16(&b, &type);
	bytes_be16(&b, &class);
	return !b.failed && type != 0 && ((class >= 1 && class <= 4) || class == 254 || class == 255);
}

static bool dns_over_tcp(enum direction dir, struct bytes b)
{
	uint16_t length;
	struct bytes message = b;

	if (!bytes_be16(&b, &length) || length < 17)
		return false;
	message = b;
	if (length < b.left && !bytes_take(&b, length, &message))
		return false;
	return dns(dir, message);
}

/* RFC 5905, 7.3: time only. The control and private modes (6, 7) administer a server and are not NTP to a policy. */
static bool ntp(enum direction dir, struct bytes b)
{
	uint8_t first, stratum, mode, version;
	size_t n = b.left;

	bytes_u8(&b, &first);
	bytes_u8(&b, &stratum);
	mode = first & 7u;
	version = first >> 3 & 7u;
	if (b.failed || n < 48 || version < 1 || version > 4 || stratum > 16)
		return false;
	return mode == 1 || mode == 2 || mode == (dir == DIR_C2S ? 3 : 4);
}

/* Behind the length of the session service stands one of four magic numbers. */
static bool smb(struct bytes b)
{
	uint8_t kind;

	bytes_skip(&b, 4);
	return bytes_u8(&b, &kind) && kind >= 0xfc && bytes_starts(&b, "SMB", 3);
}

static struct bytes first_bytes(struct bytes b)
{
	return bytes_of(b.p, b.left < RECOGNISE_MAX ? b.left : RECOGNISE_MAX);
}

bool plausible(enum protocol p, enum direction dir, uint8_t l4proto, struct bytes payload)
{
	if (p == PROTO_DNS)
		return l4proto == IP_TCP ? dns_over_tcp(dir, payload) : dns(dir, payload);
	if (p == PROTO_NTP)
		return ntp(dir, payload);
	if (p == PROTO_SMB)
		return smb(payload);
	if (protocol_info(p)->depth == DEPTH_RECOGNISED || protocol_info(p)->depth == DEPTH_COMMANDS)
		return recognise(p, dir, first_bytes(payload)) == RECOGNISED;
	return true;
}
