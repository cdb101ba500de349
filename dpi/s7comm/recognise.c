/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/prefix.h"

/*
 * Recognises the request for a COTP connection of class 0, or its confirmation, with TSAPs or a
 * TPDU size as its first parameter (RFC 1006; RFC 905, 13.3). Remote desktop has neither. Both
 * protocols of Siemens begin like this; the first message over the connection distinguishes them.
 */
static enum recognition connection(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = dir == DIR_C2S ? 0xe0 : 0xd0;

	if (!may_be(&p, 3, 3) || !may_be(&p, 0, 0) || !may_be_be16(&p, 14, 259) || !may_be(&p, 9, 254) ||
	    !may_be(&p, type, type))
		return RECOGNISE_NOT;
	if (dir == DIR_C2S && !may_be_be16(&p, 0, 0))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < (dir == DIR_C2S ? 2u : 4u); i++)
		next_byte(&p); /* references */
	if (!may_be(&p, 0, 0) || !may_be(&p, 0xc0, 0xc2))
		return RECOGNISE_NOT;
	return so_far(&p);
}

enum recognition recognise_s7comm(enum direction dir, struct bytes head)
{
	return connection(dir, head);
}

/* Recognises S7comm-plus by its protocol number 0x72 in the first data (RFC 905, 13.7) of the
 * client. MMS and S7comm open the connection in the same way. */
enum recognition recognise_s7comm_plus(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	enum recognition connects = connection(dir, head);
	uint32_t length;

	if (dir == DIR_S2C || connects != RECOGNISED)
		return connects;
	pass_bytes(&p, 2);
	length = next_number(&p, 2);
	if (length > RECOGNISE_MAX - 8u)
		return RECOGNISE_NOT;
	pass_bytes(&p, length - 4u);
	return may_be(&p, 3, 3) && may_be(&p, 0, 0) && may_be_be16(&p, 8, 65535) && may_be(&p, 2, 2) &&
			       may_be(&p, 0xf0, 0xf0) && may_be(&p, 0x80, 0x80) && may_be(&p, 0x72, 0x72)
		       ? so_far(&p)
		       : RECOGNISE_NOT;
}
