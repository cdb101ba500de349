/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

/* MBAP header and function code: transaction, protocol 0, length, unit, function. */
enum recognition recognise_modbus(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };

	next_byte(&p);
	next_byte(&p);
	if (!may_be_be16(&p, 0, 0) || !may_be_be16(&p, 2, 254))
		return RECOGNISE_NOT;
	next_byte(&p);
	if (!may_be(&p, 1, dir == DIR_C2S ? 127 : 255))
		return RECOGNISE_NOT;
	return so_far(&p);
}
