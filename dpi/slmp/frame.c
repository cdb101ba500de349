/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/slmp.h"

#include "dpi/prefix.h"

int slmp_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool slmp_number(struct slmp_reader *r, unsigned n, uint32_t *ret)
{
	const uint8_t *p = bytes_advance(&r->b, r->ascii ? (size_t)n * 2u : n);
	uint32_t v = 0;

	*ret = 0;
	if (p == NULL)
		return false;
	for (unsigned i = 0; i < n && !r->ascii; i++)
		v |= (uint32_t)p[i] << 8u * i;
	for (unsigned i = 0; i < 2u * n && r->ascii; i++) {
		int digit = slmp_digit(p[i]);

		if (digit < 0) {
			r->b.failed = r->garbled = true;
			return false;
		}
		v = v << 4 | (uint32_t)digit;
	}
	*ret = v;
	return true;
}

/* The form that begins with these two bytes; 0: none. */
static uint8_t form_of(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0x50:
	case 0xd0:
		return SLMP_FORM;
	case 0x54:
	case 0xd4:
		return SLMP_FORM | SLMP_4E;
	case '5':
	case 'D':
		return second == '4' ? SLMP_FORM | SLMP_ASCII | SLMP_4E : SLMP_FORM | SLMP_ASCII;
	default:
		return 0;
	}
}

size_t slmp_head_length(uint8_t form)
{
	size_t n = form & SLMP_4E ? 13 : 9;

	return form & SLMP_ASCII ? 2 * n : n;
}

/*
 * Whether byte `i` of a header may be `c`: subheaders, the two zero bytes behind a serial number,
 * digits where digits belong. One test a byte, so that a flow that cannot be MC protocol ends at
 * the first byte that says so.
 */
static bool may_stand(uint8_t form, size_t i, uint8_t c)
{
	if (form & SLMP_ASCII) {
		if (i == 0)
			return c == '5' || c == 'D';
		if (i == 1)
			return c == (form & SLMP_4E ? '4' : '0');
		if (i < 4 || ((form & SLMP_4E) && i >= 8 && i < 12))
			return c == '0';
		return slmp_digit(c) >= 0;
	}
	return i == 0 || ((i != 1) && !((form & SLMP_4E) && (i == 4 || i == 5))) || c == 0;
}

enum frame_result slmp_frame(uint8_t form, struct bytes head, size_t *ret_len)
{
	size_t have = head.left, header;
	struct slmp_reader r;
	uint32_t length;
	uint8_t is;

	*ret_len = 0;
	if (have == 0)
		return FRAME_NEED_MORE;
	is = form_of(head.p[0], have > 1 ? head.p[1] : form & SLMP_4E ? '4' : '0');
	if (is == 0 || (form != 0 && is != form))
		return FRAME_BAD;
	header = slmp_head_length(is);
	for (size_t i = 0; i < have && i < header; i++)
		if (!may_stand(is, i, head.p[i]))
			return FRAME_BAD;
	if (have < header)
		return FRAME_NEED_MORE;
	r = (struct slmp_reader){ .b = head, .ascii = (is & SLMP_ASCII) != 0 };
	bytes_skip(&r.b, header - (r.ascii ? 4u : 2u));
	slmp_number(&r, 2, &length);
	if (length > SLMP_LENGTH_MAX ||
	    length < (r.ascii ? 2u : 1u) * (head.p[0] == 0x50 || head.p[0] == 0x54 || head.p[0] == '5' ? 6u : 2u))
		return FRAME_BAD;
	if (r.b.left < length)
		return FRAME_NEED_MORE;
	*ret_len = header + length;
	return FRAME_WHOLE;
}

bool slmp_head_parse(struct bytes pdu, struct slmp_head *ret)
{
	static const uint8_t widths[SLMP_TARGETS] = { 1, 1, 2, 1 };
	uint32_t number;
	size_t length;

	*ret = (struct slmp_head){ 0 };
	if (slmp_frame(0, pdu, &length) != FRAME_WHOLE || length != pdu.left)
		return false;
	ret->form = form_of(pdu.p[0], pdu.p[1]);
	ret->asks = pdu.p[0] == 0x50 || pdu.p[0] == 0x54 || pdu.p[0] == '5';
	ret->rest = (struct slmp_reader){ .b = pdu, .ascii = (ret->form & SLMP_ASCII) != 0 };
	slmp_number(&ret->rest, 2, &number);
	if (ret->form & SLMP_4E) {
		slmp_number(&ret->rest, 2, &number);
		ret->serial = (uint16_t)number;
		slmp_number(&ret->rest, 2, &number);
	}
	for (unsigned i = 0; i < SLMP_TARGETS; i++)
		slmp_number(&ret->rest, widths[i], &ret->targets[i]);
	return slmp_number(&ret->rest, 2, &number);
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

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
