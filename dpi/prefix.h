/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recognisers are written with: reading straight down through the first bytes of a direction, where bytes that have not come yet rule
 * nothing out. A protocol's own recogniser is `recognise_<name>`: `head` is never empty, and holds at most what arrived.
 */
#ifndef SEKISHO_DPI_PREFIX_H
#define SEKISHO_DPI_PREFIX_H

#include "dpi/protocol.h"

#define RECOGNISED(id, name, ...) enum recognition recognise_##name(enum direction dir, struct bytes head);
#define ENFORCED(id, name, ...) enum recognition recognise_##name(enum direction dir, struct bytes head);
#include "appliance/wire/protocols.def"

/* A byte of the prefix: unread bytes are "not there yet", which rules nothing out. */
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

/* As much of `word` as there are bytes for. */
static inline bool may_be_word(struct prefix *p, const char *word)
{
	for (; *word != '\0'; word++)
		if (!may_be(p, (uint8_t)*word, (uint8_t)*word))
			return false;
	return true;
}

/* A big-endian number of two bytes in lo..hi. One byte alone may rule it out already. */
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
