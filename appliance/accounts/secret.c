/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/secret.h"

#include <string.h>
#include <sys/random.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool secret_make(uint8_t *out, size_t n)
{
	if (getrandom(out, n, 0) == (ssize_t)n)
		return true;
	memset(out, 0, n);
	return false;
}

bool secret_same(const uint8_t *a, const uint8_t *b, size_t n)
{
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ = (uint8_t)(differ | (a[i] ^ b[i]));
	return differ == 0;
}

void base32_text(const uint8_t *p, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			*out++ = letters[bits >> (have - 5) & 31u];
	}
	if (have > 0)
		*out++ = letters[bits << (5 - have) & 31u];
	*out = 0;
}

static int value_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

bool base32_read(const char *text, uint8_t *out, size_t n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t done = 0;

	for (; *text != 0; text++) {
		int v = value_of(*text);

		if (*text == ' ' || *text == '-')
			continue;
		if (v < 0)
			return false;
		bits = bits << 5 | (uint32_t)v;
		have += 5;
		if (have < 8)
			continue;
		if (done == n)
			return false;
		have -= 8;
		out[done++] = (uint8_t)(bits >> have & 0xffu);
	}
	return done == n && have < 5 && (bits & ((1u << have) - 1u)) == 0;
}
