/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/sha256.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>

void sha256_pair(const void *a, size_t na, const void *b, size_t nb, uint8_t out[32])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, na, a);
	sha256_update(&c, nb, b);
	sha256_digest(&c, 32, out);
}

void sha256(const void *p, size_t n, uint8_t out[32])
{
	sha256_pair(p, n, "", 0, out);
}

void sha1(const void *p, size_t n, uint8_t out[20])
{
	struct sha1_ctx c;

	sha1_init(&c);
	sha1_update(&c, n, p);
	sha1_digest(&c, 20, out);
}

void hex_text(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}
