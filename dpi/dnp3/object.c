/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/dnp3/dnp3.h"

#define RESERVED 0x80u

/* How the length of an object is determined. */
enum length { LENGTH_UNKNOWN, LENGTH_FIXED, LENGTH_PACKED, LENGTH_SIZED, LENGTH_NOTHING };

struct layout {
	uint8_t group, first, last, length, n;
};

static const struct layout layouts[] = {
#define FIXED(group, variation, bytes) { group, variation, variation, LENGTH_FIXED, bytes },
#define PACKED(group, variation, bits) { group, variation, variation, LENGTH_PACKED, bits },
#define SIZED(group, first, last) { group, first, last, LENGTH_SIZED, 0 },
#define NOTHING(group, first, last) { group, first, last, LENGTH_NOTHING, 0 },
#include "dpi/dnp3/objects.def"
};

/* A device attribute states its own length: type, length, data. For strings and virtual terminals
 * the variation is the length (annex A). */
#define GROUP_ATTRIBUTES 0u
#define GROUP_STRINGS 110u
#define GROUP_TERMINALS_LAST 113u

bool dnp3_is_secure(uint8_t group)
{
	return group >= 120 && group <= 122;
}

static enum length length_of(uint8_t group, uint8_t variation, uint8_t *ret_n)
{
	*ret_n = 0;
	if (group >= GROUP_STRINGS && group <= GROUP_TERMINALS_LAST && variation > 0) {
		*ret_n = variation;
		return LENGTH_FIXED;
	}
	for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].group == group && variation >= layouts[i].first && variation <= layouts[i].last) {
			*ret_n = layouts[i].n;
			return (enum length)layouts[i].length;
		}
	return LENGTH_UNKNOWN;
}

static bool read_number(struct bytes *b, uint8_t width, uint32_t *ret)
{
	uint16_t two;
	uint8_t one;
	bool ok;

	switch (width) {
	case 1:
		ok = bytes_u8(b, &one);
		*ret = one;
		return ok;
	case 2:
		ok = bytes_le16(b, &two);
		*ret = two;
		return ok;
	default:
		return bytes_le32(b, ret);
	}
}

/* Reads the range field. No device uses addresses instead of indexes (codes 3 to 5) any more, so
 * they are refused. */
static bool range(struct bytes *b, uint8_t code, struct dnp3_objects *o)
{
	uint32_t first, last;

	if (code <= 2) {
		uint8_t width = (uint8_t)(1u << code);

		if (!read_number(b, width, &first) || !read_number(b, width, &last) || last < first)
			return false;
		o->ranged = true;
		o->first = first;
		o->count = (uint64_t)last - first + 1u;
		return o->index == 0 && o->size == 0;
	}
	if (code == 6) {
		o->all = true;
		return o->index == 0 && o->size == 0;
	}
	if ((code < 7 || code > 9) && code != 0x0b)
		return false;
	if (!read_number(b, (uint8_t)(code == 0x0b ? 1u : 1u << (code - 7u)), &last) || last == 0)
		return false;
	o->count = last;
	return (code == 0x0b) == (o->size > 0);
}

/* Skips objects that each state their own length. */
static bool take_each(struct bytes *b, const struct dnp3_objects *o)
{
	uint32_t n, head = o->size > 0 ? o->size : o->index + 2u;

	if (o->count > b->left / head)
		return false;
	for (uint64_t k = 0; k < o->count; k++) {
		uint8_t length = 0;

		if (o->size > 0) {
			if (!read_number(b, o->size, &n) || !bytes_skip(b, n))
				return false;
		} else if (!bytes_skip(b, o->index + 1u) || !bytes_u8(b, &length) || !bytes_skip(b, length)) {
			return false;
		}
	}
	return true;
}

static bool take_data(struct bytes *b, struct dnp3_objects *o)
{
	uint8_t n;
	enum length length = length_of(o->group, o->variation, &n);

	if (o->size > 0)
		return (length == LENGTH_SIZED || length == LENGTH_UNKNOWN) && take_each(b, o);
	if (length == LENGTH_NOTHING) {
		o->holds = false;
		return o->all;
	}
	if (o->all)
		return false;
	if (o->group == GROUP_ATTRIBUTES)
		return take_each(b, o);
	if (length == LENGTH_PACKED) {
		o->bits = n;
		/* nobody sends packed bits with an index */
		return o->index == 0 && o->count <= (uint64_t)b->left * 8u / n &&
		       bytes_skip(b, (o->count * n + 7u) / 8u);
	}
	o->bytes = n;
	return length == LENGTH_FIXED && o->count <= b->left / (o->index + o->bytes) &&
	       bytes_skip(b, o->count * (o->index + o->bytes));
}

bool dnp3_objects_take(struct bytes *b, bool holds, struct dnp3_objects *ret)
{
	static const uint8_t indexes[8] = { 0, 1, 2, 4, 0, 0, 0, 0 }, sizes[8] = { 0, 0, 0, 0, 1, 2, 4, 0 };
	uint8_t qualifier = 0, prefix;
	bool fits;

	*ret = (struct dnp3_objects){ .group = 0 };
	bytes_u8(b, &ret->group);
	bytes_u8(b, &ret->variation);
	if (!bytes_u8(b, &qualifier))
		return false;
	prefix = qualifier >> 4 & 7u;
	ret->index = indexes[prefix];
	ret->size = sizes[prefix];
	ret->holds = holds || ret->size > 0;
	if ((qualifier & RESERVED) != 0 || prefix == 7 || !range(b, qualifier & 0x0fu, ret))
		return false;
	ret->body = *b;
	if (ret->holds)
		fits = take_data(b, ret);
	else
		fits = ret->index == 0 ||
		       (ret->count <= b->left / ret->index && bytes_skip(b, ret->count * ret->index));
	ret->body.left -= b->left;
	return fits && !b->failed;
}

bool dnp3_object_take(struct dnp3_objects *o, uint64_t k, uint64_t *ret_index, struct bytes *ret)
{
	struct bytes at;
	uint32_t n = o->bytes;
	uint8_t length = 0;

	*ret_index = o->first + k;
	if (o->index > 0) {
		if (!read_number(&o->body, o->index, &n))
			return false;
		*ret_index = n;
		n = o->bytes;
	}
	if (o->size > 0 && !read_number(&o->body, o->size, &n))
		return false;
	if (o->holds && o->size == 0 && o->bytes == 0) { /* a device attribute */
		at = o->body;
		bytes_skip(&at, 1);
		if (!bytes_u8(&at, &length))
			return false;
		n = length + 2u;
	}
	return bytes_take(&o->body, o->holds ? n : 0, ret);
}

bool dnp3_objects_fit(struct bytes b, bool *ret_secure)
{
	struct dnp3_objects o;

	*ret_secure = false;
	while (b.left > 0) {
		if (!dnp3_objects_take(&b, true, &o))
			return false;
		*ret_secure = *ret_secure || dnp3_is_secure(o.group);
	}
	return true;
}
