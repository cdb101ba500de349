/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/limit.h"

void limit_encode(const struct limit *l, struct outbuf *o)
{
	out_u8(o, l->what);
	out_u8(o, l->n);
	out_be32(o, l->at);
	out_be32(o, l->wrote);
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		out_be32(o, l->allowed[i].lo);
		out_be32(o, l->allowed[i].hi);
	}
}

bool limit_decode(struct bytes *b, struct limit *ret)
{
	bytes_u8(b, &ret->what);
	bytes_u8(b, &ret->n);
	bytes_be32(b, &ret->at);
	bytes_be32(b, &ret->wrote);
	for (size_t i = 0; i < LIMIT_RANGES; i++) {
		bytes_be32(b, &ret->allowed[i].lo);
		bytes_be32(b, &ret->allowed[i].hi);
	}
	return !b->failed && ret->what < LIMIT_WHAT_COUNT;
}
