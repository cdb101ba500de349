/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for recognisers, which read the first bytes of a direction in order. Bytes that have not
 * arrived yet exclude no protocol. The recogniser of a protocol is `recognise_<name>`. Its `head`
 * is never empty, and has only bytes that have arrived.
 */
#ifndef SEKISHO_DPI_PREFIX_H
#define SEKISHO_DPI_PREFIX_H

#include <string.h>

#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define STREAM_FORM(name) enum recognition recognise_##name(enum direction dir, struct bytes head);
#define DATAGRAM_FORM(name) bool datagram_##name(enum direction dir, struct bytes payload);
#define RECOGNISED(id, name, ...) STREAM_FORM(name)
#define ENFORCED(id, name, ...) STREAM_FORM(name)
#define DATAGRAMS(id, name, ...) DATAGRAM_FORM(name)
#define EITHER(id, name, ...) STREAM_FORM(name) DATAGRAM_FORM(name)
#include "appliance/wire/protocols.def"
#undef STREAM_FORM
#undef DATAGRAM_FORM

/* A reader of the prefix. Bytes that have not arrived yet match everything. */
struct prefix {
	struct bytes b;
	bool more; /* ran out of bytes */
};

static inline uint32_t next_byte(struct prefix *p)
{
	uint8_t v;

	if (!bytes_u8(&p->b, &v)) {
		p->more = true;
		return 256;
	}
	return v;
}

/* The next byte is in lo..hi, or is not there yet. */
static inline bool may_be(struct prefix *p, uint32_t lo, uint32_t hi)
{
	uint32_t v = next_byte(p);

	return p->more || (v >= lo && v <= hi);
}

static inline enum recognition so_far(const struct prefix *p)
{
	return p->more ? RECOGNISE_MORE : RECOGNISED;
}

/* Skips n bytes. */
static inline void pass_bytes(struct prefix *p, unsigned n)
{
	while (n-- > 0)
		next_byte(p);
}

/* A number of n bytes, at most 4, high byte first. Meaningless when p->more is set. */
static inline uint32_t next_number(struct prefix *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | (next_byte(p) & 0xffu);
	return v;
}

/* The next n bytes are 0, or have not arrived yet. */
static inline bool may_be_zeros(struct prefix *p, unsigned n)
{
	while (n-- > 0)
		if (!may_be(p, 0, 0))
			return false;
	return true;
}

/* The next bytes are `word`, as far as they have arrived. */
static inline bool may_be_word(struct prefix *p, const char *word)
{
	for (; *word != '\0'; word++)
		if (!may_be(p, (uint8_t)*word, (uint8_t)*word))
			return false;
	return true;
}

/* The same, but capitals of `word` match letters of either case. */
static inline bool may_be_verb(struct prefix *p, const char *word)
{
	for (; *word != '\0'; word++) {
		uint32_t v = next_byte(p);

		if (!p->more && v != (uint8_t)*word && !(*word >= 'A' && *word <= 'Z' && v == (uint32_t)*word + 32u))
			return false;
	}
	return true;
}

/* A character of text in any language, or a tab. */
static inline bool is_text(uint32_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f && c < 0xff);
}

/* The next two bytes are a big-endian number in lo..hi, or have not arrived yet. The first byte
 * alone may exclude this. */
static inline bool may_be_be16(struct prefix *p, uint32_t lo, uint32_t hi)
{
	uint32_t a = next_byte(p), b;

	if (p->more)
		return true;
	b = next_byte(p);
	if (p->more)
		return a >= lo >> 8 && a <= hi >> 8;
	return (a << 8 | b) >= lo && (a << 8 | b) <= hi;
}

#endif
