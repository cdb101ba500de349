/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/limit.h"

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

void limit_encode_high(const struct limit *l, struct outbuf *o)
{
	out_be32(o, (uint32_t)(l->at >> 32));
	out_be32(o, (uint32_t)(l->wrote >> 32));
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		out_be32(o, (uint32_t)(l->allowed[i].lo >> 32));
		out_be32(o, (uint32_t)(l->allowed[i].hi >> 32));
	}
}

bool limit_decode_high(struct bytes *b, struct limit *ret)
{
	ret->at |= number(b) << 32;
	ret->wrote |= number(b) << 32;
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		ret->allowed[i].lo |= number(b) << 32;
		ret->allowed[i].hi |= number(b) << 32;
	}
	return !b->failed;
}
