/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as both directions of a TLS session. However they are cut, the result must be the same;
 * no byte outside may be read; and a name that is kept must be a valid one. The first byte says how
 * the rest is cut, and which half belongs to which direction.
 *
 * LINK: dpi/hello.c appliance/base/bytes.c appliance/wire/tls.c
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/tls.h"
#include "dpi/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Gives the bytes in memory of exactly their size. */
static enum hello_state give(struct hello *h, enum direction dir, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n);
	enum hello_state s;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	s = hello_take(h, dir, bytes_of(copy, n));
	free(copy);
	return s;
}

static enum hello_state in_pieces(struct hello *h, enum direction dir, const uint8_t *p, size_t n, size_t piece)
{
	enum hello_state s = (enum hello_state)h->side[dir].state;

	for (size_t at = 0; at < n; at += piece)
		s = give(h, dir, p + at, n - at < piece ? n - at : piece);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	struct hello whole = { 0 }, cut = { 0 };
	size_t half, piece;

	if (size < 2)
		return 0;
	piece = 1u + (data[0] & 15u);
	half = (size - 1) * (data[0] >> 4) / 15u;
	data++;
	size--;
	for (unsigned dir = 0; dir < 2; dir++) {
		const uint8_t *p = dir == 0 ? data : data + half;
		size_t n = dir == 0 ? half : size - half;

		if (n > 0 &&
		    give(&whole, (enum direction)dir, p, n) != in_pieces(&cut, (enum direction)dir, p, n, piece))
			abort();
	}
	if (whole.offered != cut.offered || whole.version != cut.version || whole.suite != cut.suite ||
	    strcmp(whole.name, cut.name) != 0)
		abort();
	if (whole.name_len >= HELLO_NAME || strlen(whole.name) != whole.name_len ||
	    strspn(whole.name, good) != whole.name_len)
		abort();
	tls_weak(whole.version, whole.suite);
	return 0;
}
