/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checked cursor: the only way hostile or foreign bytes are read, and the matching writer.
 *
 * A `struct bytes` is a view (pointer, bytes left) with a sticky failure. A getter moves only on success; after the
 * first failure every getter fails and yields zero, so a parser reads straight down and checks `failed` once before
 * it uses anything. Nothing is owned here: a view borrows its memory from whoever made it.
 */
#ifndef SEKISHO_BASE_BYTES_H
#define SEKISHO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct bytes bytes_of(const void *p, size_t len);
bool bytes_u8(struct bytes *b, uint8_t *ret);
bool bytes_be16(struct bytes *b, uint16_t *ret);
bool bytes_be32(struct bytes *b, uint32_t *ret);
bool bytes_be64(struct bytes *b, uint64_t *ret);
bool bytes_le16(struct bytes *b, uint16_t *ret);
bool bytes_le32(struct bytes *b, uint32_t *ret);
bool bytes_skip(struct bytes *b, size_t n);
/* The next n bytes as a view of their own; both share the memory. */
bool bytes_take(struct bytes *b, size_t n, struct bytes *ret);
/* Copies n bytes out. */
bool bytes_copy(struct bytes *b, void *out, size_t n);
/* True when everything was read and nothing failed. */
bool bytes_done(const struct bytes *b);
/* True when the next n bytes exist and equal `with`; does not move. */
bool bytes_starts(const struct bytes *b, const void *with, size_t n);

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
