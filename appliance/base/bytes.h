/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checked cursor: the only way hostile or foreign bytes are read, and the matching writer.
 *
 * A `struct bytes` is a view (pointer, bytes left) with a sticky failure. A getter moves only on
 * success; after the first failure every getter fails and yields zero, so a parser reads straight
 * down and checks `failed` once before it uses anything. Nothing is owned here: a view borrows its
 * memory from whoever made it.
 */
#ifndef SEKISHO_BASE_BYTES_H
#define SEKISHO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t left;
	bool failed;
};

/*
 * The getters are inline because each packet needs dozens of them, and so that the compiler can
 * drop a bound test that an earlier one makes redundant.
 */
static inline struct bytes bytes_of(const void *p, size_t len)
{
	return (struct bytes){ .p = p, .left = len, .failed = false };
}

/* The only bound test: compares n with what is left, and never adds. Returns a pointer to n bytes,
 * or NULL on failure. */
static inline const uint8_t *bytes_advance(struct bytes *b, size_t n)
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

static inline bool bytes_u8(struct bytes *b, uint8_t *ret)
{
	bool room = !b->failed && b->left >= 1;
	const uint8_t *p = bytes_advance(b, 1);

	*ret = room ? p[0] : 0;
	return room;
}

static inline bool bytes_be16(struct bytes *b, uint16_t *ret)
{
	bool room = !b->failed && b->left >= 2;
	const uint8_t *p = bytes_advance(b, 2);

	*ret = room ? (uint16_t)(((uint32_t)p[0] << 8) | p[1]) : 0;
	return room;
}

static inline bool bytes_be32(struct bytes *b, uint32_t *ret)
{
	bool room = !b->failed && b->left >= 4;
	const uint8_t *p = bytes_advance(b, 4);

	*ret = room ? ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3] : 0;
	return room;
}

static inline bool bytes_skip(struct bytes *b, size_t n)
{
	bytes_advance(b, n);
	return !b->failed;
}

/* The next n bytes as a view of their own; both share the memory. */
static inline bool bytes_take(struct bytes *b, size_t n, struct bytes *ret)
{
	const uint8_t *p = bytes_advance(b, n);

	*ret = (struct bytes){ .p = b->failed ? NULL : p, .left = b->failed ? 0 : n, .failed = b->failed };
	return !b->failed;
}

/* Copies n bytes out. */
static inline bool bytes_copy(struct bytes *b, void *out, size_t n)
{
	const uint8_t *p = bytes_advance(b, n);

	if (b->failed) {
		memset(out, 0, n);
		return false;
	}
	if (n > 0)
		memcpy(out, p, n);
	return true;
}

/* True when everything was read and nothing failed. */
static inline bool bytes_done(const struct bytes *b)
{
	return !b->failed && b->left == 0;
}

/* True when the next n bytes exist and equal `with`; does not move. */
static inline bool bytes_starts(const struct bytes *b, const void *with, size_t n)
{
	return !b->failed && n <= b->left && memcmp(b->p, with, n) == 0;
}

bool bytes_be64(struct bytes *b, uint64_t *ret);
bool bytes_le16(struct bytes *b, uint16_t *ret);
bool bytes_le32(struct bytes *b, uint32_t *ret);

/* The writer: fills a caller's buffer, sticky overflow. `len` counts what was written. */
struct outbuf {
	uint8_t *p;
	size_t len;
	size_t size;
	bool failed;
};

struct outbuf outbuf_of(void *p, size_t size);
void out_u8(struct outbuf *o, uint8_t v);
void out_be16(struct outbuf *o, uint16_t v);
void out_be32(struct outbuf *o, uint32_t v);
void out_be64(struct outbuf *o, uint64_t v);
void out_bytes(struct outbuf *o, const void *p, size_t n);

#endif
