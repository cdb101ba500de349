/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises TLS, SSH and QUIC by their parts in clear. */
#include "dpi/prefix.h"

/* A record header (RFC 8446, 5.1), then a hello. A server may send only an alert instead. */
enum recognition recognise_tls(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = next_byte(&p);

	if (p.more)
		return RECOGNISE_MORE;
	if (type != 22 && !(type == 21 && dir == DIR_S2C))
		return RECOGNISE_NOT;
	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 4))
		return RECOGNISE_NOT;
	if (type == 21)
		return may_be_be16(&p, 2, 2) && may_be(&p, 1, 2) ? so_far(&p) : RECOGNISE_NOT;
	if (!may_be_be16(&p, 6, 16384) || !may_be(&p, dir == DIR_C2S ? 1 : 2, dir == DIR_C2S ? 1 : 2))
		return RECOGNISE_NOT;
	/* the hello's length has three bytes, of which the first is 0 */
	if (!may_be(&p, 0, 0) || !may_be_be16(&p, 38, 65535))
		return RECOGNISE_NOT;
	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 4))
		return RECOGNISE_NOT;
	return so_far(&p);
}

/*
 * The version line (RFC 4253, 4.2). A server may send other lines of text before it, which do not
 * begin with "SSH-"; recognise_head reads the rest of them.
 */
enum recognition recognise_ssh(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, old = { .b = head }, text = { .b = head };

	if (may_be_word(&p, "SSH-2.0-"))
		return so_far(&p);
	if (may_be_word(&old, "SSH-1.99-"))
		return so_far(&old);
	if (dir == DIR_C2S)
		return RECOGNISE_NOT;
	for (const char *tag = "SSH-"; *tag != '\0'; tag++) {
		uint32_t c = next_byte(&text);

		if (text.more)
			return RECOGNISE_MORE;
		if (!is_text(c) && c != '\r' && c != '\n')
			return RECOGNISE_NOT;
		if (c != (uint8_t)*tag)
			return RECOGNISE_HALF;
	}
	return RECOGNISE_NOT; /* another version */
}

#define QUIC_1 1u
#define QUIC_2 0x6b3343cfu
#define QUIC_DRAFTS 0xff000000u /* plus the number of the draft */
/* A version that has these lower four bits in each byte asks for the supported versions (RFC 9000,
 * 15). */
#define QUIC_RESERVED 0x0a0a0a0au
#define QUIC_DATAGRAM 1200u

/* Reads a variable-length integer of QUIC (RFC 9000, 16): its first two bits tell its length. */
static bool variable(struct bytes *b, uint64_t *ret)
{
	uint8_t byte;

	if (!bytes_u8(b, &byte))
		return false;
	*ret = byte & 0x3fu;
	for (unsigned n = (1u << (byte >> 6)) - 1u; n > 0; n--) {
		if (!bytes_u8(b, &byte))
			return false;
		*ret = *ret << 8 | byte;
	}
	return true;
}

/*
 * RFC 9000, 17.2 and 14.1; RFC 9369, 3: a client begins with an Initial packet of a known version,
 * in a datagram of at least 1,200 bytes. On the way, a 0-RTT packet may overtake it (RFC 9000,
 * 17.2.3 and 5.2.2). A server answers with long headers, too, or with its list of versions.
 */
bool datagram_quic(enum direction dir, struct bytes b)
{
	size_t all = b.left;
	uint8_t first, length;
	uint32_t version;
	uint64_t token = 0, rest = 0;
	uint32_t type, initial;
	bool known;

	bytes_u8(&b, &first);
	bytes_be32(&b, &version);
	known = version == QUIC_1 || version == QUIC_2 || (version & 0xffffff00u) == QUIC_DRAFTS ||
		(version & 0x0f0f0f0fu) == QUIC_RESERVED;
	if (b.failed || (first & 0x80u) == 0 || (!known && (dir == DIR_C2S || version != 0)))
		return false;
	if (known && (first & 0x40u) == 0)
		return false;
	for (unsigned ends = 0; ends < 2; ends++)
		if (!bytes_u8(&b, &length) || length > 20 || !bytes_skip(&b, length) ||
		    (dir == DIR_C2S && ends == 0 && length < 8))
			return false;
	if (dir == DIR_S2C)
		return true;
	type = first >> 4 & 3u;
	initial = version == QUIC_2 ? 1u : 0u;
	/* 0-RTT: no token and no least size, but at least the bytes from which the header
	 * protection is sampled */
	if (type == initial + 1u)
		return variable(&b, &rest) && rest >= 20 && rest <= b.left;
	return all >= QUIC_DATAGRAM && type == initial && variable(&b, &token) && token <= b.left &&
	       bytes_skip(&b, (size_t)token) && variable(&b, &rest) && rest > 0 && rest <= b.left;
}
