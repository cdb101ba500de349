/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/operation.h"

struct values values_at(enum values_form form, uint32_t n, struct bytes at)
{
	return (struct values){
		.form = (uint8_t)form, .n = n, .p = at.p, .left = at.left > UINT32_MAX ? UINT32_MAX : (uint32_t)at.left
	};
}

static uint64_t bit_at(struct bytes b, uint32_t k)
{
	uint8_t byte;

	bytes_skip(&b, k / 8u);
	bytes_u8(&b, &byte);
	return ((uint32_t)byte >> (k % 8u)) & 1u;
}

static uint64_t word_at(struct bytes b, uint32_t k, bool little)
{
	uint16_t v;

	bytes_skip(&b, (size_t)k * 2u);
	return (little ? bytes_le16(&b, &v) : bytes_be16(&b, &v)) ? v : 0;
}

static uint64_t long_word(struct bytes b, uint32_t k, bool little)
{
	uint32_t v;

	bytes_skip(&b, (size_t)k * 4u);
	return (little ? bytes_le32(&b, &v) : bytes_be32(&b, &v)) ? v : 0;
}

/* The value of the k-th hexadecimal digit. Anything else gives 0, but enforcers refuse that
 * before. */
static uint64_t digit_at(struct bytes b, uint32_t k)
{
	uint8_t c;

	bytes_skip(&b, k);
	bytes_u8(&b, &c);
	if (c >= '0' && c <= '9')
		return c - (uint64_t)'0';
	return c >= 'A' && c <= 'F' ? c - (uint64_t)'A' + 10u : 0;
}

static uint64_t hex_word(struct bytes b, uint32_t k)
{
	bytes_skip(&b, (size_t)k * 4u);
	return digit_at(b, 0) << 12 | digit_at(b, 1) << 8 | digit_at(b, 2) << 4 | digit_at(b, 3);
}

uint64_t operation_value(const struct values *v, uint32_t k)
{
	struct bytes b;
	uint8_t byte;

	if (v->form == VALUES_BETWEEN)
		return k == 0 ? v->lo : v->hi;
	b = bytes_of(v->p, v->left);
	switch ((enum values_form)v->form) {
	case VALUES_BITS:
		return bit_at(b, k);
	case VALUES_U8:
		bytes_skip(&b, k);
		bytes_u8(&b, &byte);
		return byte;
	case VALUES_U16BE:
	case VALUES_U16LE:
		return word_at(b, k, v->form == VALUES_U16LE);
	case VALUES_U32BE:
	case VALUES_U32LE:
		return long_word(b, k, v->form == VALUES_U32LE);
	case VALUES_NIBBLES:
		bytes_skip(&b, k / 2u);
		bytes_u8(&b, &byte);
		return k % 2u == 0 ? (uint32_t)byte >> 4 : byte & 15u;
	case VALUES_HEX_U4:
		return digit_at(b, k);
	case VALUES_HEX_U16:
		return hex_word(b, k);
	case VALUES_HEX_BITS:
		return hex_word(b, k / 16u) >> k % 16u & 1u;
	case VALUES_BETWEEN:
	case VALUES_NONE:
	case VALUES_UNKNOWN:
		break;
	}
	return 0;
}

struct operation operation_kept(const struct operation *o)
{
	struct operation kept = *o;

	kept.spelling = NULL;
	kept.n_spelling = 0;
	if (o->values.n == 0 || o->values.form == VALUES_NONE || o->values.form == VALUES_UNKNOWN) {
		kept.values = (struct values){ .form = o->values.form };
		return kept;
	}
	kept.values = (struct values){ .form = VALUES_BETWEEN };
	for (uint32_t k = 0; k < o->values.n; k++) {
		uint64_t v = operation_value(&o->values, k);

		kept.values.lo = k == 0 || v < kept.values.lo ? v : kept.values.lo;
		kept.values.hi = k == 0 || v > kept.values.hi ? v : kept.values.hi;
	}
	kept.values.n = kept.values.lo == kept.values.hi ? 1 : 2;
	return kept;
}
