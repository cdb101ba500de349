/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the end of a PDU by its header, or by its function for devices whose wrong headers are
 * forgiven. */
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/request.h"

#include "dpi/prefix.h"

/* Bytes of an answer with its header, by its function; 0: the function does not determine it, or
 * there are not enough bytes. */
static size_t length_by_function(struct bytes answer)
{
	uint8_t function, count = 0;

	bytes_skip(&answer, 7);
	if (!bytes_u8(&answer, &function))
		return 0;
	if (function > 0x7fu)
		return 9;
	switch (function) {
	case MB_READ_COILS:
	case MB_READ_DISCRETE:
	case MB_READ_HOLDING:
	case MB_READ_INPUT:
	case MB_READ_WRITE:
		return bytes_u8(&answer, &count) ? 9u + count : 0;
	case MB_WRITE_COIL:
	case MB_WRITE_REGISTER:
	case MB_WRITE_COILS:
	case MB_WRITE_REGISTERS:
		return 12;
	case MB_MASK_WRITE:
		return 14;
	default:
		return 0;
	}
}

/* Whether an answer may begin `at` bytes behind the beginning, as far as its header is there. */
static bool may_begin(struct bytes b, size_t at)
{
	uint16_t protocol, length;

	if (!bytes_skip(&b, at) || b.left < 7)
		return false;
	bytes_skip(&b, 2);
	bytes_be16(&b, &protocol);
	bytes_be16(&b, &length);
	return protocol == 0 && length >= 2 && length <= MODBUS_PDU_MAX - 6;
}

/*
 * Corrects *ret_len, the length by the header, for an answer of a device whose headers are
 * forgiven. By its function, the answer may be one byte shorter or longer. If it is shorter, the
 * following bytes show whether there is a byte of padding, or the header counts a byte that does
 * not exist. The first byte of the next answer is never taken for padding.
 */
static enum frame_result frame_lying(unsigned lenient, struct bytes answer, size_t *ret_len)
{
	size_t n = length_by_function(answer), said = *ret_len, have = answer.left;

	if (n == 0 || (n + 1 != said && n != said + 1) || have < n)
		return have < said || n > have ? FRAME_NEED_MORE : FRAME_WHOLE;
	if (n == said + 1) { /* the header counts one byte too few */
		if ((lenient & LENIENT_LENGTH) && !may_begin(answer, said))
			*ret_len = n;
		return FRAME_WHOLE;
	}
	if (have > n && !may_begin(answer, n))
		return have < said ? FRAME_NEED_MORE : FRAME_WHOLE;
	if (!(lenient & LENIENT_LENGTH))
		return have == n ? FRAME_NEED_MORE : FRAME_BAD;
	*ret_len = n;
	return FRAME_WHOLE;
}

/* One test a byte: a flow that cannot be Modbus ends at the first byte that says so, not after
 * the header. */
enum frame_result modbus_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	uint16_t tid, protocol, length;
	const struct modbus_state *s = state;
	struct bytes all = head;
	size_t have = head.left;
	enum frame_result r;
	uint8_t high;

	*ret_len = 0;
	if (have < 6) {
		if (have >= 3) {
			bytes_skip(&head, 2);
			for (size_t i = 2; i < have; i++)
				if (bytes_u8(&head, &high) && high != 0)
					return FRAME_BAD; /* protocol id, or length above 255 */
		}
		return FRAME_NEED_MORE;
	}
	bytes_be16(&head, &tid);
	bytes_be16(&head, &protocol);
	bytes_be16(&head, &length);
	if (protocol != 0 || length < 2 || length > MODBUS_PDU_MAX - 6)
		return FRAME_BAD;
	*ret_len = 6u + length;
	if (dir == DIR_S2C && s != NULL && (s->lenient & (LENIENT_LENGTH | LENIENT_PADDING)))
		r = frame_lying(s->lenient, all, ret_len);
	else
		r = head.left < length ? FRAME_NEED_MORE : FRAME_WHOLE;
	if (r != FRAME_WHOLE)
		*ret_len = 0;
	return r;
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

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
