/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

/* A datagram of an I/O connection: two items, of which the first is a sequenced address. */
static bool is_io(struct bytes head)
{
	static const uint8_t first[] = { 2, 0, 0x02, 0x80, 8, 0 };

	return bytes_starts(&head, first, sizeof(first));
}

/* Reads command, length, session handle and status. A client's status is 0, and only the first
 * message of a session has no session handle. */
enum recognition recognise_enip(enum direction dir, struct bytes head)
{
	static const struct {
		uint8_t command, length;
		bool any_length, session;
	} first[] = { { 0x00, 0, true, false },	 { 0x01, 0, false, false }, { 0x04, 0, false, false },
		      { 0x63, 0, false, false }, { 0x64, 0, false, false }, { 0x65, 4, false, false },
		      { 0x6f, 0, true, true },	 { 0x70, 0, true, true } };
	enum recognition best = RECOGNISE_NOT;

	if (is_io(head)) /* an I/O datagram of either end; over TCP no message begins like this */
		return RECOGNISED;

	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct prefix p = { .b = head };
		uint8_t low = first[i].any_length || dir == DIR_S2C ? 0 : first[i].length;
		uint8_t high = first[i].any_length || dir == DIR_S2C ? 255 : first[i].length;
		uint32_t session = 0;

		if (!may_be(&p, first[i].command, first[i].command) || !may_be(&p, 0, 0) || !may_be(&p, low, high) ||
		    !may_be(&p, 0, high == 255 ? 0x11 : 0))
			continue;
		for (unsigned k = 0; k < 4; k++)
			session |= next_byte(&p);
		if (!p.more && dir == DIR_C2S && (session != 0) != first[i].session)
			continue;
		for (unsigned k = 0; k < 4; k++)
			if (!may_be(&p, 0, dir == DIR_C2S ? 0 : 255))
				session = UINT32_MAX;
		if (!p.more && session != UINT32_MAX)
			return RECOGNISED;
		best = p.more && session != UINT32_MAX ? RECOGNISE_MORE : best;
	}
	return best;
}
