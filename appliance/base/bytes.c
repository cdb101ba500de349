/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *p, size_t len)
{
	return (struct bytes){ .p = p, .left = len, .failed = false };
}

/* The one bound test: n against what is left, never a sum. */
static const uint8_t *advance(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (b->failed || n > b->left) {
		b->failed = true;
		return NULL;
	}
	if (n > 0)
		b->p += n;
	b->left -= n;
	return p;
}

bool bytes_u8(struct bytes *b, uint8_t *ret)
{
	bool room = !b->failed && b->left >= 1;
	const uint8_t *p = advance(b, 1);

	*ret = room ? p[0] : 0;
	return room;
}

bool bytes_be16(struct bytes *b, uint16_t *ret)
{
	bool room = !b->failed && b->left >= 2;
	const uint8_t *p = advance(b, 2);

	*ret = room ? (uint16_t)(((uint32_t)p[0] << 8) | p[1]) : 0;
	return room;
}

bool bytes_be32(struct bytes *b, uint32_t *ret)
{
	bool room = !b->failed && b->left >= 4;
	const uint8_t *p = advance(b, 4);

	*ret = room ? ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3] : 0;
	return room;
}

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

bool bytes_skip(struct bytes *b, size_t n)
{
	advance(b, n);
	return !b->failed;
}

bool bytes_take(struct bytes *b, size_t n, struct bytes *ret)
{
	const uint8_t *p = advance(b, n);

	*ret = (struct bytes){ .p = b->failed ? NULL : p, .left = b->failed ? 0 : n, .failed = b->failed };
	return !b->failed;
}

bool bytes_copy(struct bytes *b, void *out, size_t n)
{
	const uint8_t *p = advance(b, n);

	if (b->failed) {
		memset(out, 0, n);
		return false;
	}
	if (n > 0)
		memcpy(out, p, n);
	return true;
}

bool bytes_done(const struct bytes *b)
{
	return !b->failed && b->left == 0;
}

bool bytes_starts(const struct bytes *b, const void *with, size_t n)
{
	return !b->failed && n <= b->left && memcmp(b->p, with, n) == 0;
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
