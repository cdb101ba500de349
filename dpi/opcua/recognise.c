/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/chunk.h"
#include "dpi/prefix.h"

/* A client begins with a hello; a server begins with an acknowledge or an error. Where the server
 * opens the connection (OPC 10000-6, 7.1.3), the roles are exchanged. */
enum recognition recognise_opcua(enum direction dir, struct bytes head)
{
	static const struct {
		const char *letters;
		uint32_t least, most;
	} first[2][2] = {
		[DIR_C2S] = { { "HELF", 32, 32 + OPCUA_URL_MAX }, { "RHEF", 16, 16 + 2 * OPCUA_URL_MAX } },
		[DIR_S2C] = { { "ACKF", 28, 28 }, { "ERRF", 16, 16 + OPCUA_URL_MAX } },
	};
	enum recognition best = RECOGNISE_NOT;

	for (unsigned i = 0; i < 2; i++) {
		struct prefix p = { .b = head };
		uint32_t low, high;

		if (!may_be_word(&p, first[dir][i].letters))
			continue;
		low = next_byte(&p);
		high = next_byte(&p);
		if (!p.more && ((high << 8 | low) < first[dir][i].least || (high << 8 | low) > first[dir][i].most))
			continue;
		if (may_be_zeros(&p, 2) && best != RECOGNISED)
			best = so_far(&p);
	}
	return best;
}
