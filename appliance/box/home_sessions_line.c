/* SPDX-License-Identifier: Apache-2.0 */
/* Parses lines of /proc/net/tcp and tcp6: addresses as hex words in the machine's byte order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/home_sessions.h"

#define ESTABLISHED "01"

/* 8 or 32 hex digits, then a colon and a port. An IPv4-mapped address becomes IPv4. */
static bool end_read(const char *text, struct addr *ret, uint16_t *ret_port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t n = strspn(text, "0123456789ABCDEFabcdef"), left;
	uint8_t b[16];
	char *end;

	if ((n != 8 && n != 32) || text[n] != ':')
		return false;
	for (size_t word = 0; word < n / 8; word++) {
		char digits[9] = { 0 };
		uint32_t v;

		memcpy(digits, text + 8 * word, 8);
		v = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(b + 4 * word, &v, sizeof(v));
	}
	left = strtoul(text + n + 1, &end, 16);
	if (end == text + n + 1 || *end != '\0' || left > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)left;
	*ret = (struct addr){ .family = n == 8 ? 4 : 6 };
	memcpy(ret->b, b, n / 2);
	if (n == 32 && memcmp(b, mapped, sizeof(mapped)) == 0) {
		*ret = (struct addr){ .family = 4 };
		memcpy(ret->b, b + 12, 4);
	}
	return true;
}

static bool loopback(const struct addr *a)
{
	static const uint8_t own[16] = { [15] = 1 };

	return a->family == 4 ? a->b[0] == 127 : memcmp(a->b, own, sizeof(own)) == 0;
}

bool home_session_read(const char *line, struct home_session *ret)
{
	char local[64], peer[64], state[8];

	*ret = (struct home_session){ 0 };
	if (sscanf(line, " %*u: %63s %63s %7s", local, peer, state) != 3 || strcmp(state, ESTABLISHED) != 0)
		return false;
	return end_read(local, &ret->local, &ret->local_port) && end_read(peer, &ret->peer, &ret->peer_port) &&
	       !loopback(&ret->local) && !loopback(&ret->peer);
}
