/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/bacnet.h"

#define EXTENDED 15u   /* the number is in the next byte */
#define LENGTH_BYTE 5u /* the length is in the next byte */
#define OPENS 6u
#define CLOSES 7u
#define LENGTH_16 254u
#define LENGTH_32 255u

/* Reads the tag's number. It is in a byte of its own only if it is too large for half a byte. */
static bool take_number(struct bytes *b, uint8_t first, uint8_t *ret)
{
	*ret = first >> 4;
	return *ret < EXTENDED || (bytes_u8(b, ret) && *ret >= EXTENDED && *ret < 255);
}

/* Reads the length, which must be in its shortest form. The form with two bytes is also accepted
 * for lengths that fit into one, because devices write short octet strings in it. */
static bool take_length(struct bytes *b, uint8_t said, size_t *ret)
{
	uint16_t two;
	uint32_t four;
	uint8_t one;

	*ret = said;
	if (said < LENGTH_BYTE)
		return true;
	if (!bytes_u8(b, &one))
		return false;
	if (one < LENGTH_16) {
		*ret = one;
		return one >= LENGTH_BYTE;
	}
	if (one == LENGTH_16) {
		bytes_be16(b, &two);
		*ret = two;
		return !b->failed && two >= LENGTH_BYTE;
	}
	bytes_be32(b, &four);
	*ret = four;
	return !b->failed && four > UINT16_MAX;
}

static bool fail_read(struct bytes *b)
{
	b->failed = true;
	return false;
}

bool bacnet_tag_take(struct bytes *b, struct bacnet_tag *ret)
{
	uint8_t first, said;
	size_t length;
	bool context;

	*ret = (struct bacnet_tag){ .kind = BACNET_APPLICATION };
	if (!bytes_u8(b, &first))
		return false;
	context = (first & 8u) != 0;
	said = first & 7u;
	if (!take_number(b, first, &ret->number))
		return fail_read(b);
	if (said >= OPENS) {
		ret->kind = said == OPENS ? BACNET_OPENING : BACNET_CLOSING;
		return context || fail_read(b);
	}
	ret->kind = context ? BACNET_CONTEXT : BACNET_APPLICATION;
	if (!context && ret->number >= BACNET_TYPES)
		return fail_read(b);
	if (!context && ret->number == BACNET_BOOLEAN) {
		ret->truth = said == 1;
		return said <= 1 || fail_read(b);
	}
	return (take_length(b, said, &length) || fail_read(b)) && bytes_take(b, length, &ret->holds) &&
	       (context || bacnet_is_of(ret, (enum bacnet_type)ret->number) || fail_read(b));
}

bool bacnet_is_of(const struct bacnet_tag *t, enum bacnet_type type)
{
	size_t n = t->holds.left;
	const uint8_t *p = t->holds.p;

	switch (type) {
	case BACNET_NULL:
		return n == 0;
	case BACNET_BOOLEAN: /* it has contents only with a context tag */
		return t->kind == BACNET_APPLICATION || (n == 1 && p[0] <= 1);
	case BACNET_UNSIGNED: /* up to 64 bits since 2012 */
		return n >= 1 && n <= 8;
	case BACNET_ENUMERATED:
	case BACNET_SIGNED:
		return n >= 1 && n <= 4;
	case BACNET_REAL:
	case BACNET_DATE:
	case BACNET_TIME:
	case BACNET_OBJECT_ID:
		return n == 4;
	case BACNET_DOUBLE:
		return n == 8;
	case BACNET_STRING:
		return n >= 1;
	case BACNET_BITS:
		return n >= 1 && p[0] < 8 && (n > 1 || p[0] == 0);
	case BACNET_OCTETS:
	case BACNET_TYPES:
	default:
		return true;
	}
}

bool bacnet_number(struct bytes holds, uint32_t *ret)
{
	uint32_t v = 0;
	uint8_t c;

	*ret = 0;
	if (holds.failed || holds.left < 1 || holds.left > 4 || (holds.left > 1 && holds.p[0] == 0))
		return false;
	while (bytes_u8(&holds, &c))
		v = v << 8 | c;
	*ret = v;
	return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

#define NUMBER_MAX 2147483647.0 /* beyond this, a positive and a negative number would be equal */

/* A number between two whole numbers counts as both. So a row that allows 18 to 26 allows 21.5. */
static struct values values_between(double v)
{
	int64_t whole = (int64_t)v;
	uint32_t below = (uint32_t)(whole - ((double)whole > v)), above = (uint32_t)(whole + ((double)whole < v));

	return (struct values){ .form = VALUES_BETWEEN,
				.n = below == above ? 1 : 2,
				.lo = below < above ? below : above,
				.hi = below < above ? above : below };
}

static struct values values_unknown(void)
{
	return (struct values){ .form = VALUES_UNKNOWN };
}

static struct values values_whole(uint64_t v)
{
	return v > INT32_MAX ? values_unknown() : (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
}

static uint64_t big_endian(struct bytes b)
{
	uint64_t v = 0;
	uint8_t c;

	while (bytes_u8(&b, &c))
		v = v << 8 | c;
	return v;
}

/* The value of a signed number. -1 becomes 2^32 - 1, -2 becomes 2^32 - 2, and so on. */
static struct values of_signed(struct bytes holds)
{
	uint64_t v = big_endian(holds), sign;

	if (holds.left < 1 || holds.left > 4)
		return values_unknown();
	sign = UINT64_C(1) << (8 * holds.left - 1);
	if ((v & sign) != 0)
		v |= UINT32_MAX & ~(sign - 1u);
	return (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
}

static struct values of_real(double v)
{
	/* a NaN is unknown, too */
	return v >= -NUMBER_MAX && v <= NUMBER_MAX ? values_between(v) : values_unknown();
}

/* Whether a whole number has as few bytes as possible. Of a longer form, a device may read only a
 * part of the bytes, and so another number. */
static bool is_short(struct bytes holds, bool has_sign)
{
	const uint8_t *p = holds.p;

	if (holds.left < 2)
		return true;
	return has_sign ? p[0] != (p[1] < 0x80 ? 0x00 : 0xff) : p[0] != 0;
}

static struct values of_primitive(const struct bacnet_tag *t)
{
	uint64_t bits = big_endian(t->holds);
	uint32_t half = (uint32_t)bits;
	double wide;
	float real;

	switch (t->number) {
	case BACNET_BOOLEAN:
		return values_whole(t->truth);
	case BACNET_UNSIGNED:
	case BACNET_ENUMERATED:
		return is_short(t->holds, false) ? values_whole(bits) : values_unknown();
	case BACNET_SIGNED:
		return is_short(t->holds, true) ? of_signed(t->holds) : values_unknown();
	case BACNET_REAL:
		memcpy(&real, &half, sizeof(real));
		return of_real((double)real);
	case BACNET_DOUBLE:
		memcpy(&wide, &bits, sizeof(wide));
		return of_real(wide);
	default:
		return values_unknown();
	}
}

bool bacnet_any(struct bytes *b, uint8_t holder, struct bacnet_any *ret)
{
	uint8_t open[BACNET_DEPTH_MAX];
	unsigned depth = 0, n = 0;
	struct bacnet_tag t;

	*ret = (struct bacnet_any){ .written = values_unknown() };
	while (b->left > 0) {
		struct bytes before = *b;
		bool first;

		if (!bacnet_tag_take(b, &t))
			return false;
		if (t.kind == BACNET_CLOSING && depth == 0) {
			*b = before;
			break;
		}
		if (t.kind == BACNET_CLOSING && open[--depth] != t.number)
			return fail_read(b);
		if (t.kind == BACNET_OPENING && depth == BACNET_DEPTH_MAX)
			return fail_read(b);
		if (t.kind == BACNET_OPENING) {
			open[depth++] = t.number;
			ret->again |= t.number == holder;
		}
		first = n++ == 0 && t.kind == BACNET_APPLICATION;
		ret->null = first && t.number == BACNET_NULL;
		ret->written = first ? of_primitive(&t) : values_unknown();
	}
	return depth == 0 || fail_read(b);
}
