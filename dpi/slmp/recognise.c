/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

#define ASCII 16u /* characters of an ASCII frame that are enough to recognise it */

/* Recognises a frame of MC protocol by its subheader, route and length, in ASCII or in binary. In
 * binary, the length must be below 4,352 bytes, which devices never exceed. */
enum recognition recognise_slmp(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	bool ascii = head.p[0] == '5' || head.p[0] == 'D',
	     four = ascii ? head.left > 1 && head.p[1] == '4' : (head.p[0] & 0x7fu) == 0x54;

	if (ascii) {
		if (!may_be_word(&p, dir == DIR_C2S ? four ? "5400" : "5000" : four ? "D400" : "D000"))
			return RECOGNISE_NOT;
		for (unsigned i = 4; i < ASCII && p.b.left > 0; i++)
			if (!(p.b.p[0] >= 'A' && p.b.p[0] <= 'F' ? next_byte(&p), true : may_be(&p, '0', '9')))
				return RECOGNISE_NOT;
		return head.left < ASCII ? RECOGNISE_MORE : RECOGNISED;
	}
	if (!may_be(&p, dir == DIR_C2S ? 0x50 : 0xd0, dir == DIR_C2S ? 0x54 : 0xd4) || (head.p[0] & 0x6bu) != 0x40)
		return RECOGNISE_NOT;
	if (!may_be(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; four && i < 2; i++)
		next_byte(&p);
	if (four && !may_be_be16(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < 6; i++) /* the route, and the low byte of the length */
		next_byte(&p);
	return may_be(&p, 0, 16) ? so_far(&p) : RECOGNISE_NOT;
}
