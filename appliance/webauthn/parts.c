/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/webauthn/parts.h"

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool parts_base64url(struct bytes text, uint8_t *out, size_t room, size_t *ret_n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	uint8_t c;

	while (bytes_u8(&text, &c)) {
		int v = value_of(c);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		if (n == room)
			return false;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have & 0xffu);
	}
	*ret_n = n;
	return have < 6 && (bits & ((1u << have) - 1u)) == 0;
}

/* Takes the bytes up to the next '.' or to the end. The '.' is skipped. */
static struct bytes up_to_dot(struct bytes *text)
{
	struct bytes rest = *text, part;
	size_t n = 0;
	uint8_t c;

	while (bytes_u8(&rest, &c) && c != '.')
		n++;
	if (!bytes_take(text, n, &part))
		part = bytes_of(NULL, 0);
	bytes_skip(text, 1); /* has no effect at the end of the text */
	return part;
}

bool parts_read(struct bytes text, size_t n, struct parts *ret)
{
	size_t used = 0, dots = 0, len;
	struct bytes look = text;
	uint8_t c;

	while (bytes_u8(&look, &c))
		dots += c == '.';
	if (n == 0 || n > PARTS_MOST || dots != n - 1)
		return false;
	for (ret->n = 0; ret->n < n; ret->n++) {
		uint8_t *at = ret->room + used;

		if (!parts_base64url(up_to_dot(&text), at, sizeof(ret->room) - used, &len) || len == 0)
			return false;
		ret->part[ret->n] = bytes_of(at, len);
		used += len;
	}
	return true;
}
