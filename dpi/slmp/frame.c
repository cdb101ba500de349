/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/frame.h"

#include "dpi/slmp/slmp.h"

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
