/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/opcua.h"

#include "dpi/opcua/words.h"

#define NULL_LENGTH UINT32_MAX /* -1 */

/* Encodings of a NodeId (OPC 10000-6, 5.2.2.9), and flags of an expanded one (5.2.2.10). */
enum node_form { NODE_TWO, NODE_FOUR, NODE_NUMERIC, NODE_STRING, NODE_GUID, NODE_BYTES };
#define NODE_HAS_SERVER 0x40u
#define NODE_HAS_URI 0x80u
#define GUID_BYTES 16u

/* Two enumerations and a Double (OPC 10000-4, 7.22.2; NodeIds.csv). */
#define DATA_CHANGE_FILTER 724u
#define DATA_CHANGE_FILTER_BYTES 16u
/* A Boolean, two times, a number, a Boolean (OPC 10000-11, 6.5.3). */
#define READ_RAW_MODIFIED 649u
#define READ_RAW_MODIFIED_BYTES 22u

/* Built-in types (OPC 10000-6, 5.1.2). */
enum builtin {
	NO_BUILTIN,
#define BUILTIN(id, ...) id,
#include "dpi/opcua/builtin.def"
	BUILTINS,
};

/* Bytes of a type that has a fixed length; 0: the type has none. */
static const uint8_t sizes[BUILTINS] = {
#define BUILTIN(id, bytes) [id] = (bytes),
#include "dpi/opcua/builtin.def"
};

static bool fail_read(struct bytes *b)
{
	b->failed = true;
	return false;
}

bool opcua_string(struct bytes *b, struct bytes *ret)
{
	uint32_t n;

	if (!bytes_le32(b, &n))
		return bytes_take(b, 0, ret);
	return bytes_take(b, n == NULL_LENGTH ? 0 : n, ret);
}

bool opcua_count(struct bytes *b, uint32_t *ret)
{
	bytes_le32(b, ret);
	if (*ret == NULL_LENGTH)
		*ret = 0;
	/* each element takes at least one byte */
	return *ret <= b->left && !b->failed ? true : fail_read(b);
}

bool opcua_node(struct bytes *b, bool expanded, struct opcua_node *ret)
{
	uint8_t form, low = 0;
	uint16_t number = 0;
	uint32_t id = 0, server;
	struct bytes text;

	*ret = (struct opcua_node){ .number = true };
	bytes_u8(b, &form);
	if (!expanded && (form & (NODE_HAS_SERVER | NODE_HAS_URI)) != 0)
		return fail_read(b);
	switch (form & ~(NODE_HAS_SERVER | NODE_HAS_URI)) {
	case NODE_TWO:
		bytes_u8(b, &low);
		id = low;
		break;
	case NODE_FOUR:
		bytes_u8(b, &low);
		bytes_le16(b, &number);
		id = number;
		number = low;
		break;
	case NODE_NUMERIC:
		bytes_le16(b, &number);
		bytes_le32(b, &id);
		break;
	case NODE_STRING:
	case NODE_BYTES:
		ret->number = false;
		bytes_le16(b, &number);
		opcua_string(b, &text);
		break;
	case NODE_GUID:
		ret->number = false;
		bytes_skip(b, 2 + GUID_BYTES);
		break;
	default:
		return fail_read(b);
	}
	if ((form & NODE_HAS_URI) != 0)
		opcua_string(b, &text);
	if ((form & NODE_HAS_SERVER) != 0)
		bytes_le32(b, &server);
	ret->number = ret->number && form <= NODE_NUMERIC;
	ret->place = (uint64_t)number << OPCUA_IDENTIFIER_BITS | id;
	ret->null = ret->number && ret->place == 0;
	return !b->failed;
}

bool opcua_qualified_name(struct bytes *b)
{
	struct bytes text;

	return bytes_skip(b, 2) && opcua_string(b, &text);
}

bool opcua_localized_text(struct bytes *b)
{
	struct bytes text;
	uint8_t has;

	if (!bytes_u8(b, &has) || has > 3)
		return fail_read(b);
	for (unsigned bit = 0; bit < 2; bit++)
		if ((has & 1u << bit) != 0)
			opcua_string(b, &text);
	return !b->failed;
}

/* Reads an extension object: its type, then nothing, or its length and its bytes (5.2.2.15).
 * Refuses XML, a body without a length and a body without a type, because servers do not agree on
 * where these end. */
bool opcua_extension(struct bytes *b, bool *bodies)
{
	struct opcua_node type;
	struct bytes body;
	uint8_t encoding;
	uint32_t length;

	if (!opcua_node(b, false, &type) || !bytes_u8(b, &encoding) || encoding > 1)
		return fail_read(b);
	if (encoding == 0)
		return true;
	if (type.null || !bytes_le32(b, &length) || length == NULL_LENGTH || !bytes_take(b, length, &body))
		return fail_read(b);
	if (!type.number || !((type.place == DATA_CHANGE_FILTER && length == DATA_CHANGE_FILTER_BYTES) ||
			      (type.place == READ_RAW_MODIFIED && length == READ_RAW_MODIFIED_BYTES)))
		*bodies = true;
	return true;
}

/* Reads a DiagnosticInfo: indexes of texts, a text, a status, and perhaps another DiagnosticInfo
 * inside (5.2.2.12). */
bool opcua_diagnostic(struct bytes *b)
{
	struct bytes text;
	uint8_t has;

	for (unsigned depth = 0; depth < OPCUA_DEPTH_MAX; depth++) {
		if (!bytes_u8(b, &has) || (has & 0x80u) != 0)
			return fail_read(b);
		for (unsigned bit = 0; bit < 4; bit++)
			if ((has & 1u << bit) != 0)
				bytes_skip(b, 4);
		if ((has & 0x10u) != 0)
			opcua_string(b, &text);
		if ((has & 0x20u) != 0)
			bytes_skip(b, 4);
		if ((has & 0x40u) == 0)
			return !b->failed;
	}
	return fail_read(b);
}

/* ---- values ---------------------------------------------------------------------------------- */

static uint64_t low_bytes(struct bytes b, unsigned n)
{
	uint64_t v = 0;
	uint8_t byte;

	for (unsigned i = 0; i < n && bytes_u8(&b, &byte); i++)
		v |= (uint64_t)byte << 8 * i;
	return v;
}

/* Converts a number of a signed type to the form that rows use, in which 2^32 is added to a
 * negative number. False: rows cannot name the number, because it is below -2^31, or because this
 * form means a negative number. */
static bool in_rows(int64_t v, uint64_t *ret)
{
	if (v < INT32_MIN || (v > INT32_MAX && v <= UINT32_MAX))
		return false;
	*ret = (uint64_t)(v < 0 ? v + ((int64_t)1 << 32) : v);
	return true;
}

/* The whole numbers below and above `v`. *ret stays unchanged if `v` is not a number, is too large,
 * or has no form in rows. */
static void around(double v, struct values *ret)
{
	uint64_t below, above;
	int64_t lo;

	if (!(v > -9e15 && v < 9e15))
		return;
	lo = (int64_t)v;
	lo -= (double)lo > v;
	if (in_rows(lo, &below) && in_rows(lo + ((double)lo < v), &above))
		*ret = (struct values){ .form = VALUES_BETWEEN, .n = 2, .lo = below, .hi = above };
}

static void number_in_it(uint8_t type, struct bytes b, struct values *ret)
{
	uint64_t v = type <= DOUBLE ? low_bytes(b, sizes[type]) : 0;
	uint32_t bits = (uint32_t)v;
	double wide;
	float narrow;

	*ret = (struct values){ .form = VALUES_UNKNOWN };
	switch (type) {
	case BOOLEAN:
		v = v != 0;
		break;
	case SBYTE:
		in_rows((int8_t)v, &v);
		break;
	case INT16:
		in_rows((int16_t)v, &v);
		break;
	case INT32:
		in_rows((int32_t)v, &v);
		break;
	case INT64:
		if (!in_rows((int64_t)v, &v))
			return;
		break;
	case BYTE:
	case UINT16:
	case UINT32:
	case UINT64:
		break;
	case FLOAT:
		memcpy(&narrow, &bits, sizeof(narrow));
		around((double)narrow, ret);
		return;
	case DOUBLE:
		memcpy(&wide, &v, sizeof(wide));
		around(wide, ret);
		return;
	default:
		return;
	}
	*ret = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
}

static bool variant(struct bytes *b, unsigned depth, struct values *ret, bool *bodies);

/* Reads a DataValue: value, status, and two times with their fractions (5.2.2.17). */
static bool data_value(struct bytes *b, unsigned depth, struct values *ret, bool *bodies)
{
	uint8_t has;

	*ret = (struct values){ .form = VALUES_UNKNOWN };
	if (!bytes_u8(b, &has) || has > 0x3f)
		return fail_read(b);
	if ((has & 0x01u) != 0)
		variant(b, depth, ret, bodies);
	bytes_skip(b, ((has & 0x02u) != 0 ? 4u : 0) + ((has & 0x04u) != 0 ? 8u : 0) + ((has & 0x10u) != 0 ? 2u : 0) +
			      ((has & 0x08u) != 0 ? 8u : 0) + ((has & 0x20u) != 0 ? 2u : 0));
	return !b->failed;
}

static bool read_element(uint8_t type, struct bytes *b, unsigned depth, bool *bodies)
{
	struct opcua_node node;
	struct values value;
	struct bytes text;

	switch (type) {
	case STRING:
	case BYTE_STRING:
	case XML_ELEMENT:
		return opcua_string(b, &text);
	case NODE_ID:
		return opcua_node(b, false, &node);
	case EXPANDED_NODE_ID:
		return opcua_node(b, true, &node);
	case QUALIFIED_NAME:
		return opcua_qualified_name(b);
	case LOCALIZED_TEXT:
		return opcua_localized_text(b);
	case EXTENSION_OBJECT:
		return opcua_extension(b, bodies);
	case DATA_VALUE:
		return data_value(b, depth + 1u, &value, bodies);
	case VARIANT:
		return variant(b, depth + 1u, &value, bodies);
	case DIAGNOSTIC_INFO:
		return opcua_diagnostic(b);
	default:
		return bytes_skip(b, sizes[type]);
	}
}

/* Reads an array: the number of its elements, the elements, and for a matrix the dimensions. */
static bool array(uint8_t type, bool matrix, struct bytes *b, unsigned depth, bool *bodies)
{
	uint32_t n, directions;

	if (!opcua_count(b, &n) || (sizes[type] > 0 && n > b->left / sizes[type]))
		return fail_read(b);
	if (sizes[type] > 0)
		bytes_skip(b, (size_t)n * sizes[type]);
	for (uint32_t i = 0; sizes[type] == 0 && i < n && !b->failed; i++)
		read_element(type, b, depth, bodies);
	if (!matrix)
		return !b->failed;
	if (!opcua_count(b, &directions) || directions > b->left / 4u)
		return fail_read(b);
	return bytes_skip(b, (size_t)directions * 4u);
}

/* Reads a Variant: its type, whether it is an array, and the dimensions (5.2.2.16). Refuses a
 * Variant that directly contains a single Variant. */
static bool variant(struct bytes *b, unsigned depth, struct values *ret, bool *bodies)
{
	uint8_t has, type;
	bool is_array, matrix;

	*ret = (struct values){ .form = VALUES_UNKNOWN };
	if (depth >= OPCUA_DEPTH_MAX || !bytes_u8(b, &has))
		return fail_read(b);
	type = has & 0x3fu;
	is_array = (has & 0x80u) != 0;
	matrix = (has & 0x40u) != 0;
	if (type >= BUILTINS || (matrix && !is_array) || (type == 0 && is_array) || (type == VARIANT && !is_array))
		return fail_read(b);
	if (type == 0)
		return true;
	if (is_array)
		return array(type, matrix, b, depth, bodies);
	if (b->left >= sizes[type])
		number_in_it(type, *b, ret);
	return read_element(type, b, depth, bodies);
}

bool opcua_variant(struct bytes *b, struct values *ret, bool *bodies)
{
	return variant(b, 0, ret, bodies);
}

bool opcua_data_value(struct bytes *b, struct values *ret, bool *bodies)
{
	return data_value(b, 0, ret, bodies);
}
