/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/iec104/iec104.h"

#include "dpi/iec104/words.h"

#define IN_VALUE_SELECTS 0x80u
#define TEST_PATTERN 0x55aau /* IEC 60870-5-101, 7.2.6.14 */

/*
 * A time (CP56Time2a, IEC 60870-5-101, 7.2.6.18): milliseconds of the minute, minute, hour, day of
 * the month, month, year. Flags, the day of the week and the year are not checked. The year may be
 * above 99, because some clients count from 1900 and send 109 for 2009.
 */
static bool is_time(struct bytes b)
{
	uint8_t minute, hour, day, month;
	uint16_t ms;

	bytes_le16(&b, &ms);
	bytes_u8(&b, &minute);
	bytes_u8(&b, &hour);
	bytes_u8(&b, &day);
	bytes_u8(&b, &month);
	return bytes_skip(&b, 1) && bytes_done(&b) && ms <= 59999u && (minute & 0x3fu) <= 59 && (hour & 0x1fu) <= 23 &&
	       (month & 0x0fu) <= 12;
}

/* Checks what follows value and qualifier: nothing, or a time stamp. */
static bool is_rest(uint8_t type, struct bytes b)
{
	uint16_t pattern;

	if (type == IEC104_C_TS)
		return bytes_le16(&b, &pattern) && pattern == TEST_PATTERN && bytes_done(&b);
	switch (b.left) {
	case 7:
		return is_time(b);
	case 9: /* a counter before the time */
		return bytes_skip(&b, 2) && is_time(b);
	default: /* other contents, such as delays, are not limited */
		return true;
	}
}

/* Reads the value of an object. *ret_first: the byte that the value shares with the qualifier. */
static bool take_value(uint8_t form, struct bytes *b, struct operation *o, uint8_t *ret_first)
{
	struct bytes at = *b;
	uint8_t v = 0;

	*ret_first = 0;
	switch (form) {
	case IEC104_SINGLE:
	case IEC104_DOUBLE:
		if (!bytes_u8(b, &v))
			return false;
		*ret_first = v;
		v &= form == IEC104_SINGLE ? 1u : 3u;
		o->values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
		/* clients also send 0 and 3 as a double command, which the standard does not
		 * permit; rows with values refuse them */
		return true;
	case IEC104_TWO_BYTES:
		o->values = values_at(VALUES_U16LE, 1, at);
		return bytes_skip(b, 2);
	case IEC104_FOUR_BYTES:
		o->values = values_at(VALUES_U32LE, 1, at);
		return bytes_skip(b, 4);
	case IEC104_UNKNOWN:
		o->values = (struct values){ .form = VALUES_UNKNOWN };
		return true;
	default:
		return true;
	}
}

static bool take_qualifier(const struct iec104_layout *l, struct bytes *b, uint8_t first, struct operation *o)
{
	uint32_t *q = &o->targets[IEC104_QUALIFIER];
	uint8_t v = 0;

	switch (l->qualifier) {
	case IEC104_IN_VALUE:
		*q = (first >> 2 & 0x1fu) | ((first & IN_VALUE_SELECTS) != 0 ? IEC104_SELECT : 0);
		return true;
	case IEC104_OF_SET_POINT:
		if (!bytes_u8(b, &v))
			return false;
		*q = (v & 0x7fu) | ((v & IN_VALUE_SELECTS) != 0 ? IEC104_SELECT : 0);
		return true;
	case IEC104_WHOLE:
		if (!bytes_u8(b, &v))
			return false;
		*q = v;
		return true;
	default:
		o->idle |= 1u << IEC104_QUALIFIER;
		return true;
	}
}

enum reason iec104_request_parse(const struct iec104_head *h, struct operation *ret)
{
	const struct iec104_layout *l = h->layout;
	struct bytes b = h->object;
	uint8_t first;

	*ret = (struct operation){
		.service = h->type,
		.targets = { [IEC104_CA] = h->ca, [IEC104_ORIGINATOR] = h->originator, [IEC104_CAUSE] = h->cause },
		.broadcast = h->ca == IEC104_CA_ALL ? 1u << IEC104_CA : 0,
		.space = SPACE_NONE,
	};
	if (h->ca == 0) /* IEC 60870-5-104, 7.1: not used */
		return R_IEC104_FRAME;
	if (l == NULL) { /* unknown type: its addresses and values are not known */
		ret->place_unknown = true;
		ret->values.form = VALUES_UNKNOWN;
		ret->idle = 1u << IEC104_QUALIFIER;
		return R_ALLOWED;
	}
	if (l->who == IEC104_SERVER)
		return R_IEC104_DIRECTION;
	if (l->places) {
		ret->space = IEC104_IOA;
		ret->first = h->ioa;
		ret->count = 1;
	} else if (h->ioa != 0) {
		return R_IEC104_FRAME;
	}
	if ((l->causes & CAUSE_BIT(h->cause & IEC104_CAUSE_BITS & 0x1fu)) == 0 || (h->cause & 0x20u) != 0 ||
	    !take_value(l->value, &b, ret, &first) || !take_qualifier(l, &b, first, ret) ||
	    (l->value != IEC104_UNKNOWN && !is_rest(h->type, b)))
		return R_IEC104_FRAME;
	/* bits 6 and 7: freezes, freezes and resets, resets */
	if (h->type == IEC104_C_CI && ret->targets[IEC104_QUALIFIER] >> 6 != 0)
		ret->service = IEC104_FREEZES;
	return R_ALLOWED;
}
