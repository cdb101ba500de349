/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/fins.h"

#include "dpi/prefix.h"

#define LENGTH_REST 8u /* command and error code, which the length counts */

#define ICF_SILENT 0x01u
#define ICF_ANSWER 0x40u
#define ICF_GATEWAY 0x80u
#define GATEWAYS_MAX 7u /* 2 by most manuals, 7 by CS1 of version 2 */
#define NETWORK_MAX 127u

/* The allowed lengths of a command; false: there is no such command. */
static bool lengths_of(uint32_t command, uint32_t *ret_min, uint32_t *ret_max)
{
	switch (command) {
	case FINS_TCP_NODE:
		*ret_min = *ret_max = LENGTH_REST + 4u;
		return true;
	case FINS_TCP_NODES:
		*ret_min = *ret_max = LENGTH_REST + 8u;
		return true;
	case FINS_TCP_FRAME:
		*ret_min = LENGTH_REST + FINS_HEADER;
		*ret_max = LENGTH_REST + FINS_FRAME_MAX;
		return true;
	case FINS_TCP_ERROR:
	case FINS_TCP_CONFIRMS:
		*ret_min = *ret_max = LENGTH_REST;
		return true;
	default:
		return false;
	}
}

/* Whether byte `i` of a header may be `c`. One test a byte, so that a flow that cannot be FINS/TCP
 * ends at the first byte that says so. */
static bool may_stand(size_t i, uint8_t c)
{
	static const uint8_t magic[4] = { 'F', 'I', 'N', 'S' };

	if (i < sizeof(magic))
		return c == magic[i];
	if (i == 6) /* the length is below 2048 */
		return c < 8;
	return i == 7 || i == 11 ? i != 11 || c <= FINS_TCP_CONFIRMS : c == 0;
}

enum frame_result fins_frame(bool datagrams, struct bytes head, size_t *ret_len)
{
	size_t have = head.left;
	struct bytes b = head;
	uint32_t length, command, min, max;

	*ret_len = 0;
	if (datagrams) {
		if (have < FINS_HEADER || have > FINS_FRAME_MAX)
			return FRAME_BAD;
		*ret_len = have;
		return FRAME_WHOLE;
	}
	for (size_t i = 0; i < have && i < FINS_HEADER; i++)
		if (!may_stand(i, head.p[i]))
			return FRAME_BAD;
	if (have < FINS_HEADER)
		return FRAME_NEED_MORE;
	bytes_skip(&b, 4);
	bytes_be32(&b, &length);
	if (!bytes_be32(&b, &command) || !lengths_of(command, &min, &max) || length < min || length > max)
		return FRAME_BAD;
	if (have - LENGTH_REST < length)
		return FRAME_NEED_MORE;
	*ret_len = LENGTH_REST + length;
	return FRAME_WHOLE;
}

static void read_address(struct bytes *b, struct fins_address *ret)
{
	bytes_u8(b, &ret->network);
	bytes_u8(b, &ret->node);
	bytes_u8(b, &ret->unit);
}

/* Bits that the manuals set to 0 must be 0, because their meaning is not known. */
static bool parse_fins(struct bytes *b, struct fins_head *ret)
{
	uint8_t icf, reserved, gateways;

	bytes_u8(b, &icf);
	bytes_u8(b, &reserved);
	bytes_u8(b, &gateways);
	read_address(b, &ret->to);
	read_address(b, &ret->from);
	bytes_u8(b, &ret->sid);
	if (!bytes_be16(b, &ret->command))
		return false;
	ret->asks = (icf & ICF_ANSWER) == 0;
	ret->silent = (icf & ICF_SILENT) != 0;
	return (icf & ~(ICF_GATEWAY | ICF_ANSWER | ICF_SILENT)) == 0 && reserved == 0 && gateways <= GATEWAYS_MAX &&
	       ret->to.network <= NETWORK_MAX && ret->from.network <= NETWORK_MAX && b->left <= FINS_DATA_MAX;
}

bool fins_head_parse(bool datagrams, struct bytes pdu, struct fins_head *ret)
{
	uint32_t command;
	size_t length;

	*ret = (struct fins_head){ .tcp = FINS_TCP_FRAME, .rest = pdu };
	if (fins_frame(datagrams, pdu, &length) != FRAME_WHOLE || length != pdu.left)
		return false;
	if (!datagrams) {
		bytes_skip(&ret->rest, 8);
		bytes_be32(&ret->rest, &command);
		bytes_be32(&ret->rest, &ret->error);
		ret->tcp = (uint8_t)command;
	}
	if (ret->tcp != FINS_TCP_FRAME)
		return !ret->rest.failed;
	return parse_fins(&ret->rest, ret) && ret->error == 0;
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

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
