/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/limit.h"

/* Numbers of the protocols that have rows today fit into 32 bits: an event's record has that much room for each. */
void limit_encode(const struct limit *l, struct outbuf *o)
{
	out_u8(o, l->what);
	out_u8(o, l->n);
	out_be32(o, (uint32_t)l->at);
	out_be32(o, (uint32_t)l->wrote);
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		out_be32(o, (uint32_t)l->allowed[i].lo);
		out_be32(o, (uint32_t)l->allowed[i].hi);
	}
}

static uint64_t number(struct bytes *b)
{
	uint32_t v;

	bytes_be32(b, &v);
	return v;
}

bool limit_decode(struct bytes *b, struct limit *ret)
{
	bytes_u8(b, &ret->what);
	bytes_u8(b, &ret->n);
	ret->at = number(b);
	ret->wrote = number(b);
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		ret->allowed[i].lo = number(b);
		ret->allowed[i].hi = number(b);
	}
	return !b->failed && ret->what < LIMIT_WHAT_COUNT;
}
