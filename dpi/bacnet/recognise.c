/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

#define SEALED 12u

/* Whether a message of this function of the link may have this length (ANSI/ASHRAE 135, annex
 * J.2). */
static bool has_length(uint32_t function, uint32_t length)
{
	switch (function) {
	case 0: /* a result */
	case 5: /* a foreign device */
		return length == 6;
	case 2: /* a table is read */
	case 6:
		return length == 4;
	case 1: /* a table with rows of 10 bytes */
	case 3:
	case 7:
		return length % 10 == 4;
	case 8:
		return length == 10;
	default:
		return function == SEALED;
	}
}

/* Tests the link's type and function, and a length of at most 1,507 bytes. If a network layer
 * follows, also tests its version, and its control octet, which has no reserved bits (clause 6.2).
 * Both ends send the same messages. */
enum recognition recognise_bacnet(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t function, control, length;

	(void)dir;
	if (!may_be(&p, 0x81, 0x81))
		return RECOGNISE_NOT;
	function = next_byte(&p);
	if (!p.more && function > SEALED)
		return RECOGNISE_NOT;
	length = next_number(&p, 2);
	if (!p.more && (length < 4 || length > 1507))
		return RECOGNISE_NOT;
	if (function != 4 && (function < 9 || function > 11))
		return p.more || has_length(function, length) ? so_far(&p) : RECOGNISE_NOT;
	if (function == 4)
		pass_bytes(&p, 6);
	if (!may_be(&p, 1, 1))
		return RECOGNISE_NOT;
	control = next_byte(&p);
	return p.more || (control & 0x50u) == 0 ? so_far(&p) : RECOGNISE_NOT;
}
