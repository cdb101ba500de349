/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises file shares and remote desktops: SMB, NetBIOS sessions, RDP, VNC. */
#include "dpi/prefix.h"

/* ---- SMB (MS-SMB2, 2.1, 2.2.1, 2.2.3; MS-SMB, 2.2.4.5.1) ---- */

/* Reads the header of versions 2 and 3 with its command. A session begins with NEGOTIATE, and the
 * server answers it. */
static bool may_be_smb2(struct prefix *p, enum direction dir)
{
	uint32_t flags;

	if (!may_be(p, 0xfe, 0xfe) || !may_be_word(p, "SMB") || !may_be(p, 64, 64) || !may_be(p, 0, 0))
		return false;
	pass_bytes(p, 2 + 4); /* credit charge, status */
	if (!may_be_zeros(p, 2))
		return false;
	pass_bytes(p, 2);
	flags = next_byte(p);
	return p->more || (flags & 1u) == (dir == DIR_S2C);
}

/* A NEGOTIATE of version 1, with a list of dialects. A client may offer version 2 in it. */
static bool may_be_smb1_question(struct prefix *p)
{
	if (!may_be(p, 0xff, 0xff) || !may_be_word(p, "SMB") || !may_be(p, 0x72, 0x72))
		return false;
	pass_bytes(p, 27);
	if (!may_be(p, 0, 0)) /* no words */
		return false;
	pass_bytes(p, 2);
	return may_be(p, 2, 2);
}

/* A message follows the length field of the NetBIOS session service. A server that answers in
 * version 1 does not speak version 2, and is not recognised. */
enum recognition recognise_smb(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, old;

	if (!may_be_zeros(&p, 2))
		return RECOGNISE_NOT;
	if (!may_be_be16(&p, 36, 65535))
		return RECOGNISE_NOT;
	old = p;
	if (may_be_smb2(&p, dir))
		return so_far(&p);
	if (dir == DIR_S2C || !may_be_smb1_question(&old))
		return RECOGNISE_NOT;
	return old.more ? RECOGNISE_MORE : RECOGNISE_HALF;
}

/* RFC 1002, 4.3: a session request with the called name (4.1: 32 letters), or an answer to it. */
enum recognition recognise_netbios(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = next_byte(&p);

	if (p.more)
		return RECOGNISE_MORE;
	if (dir == DIR_S2C) {
		uint32_t length = type == 0x82 ? 0 : type == 0x83 ? 1 : 6;

		return type >= 0x82 && type <= 0x84 && may_be_zeros(&p, 1) && may_be_be16(&p, length, length) &&
				       (type != 0x83 || may_be(&p, 0x80, 0x8f))
			       ? so_far(&p)
			       : RECOGNISE_NOT;
	}
	if (type != 0x81 || !may_be(&p, 0, 1) || !may_be_be16(&p, 68, 510) || !may_be(&p, 32, 32))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < 32; i++)
		if (!may_be(&p, 'A', 'P'))
			return RECOGNISE_NOT;
	return so_far(&p);
}

/* ---- RDP (MS-RDPBCGR, 2.2.1.1 to 2.2.1.3) ---- */

#define BARE 11u /* bytes of a connection request without parameters */

/* Reads TPKT and X.224 with consistent lengths: a connection request or its confirmation, of class
 * 0. */
static bool may_be_connection(struct prefix *p, enum direction dir, uint32_t *ret_length)
{
	uint32_t code = dir == DIR_C2S ? 0xe0 : 0xd0, rest;

	*ret_length = 0;
	if (!may_be(p, 3, 3) || !may_be(p, 0, 0))
		return false;
	*ret_length = next_number(p, 2);
	if (!p->more && (*ret_length < BARE || *ret_length > 5 + 254))
		return false;
	rest = next_byte(p);
	if (!p->more && rest + 5u != *ret_length)
		return false;
	if (!may_be(p, code, code) || (dir == DIR_C2S && !may_be_zeros(p, 2)))
		return false;
	pass_bytes(p, dir == DIR_C2S ? 2 : 4);
	return may_be(p, 0, 0);
}

/* The client's next message after a connection request without parameters (T.125: Connect-Initial,
 * in a data TPDU). */
static bool may_be_connect_initial(struct prefix *p)
{
	return may_be(p, 3, 3) && may_be(p, 0, 0) && may_be_be16(p, 12, 65535) && may_be(p, 2, 2) &&
	       may_be(p, 0xf0, 0xf0) && may_be(p, 0x80, 0x80) && may_be(p, 0x7f, 0x7f) && may_be(p, 0x65, 0x65);
}

/* Reads the beginning of a negotiation structure of eight bytes: type, flags, length, low byte
 * first. */
static bool may_be_negotiation(struct prefix *p, uint32_t lo, uint32_t hi)
{
	if (!may_be(p, lo, hi))
		return false;
	next_byte(p);
	return may_be(p, 8, 8) && may_be(p, 0, 0);
}

/* Other protocols over X.224 (s7comm) begin with a similar request, but with parameters, or without
 * the contents that are required here. */
enum recognition recognise_rdp(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, token, cookie;
	uint32_t length;

	if (!may_be_connection(&p, dir, &length))
		return RECOGNISE_NOT;
	if (p.more)
		return RECOGNISE_MORE;
	if (dir == DIR_S2C)
		return length == BARE || may_be_negotiation(&p, 2, 3) ? so_far(&p) : RECOGNISE_NOT;
	if (length == BARE)
		return may_be_connect_initial(&p) ? so_far(&p) : RECOGNISE_NOT;
	token = cookie = p;
	if (may_be_negotiation(&p, 1, 1))
		return so_far(&p);
	if (may_be_word(&cookie, "Cookie: mst"))
		return so_far(&cookie);
	return may_be_word(&token, "tsv://") ? so_far(&token) : RECOGNISE_NOT;
}

/* ---- VNC (RFC 6143, 7.1.1) ---- */

enum recognition recognise_vnc(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };

	if (!may_be_word(&p, "RFB "))
		return RECOGNISE_NOT;
	for (unsigned i = 0; i < 7; i++)
		if (!may_be(&p, i == 3 ? '.' : '0', i == 3 ? '.' : '9'))
			return RECOGNISE_NOT;
	return may_be(&p, '\n', '\n') ? so_far(&p) : RECOGNISE_NOT;
}
