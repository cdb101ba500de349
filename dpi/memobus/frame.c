/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/memobus.h"

#include "dpi/memobus/words.h"
#include "dpi/prefix.h"

/* ---- the first bytes of a message ------------------------------------------------------------ */

/* Reads the first bytes of a message, to find its length and to recognise the protocol. */

#define MESSAGE_AT (MEMOBUS_HEADER + MEMOBUS_LENGTH)
#define WHOLE_MIN (MESSAGE_AT + MEMOBUS_LEAST)
#define WHOLE_MAX (MESSAGE_AT + MEMOBUS_MESSAGE_MAX)

#define BIT 1u
#define WORD 16u

/*
 * Lengths of commands and answers: the figures in 2.16. Largest counts: 2.4, "Data Size"; for MFC
 * 43, what fits into a message. The manual gives 4341 two lengths, 0C in the text and 0E in the
 * figure, where the count has four bytes; both are accepted. The page of 4345 was not found; its
 * form is assumed to be that of 4346, with the state of SFC 05 as its value.
 */
static const struct memobus_layout layouts[] = {
	{ MEMOBUS_READ_COILS, 7, 0, 5, true, 2000, 3, BIT, 0 },
	{ MEMOBUS_READ_RELAYS, 7, 0, 5, true, 2000, 3, BIT, 0 },
	{ MEMOBUS_READ_HOLDING, 7, 0, 5, true, 125, 3, WORD, 0 },
	{ MEMOBUS_READ_INPUT, 7, 0, 5, true, 125, 3, WORD, 0 },
	{ MEMOBUS_WRITE_COIL, 7, 0, 0, true, 0, 7, 0, 0 },
	{ MEMOBUS_WRITE_HOLDING, 7, 0, 0, true, 0, 7, 0, 0 },
	{ MEMOBUS_LOOPBACK, 7, 0, 0, true, 0, 7, 0, 0 },
	{ MEMOBUS_READ_HOLDING_MORE, 8, 0, 6, false, 2044, 6, WORD, 0 },
	{ MEMOBUS_READ_INPUT_MORE, 8, 0, 6, false, 2044, 6, WORD, 0 },
	{ MEMOBUS_WRITE_HOLDING_MORE, 8, WORD, 6, false, 2043, 8, 0, 0 },
	{ MEMOBUS_READ_LIST, 6, WORD, 4, false, 2044, 6, WORD, 0 },
	{ MEMOBUS_WRITE_LIST, 6, 2 * WORD, 4, false, 1022, 6, 0, 0 },
	{ MEMOBUS_WRITE_COILS, 7, BIT, 5, true, 800, 7, 0, 0 },
	{ MEMOBUS_WRITE_HOLDINGS, 7, WORD, 5, true, 100, 7, 0, 0 },
	{ MEMOBUS_READ_BITS, 12, 0, 10, false, 32704, 6, BIT, 0 },
	{ MEMOBUS_WRITE_BIT, 12, 0, 0, false, 0, 12, 0, 0 },
	{ MEMOBUS_WRITE_REGISTER, 12, 0, 0, false, 0, 12, 0, 0 },
	{ MEMOBUS_READ_REGISTERS, 12, 0, 10, false, 2043, 8, WORD, 0 },
	{ MEMOBUS_WRITE_REGISTERS, 12, WORD, 10, false, 2041, 12, 0, 0 },
	{ MEMOBUS_READ_MIXED, 6, 3 * WORD, 4, false, 681, 6, WORD, 2 * WORD },
	{ MEMOBUS_WRITE_MIXED, 6, 4 * WORD, 4, false, 511, 6, 0, 5 * WORD },
	{ MEMOBUS_WRITE_BITS, 14, BIT, 10, false, 32640, 14, 0, 0 },
};

const struct memobus_layout *memobus_layout_of(uint32_t service)
{
	for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].service == service)
			return &layouts[i];
	return NULL;
}

/* Whether a command of this length has its count in four bytes. */
static bool is_wide(const struct memobus_layout *l, size_t length)
{
	return l->service == MEMOBUS_WRITE_BITS || (l->service == MEMOBUS_READ_BITS && length == l->length + 2u);
}

bool memobus_count(const struct memobus_layout *l, struct bytes b, size_t length, uint32_t *ret)
{
	uint16_t n = 0;

	bytes_skip(&b, l->count_at);
	if (is_wide(l, length))
		return bytes_le32(&b, ret);
	if (!(l->high_first ? bytes_be16(&b, &n) : bytes_le16(&b, &n)))
		return false;
	*ret = n;
	return true;
}

/* Whether a command that begins with `b` may have this length. FRAME_NEED_MORE: `b` is too short to
 * tell. */
static enum frame_result is_length(struct bytes b, uint32_t length)
{
	const struct memobus_layout *l;
	struct bytes at = b;
	uint16_t service;
	uint32_t n;

	if (!bytes_be16(&at, &service))
		return FRAME_NEED_MORE;
	l = memobus_layout_of(service);
	if (l == NULL)
		return FRAME_WHOLE;
	if (length < l->length || (l->item == 0 && length != l->length && !is_wide(l, length)))
		return FRAME_BAD;
	if (l->count_at == 0)
		return FRAME_WHOLE;
	if (!memobus_count(l, b, length, &n))
		return FRAME_NEED_MORE;
	if (n == 0 || n > l->max)
		return FRAME_BAD;
	if (l->item == 0)
		return FRAME_WHOLE;
	if (l->service == MEMOBUS_WRITE_MIXED) /* items of 8 or 10 bytes */
		return length >= l->length + memobus_items(n, l->item) &&
				       length <= l->length + memobus_items(n, l->longest_item) &&
				       (length - l->length) % 2 == 0
			       ? FRAME_WHOLE
			       : FRAME_BAD;
	return length == l->length + memobus_items(n, l->item) ? FRAME_WHOLE : FRAME_BAD;
}

/* Whether byte `i` of a 218 header may be `c`, as far as this byte alone shows. */
static bool may_stand(size_t i, uint8_t c)
{
	switch (i) {
	case 0:
		return c == MEMOBUS_COMMAND || c == MEMOBUS_GENERAL_PURPOSE || c == MEMOBUS_RESPONSE;
	case 4:
	case 5:
	case 8:
	case 9:
	case 10:
	case 11:
		return c == 0;
	default:
		return true;
	}
}

static enum frame_result begin_of(struct bytes head)
{
	struct bytes b = head;
	uint16_t whole, length;
	bool general;

	for (size_t i = 0; i < head.left && i < MEMOBUS_HEADER; i++)
		if (!may_stand(i, head.p[i]))
			return FRAME_BAD;
	bytes_skip(&b, 6);
	if (!bytes_le16(&b, &whole))
		return FRAME_NEED_MORE;
	general = head.p[0] == MEMOBUS_GENERAL_PURPOSE;
	if (whole < (general ? MEMOBUS_HEADER + 1u : WHOLE_MIN) || whole > WHOLE_MAX)
		return FRAME_BAD;
	if (!bytes_skip(&b, 4))
		return FRAME_NEED_MORE;
	if (general)
		return FRAME_WHOLE;
	if (!bytes_le16(&b, &length))
		return FRAME_NEED_MORE;
	if (length != whole - MESSAGE_AT)
		return FRAME_BAD;
	return head.p[0] == MEMOBUS_COMMAND ? is_length(b, length) : FRAME_WHOLE;
}

#define LENGTH_AT 6u

enum frame_result memobus_frame(struct bytes head, size_t *ret_len)
{
	enum frame_result begins = begin_of(head);
	struct bytes b = head;
	uint16_t whole;

	*ret_len = 0;
	bytes_skip(&b, LENGTH_AT);
	if (begins != FRAME_WHOLE || !bytes_le16(&b, &whole))
		return begins;
	if (head.left < whole)
		return FRAME_NEED_MORE;
	*ret_len = whole;
	return FRAME_WHOLE;
}

bool memobus_head_parse(struct bytes pdu, struct memobus_head *ret)
{
	struct bytes b = pdu;
	uint8_t main, sub, cpus;
	size_t length;

	*ret = (struct memobus_head){ .service = 0 };
	if (memobus_frame(pdu, &length) != FRAME_WHOLE || length != pdu.left)
		return false;
	bytes_u8(&b, &ret->type);
	bytes_u8(&b, &ret->number);
	bytes_u8(&b, &ret->to_channel);
	bytes_u8(&b, &ret->from_channel);
	bytes_skip(&b, MEMOBUS_HEADER - 4u);
	if (ret->type == MEMOBUS_GENERAL_PURPOSE) {
		ret->service = MEMOBUS_GENERAL;
		ret->length = b.left;
		ret->rest = b;
		return !b.failed;
	}
	bytes_skip(&b, MEMOBUS_LENGTH);
	ret->length = b.left;
	bytes_u8(&b, &main);
	bytes_u8(&b, &sub);
	bytes_u8(&b, &cpus);
	ret->service = (uint32_t)main << 8 | sub;
	ret->to_cpu = cpus >> 4; /* 2.16: the destination in the high half */
	ret->from_cpu = cpus & 0x0fu;
	ret->rest = b;
	return !b.failed;
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

/* Whether the bytes so far can be a message that this end sends, with an MFC of the manuals. */
enum recognition recognise_memobus(enum direction dir, struct bytes head)
{
	enum frame_result begins = begin_of(head);

	if (begins == FRAME_BAD || head.p[0] == (dir == DIR_C2S ? MEMOBUS_RESPONSE : MEMOBUS_COMMAND))
		return RECOGNISE_NOT;
	if (head.p[0] != MEMOBUS_GENERAL_PURPOSE && head.left > MESSAGE_AT && head.p[MESSAGE_AT] != 0x20 &&
	    head.p[MESSAGE_AT] != 0x43)
		return RECOGNISE_NOT;
	if (begins != FRAME_WHOLE || (head.p[0] != MEMOBUS_GENERAL_PURPOSE && head.left <= MESSAGE_AT))
		return RECOGNISE_MORE;
	return RECOGNISED;
}
