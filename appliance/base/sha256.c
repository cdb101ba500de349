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

bool hex_digits(const char *digits, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < 2 * n; i++) {
		char c = digits[i];
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? v << 4 : out[i / 2] | v);
	}
	return true;
}

bool hex_read(const char *text, uint8_t *out, size_t n)
{
	return text != NULL && hex_digits(text, out, n) && text[2 * n] == '\0';
}
