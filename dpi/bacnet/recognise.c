/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

#define LINK_LAST 12u

/* The link's type and function, a length of at most 1,507 bytes, and where a message follows the
 * network layer's version and a control octet without reserved bits (ANSI/ASHRAE 135, annex J.2,
 * clause 6.2). Both ends send the same. */
enum recognition recognise_bacnet(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t function, control;

	(void)dir;
	if (!may_be(&p, 0x81, 0x81))
		return RECOGNISE_NOT;
	function = next_byte(&p);
	if ((!p.more && function > LINK_LAST) || !may_be_be16(&p, 4, 1507))
		return RECOGNISE_NOT;
	if (function != 4 && (function < 9 || function > 11))
		return so_far(&p);
	if (function == 4)
		pass_bytes(&p, 6);
	if (!may_be(&p, 1, 1))
		return RECOGNISE_NOT;
	control = next_byte(&p);
	return p.more || (control & 0x50u) == 0 ? so_far(&p) : RECOGNISE_NOT;
}
