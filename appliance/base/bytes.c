/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/bytes.h"

#include <string.h>

bool bytes_be64(struct bytes *b, uint64_t *ret)
{
	uint32_t hi, lo;

	if (b->failed || b->left < 8) {
		b->failed = true;
		*ret = 0;
		return false;
	}
	bytes_be32(b, &hi);
	bytes_be32(b, &lo);
	*ret = ((uint64_t)hi << 32) | lo;
	return true;
}

bool bytes_le16(struct bytes *b, uint16_t *ret)
{
	bool ok = bytes_be16(b, ret);

	*ret = (uint16_t)((*ret >> 8) | ((*ret & 0xffu) << 8));
	return ok;
}

bool bytes_le32(struct bytes *b, uint32_t *ret)
{
	bool ok = bytes_be32(b, ret);

	*ret = __builtin_bswap32(*ret);
	return ok;
}

struct outbuf outbuf_of(void *p, size_t size)
{
	return (struct outbuf){ .p = p, .len = 0, .size = size, .failed = false };
}

void out_bytes(struct outbuf *o, const void *p, size_t n)
{
	if (o->failed || n > o->size - o->len) {
		o->failed = true;
		return;
	}
	if (n > 0)
		memcpy(o->p + o->len, p, n);
	o->len += n;
}

void out_u8(struct outbuf *o, uint8_t v)
{
	out_bytes(o, &v, 1);
}

void out_be16(struct outbuf *o, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	out_bytes(o, b, sizeof(b));
}

void out_be32(struct outbuf *o, uint32_t v)
{
	out_be16(o, (uint16_t)(v >> 16));
	out_be16(o, (uint16_t)v);
}

void out_be64(struct outbuf *o, uint64_t v)
{
	out_be32(o, (uint32_t)(v >> 32));
	out_be32(o, (uint32_t)v);
}
