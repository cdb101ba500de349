/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items: the variables that a read or write names, and their data.
 *
 * snap7's server (1.4.0 and 1.4.2) takes twelve bytes for each item, whatever its length field
 * says, and finds the data of the next written item by the type of this item, whatever the header
 * of the data says. So with an item of another form, all addresses of the request are uncertain for
 * this server; rows that limit addresses refuse the request anyway. Where the two ways to find the
 * data differ, the values from there on count as unknown.
 */
#include "dpi/s7comm/s7comm.h"

#define SPECIFICATION 0x12
#define ANY 0x10
#define ANY_LENGTH 10u
#define AREA_END ((uint64_t)1 << S7_AREA_BITS)

enum area {
	AREA_COUNTERS = 0x1c,
	AREA_TIMERS = 0x1d,
	AREA_PERIPHERALS = 0x80,
	AREA_INPUTS = 0x81,
	AREA_OUTPUTS = 0x82,
	AREA_FLAGS = 0x83,
	AREA_DB = 0x84,
};

enum item_type {
#define ITEM(id, code, ...) id = (code),
#include "dpi/s7comm/items.def"
};

/* How the data of an item is counted. */
enum data_type {
	DATA_NONE = 0,
	DATA_BIT = 3,	 /* counted in bits; each bit has a byte */
	DATA_BYTES = 4,	 /* counted in bits */
	DATA_INT = 5,	 /* counted in bits */
	DATA_DINT = 6,	 /* counted in bytes */
	DATA_REAL = 7,	 /* counted in bytes */
	DATA_OCTETS = 9, /* counted in bytes */
};

/* An item in the form that every client uses. Of other items, only the end is known. */
struct item {
	bool plain;
	uint8_t type, area;
	uint16_t count, block;
	uint32_t address;
};

/* Number of addresses of one element: bits, or one counter or timer. 0: not known. */
static uint32_t element_bits(uint8_t type)
{
	static const uint8_t bits[UINT8_MAX + 1] = {
#define ITEM(id, code, n) [id] = (n),
#include "dpi/s7comm/items.def"
	};

	return bits[type];
}

/* SPACE_NONE: an unknown area, or one whose addresses have a meaning only for the program (local
 * data, instance blocks). */
static uint8_t space_of(uint8_t area)
{
	switch (area) {
	case AREA_COUNTERS:
		return S7_COUNTERS;
	case AREA_TIMERS:
		return S7_TIMERS;
	case AREA_PERIPHERALS:
		return S7_PERIPHERALS;
	case AREA_INPUTS:
		return S7_INPUTS;
	case AREA_OUTPUTS:
		return S7_OUTPUTS;
	case AREA_FLAGS:
		return S7_FLAGS;
	case AREA_DB:
		return S7_DB;
	default:
		return SPACE_NONE;
	}
}

static bool read_item(struct bytes *b, struct item *ret)
{
	uint8_t specification, length, syntax, high;
	uint16_t low;
	struct bytes item;

	*ret = (struct item){ 0 };
	bytes_u8(b, &specification);
	bytes_u8(b, &length);
	if (specification != SPECIFICATION || !bytes_take(b, length, &item) || !bytes_u8(&item, &syntax))
		return false;
	if (syntax != ANY) {
		if (length % 2u != 0 && b->left > 0)
			bytes_skip(b, 1);
		return true;
	}
	bytes_u8(&item, &ret->type);
	bytes_be16(&item, &ret->count);
	bytes_be16(&item, &ret->block);
	bytes_u8(&item, &ret->area);
	bytes_u8(&item, &high);
	bytes_be16(&item, &low);
	ret->address = (uint32_t)high << 16 | low;
	ret->plain = true;
	return bytes_done(&item) && ret->count > 0;
}

static void unknown_place(struct operation *o)
{
	o->space = SPACE_NONE;
	o->place_unknown = true;
}

/* Sets the addresses of an item. False: the area has no such addresses. */
static bool item_place(const struct item *i, struct operation *o)
{
	uint32_t bits = element_bits(i->type);
	uint8_t space = i->plain ? space_of(i->area) : SPACE_NONE;

	if (space == SPACE_NONE || bits == 0 || (space == S7_COUNTERS) != (i->type == TYPE_COUNTER) ||
	    (space == S7_TIMERS) != (i->type == TYPE_TIMER)) {
		unknown_place(o);
		return true;
	}
	o->space = space;
	o->first = i->address;
	o->count = (uint64_t)i->count * bits;
	if (bits >= 8 && i->address % 8u != 0)
		return false; /* some controllers begin at the byte, some refuse it */
	if (o->count > AREA_END - o->first)
		return false;
	if (space == S7_DB)
		o->first |= (uint64_t)i->block << S7_AREA_BITS;
	return true;
}

bool s7_items(struct bytes *b, uint8_t n, uint32_t service, struct operation *operations)
{
	for (uint8_t k = 0; k < n; k++) {
		struct item i;

		operations[k] = (struct operation){ .service = service, .group = k };
		unknown_place(&operations[k]);
		if (!read_item(b, &i))
			return false;
		operations[k].place_unknown = false;
		if (!item_place(&i, &operations[k]))
			return false;
	}
	return n > 0;
}

/* ---- the data of written items --------------------------------------------------------------- */

/* The number of data bytes that a header says; false: the header is invalid. */
bool s7_data_length(uint8_t type, uint16_t length, size_t *ret)
{
	switch (type) {
	case DATA_BIT:
		*ret = length;
		return true;
	case DATA_BYTES:
	case DATA_INT:
		*ret = length / 8u;
		return length % 8u == 0;
	case DATA_DINT:
	case DATA_REAL:
	case DATA_OCTETS:
		*ret = length;
		return true;
	default:
		return false;
	}
}

/* The number of data bytes for a server that goes by the item's type, not by the header's. */
static size_t length_by_item(const struct item *i, uint16_t length)
{
	return i->type == TYPE_BIT || i->type == TYPE_COUNTER || i->type == TYPE_TIMER ? length : length / 8u;
}

static enum values_form values_form(uint8_t type)
{
	switch (element_bits(type)) {
	case 8:
		return VALUES_U8;
	case 16:
		return VALUES_U16BE;
	case 32:
		return VALUES_U32BE;
	case 1:
		return type == TYPE_BIT ? VALUES_U8 : VALUES_U16BE;
	default:
		return VALUES_UNKNOWN;
	}
}

static size_t element_bytes(uint8_t type)
{
	uint32_t bits = element_bits(type);

	return bits >= 8 ? bits / 8u : type == TYPE_BIT ? 1u : 2u;
}

/* Whether the data are a single bit, which is written as 0 or 1. */
static bool is_bit(const struct item *i, uint8_t type, struct bytes data)
{
	uint8_t value;

	return type == DATA_BIT && i->count == 1 && bytes_u8(&data, &value) && value <= 1;
}

/* Whether the item's type gives the width of a value. Counters and timers are always words. */
static bool sized(uint8_t space)
{
	return space != S7_COUNTERS && space != S7_TIMERS;
}

static bool value_fits(const struct item *i, uint8_t type, struct bytes data)
{
	if (!i->plain || element_bits(i->type) == 0)
		return true;
	if (i->type == TYPE_BIT)
		return is_bit(i, type, data);
	return type != DATA_BIT && data.left == i->count * element_bytes(i->type);
}

/* A byte of padding. Sharp7 also pads the last of several items. */
static bool is_fill(struct bytes *b)
{
	uint8_t byte;

	return bytes_u8(b, &byte) && byte == 0;
}

bool s7_items_values(struct bytes b, uint8_t n, struct bytes items, struct operation *operations)
{
	bool alike = true; /* both ways to find the data have agreed so far */

	for (uint8_t k = 0; k < n; k++) {
		struct item i;
		struct bytes data;
		uint8_t result, type;
		uint16_t length;
		size_t bytes;

		bytes_u8(&b, &result);
		bytes_u8(&b, &type);
		bytes_be16(&b, &length);
		if (!read_item(&items, &i) || b.failed || (result != 0 && result != S7_RESULT_GOOD) ||
		    !s7_data_length(type, length, &bytes) || !bytes_take(&b, bytes, &data) ||
		    !value_fits(&i, type, data))
			return false;
		operations[k].values.form = VALUES_UNKNOWN;
		operations[k].value_size = sized(operations[k].space) ? element_bits(i.type) : 0;
		if (alike && i.plain && values_form(i.type) != VALUES_UNKNOWN)
			operations[k].values = values_at(values_form(i.type), i.count, data);
		alike = alike && i.plain && length_by_item(&i, length) == bytes;
		if (bytes % 2u == 0)
			continue;
		if (k + 1u < n ? !bytes_skip(&b, 1) : n > 1 && b.left > 0 && !is_fill(&b))
			return false;
	}
	return bytes_done(&b);
}

/* ---- answers --------------------------------------------------------------------------------- */

uint16_t s7_answer_length(const struct operation *o)
{
	uint64_t bytes = o->space == S7_COUNTERS || o->space == S7_TIMERS ? o->count * 2u : (o->count + 7u) / 8u;

	return o->space == SPACE_NONE || bytes >= S7_LENGTH_ANY ? S7_LENGTH_ANY : (uint16_t)bytes;
}

/* An item with an error has no data, whatever its length field says: controllers write 0, snap7's
 * server 4. */
bool s7_items_answered(struct bytes b, uint8_t n, const uint16_t *lengths)
{
	for (uint8_t k = 0; k < n; k++) {
		uint8_t result, type;
		uint16_t length;
		size_t bytes;

		bytes_u8(&b, &result);
		bytes_u8(&b, &type);
		bytes_be16(&b, &length);
		if (b.failed)
			return false;
		if (result != S7_RESULT_GOOD) {
			if (type != DATA_NONE)
				return false;
			continue;
		}
		if (!s7_data_length(type, length, &bytes) || (lengths[k] != S7_LENGTH_ANY && lengths[k] != bytes))
			return false;
		bytes_skip(&b, bytes);
		if (bytes % 2u != 0 && k + 1u < n)
			bytes_skip(&b, 1);
	}
	return bytes_done(&b);
}
