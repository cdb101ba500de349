/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

/* "FINS", a length below 2048, a command of FINS/TCP. */
static enum recognition over_tcp(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };

	if (!may_be_word(&p, "FINS") || !may_be_zeros(&p, 2) || !may_be_be16(&p, 8, 2020) || !may_be_zeros(&p, 3))
		return RECOGNISE_NOT;
	return may_be(&p, 0, dir == DIR_C2S ? 3 : 6) ? so_far(&p) : RECOGNISE_NOT;
}

/* Main request codes that manuals have. */
static bool is_known(uint32_t main)
{
	static const uint8_t codes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
					 0x09, 0x0c, 0x21, 0x22, 0x23, 0x26, 0x27, 0x28 };

	for (unsigned i = 0; i < sizeof(codes); i++)
		if (codes[i] == main)
			return true;
	return false;
}

/*
 * A frame without FINS/TCP, as in a datagram (W421, 7-2): control bits, 00, the number of gateways,
 * networks up to 127, a command. A request has not passed a gateway yet. An unknown command is
 * accepted only if the control bit is set as in the manuals.
 */
static enum recognition by_itself(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	bool asks = dir == DIR_C2S;
	uint32_t icf = next_byte(&p), main;

	if ((icf & 0x7eu) != (asks ? 0 : 0x40) || !may_be_zeros(&p, 1) || !may_be(&p, asks ? 1 : 0, 7) ||
	    !may_be(&p, 0, 127))
		return RECOGNISE_NOT;
	pass_bytes(&p, 2);
	if (!may_be(&p, 0, 127))
		return RECOGNISE_NOT;
	pass_bytes(&p, 3);
	main = next_byte(&p);
	if (!p.more && !is_known(main) && (!asks || icf < 0x80 || main == 0 || main > 0x2f))
		return RECOGNISE_NOT;
	return may_be(&p, 1, 0x7f) ? so_far(&p) : RECOGNISE_NOT;
}

enum recognition recognise_fins(enum direction dir, struct bytes head)
{
	return head.p[0] == 'F' ? over_tcp(dir, head) : by_itself(dir, head);
}
