/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/memobus/memobus.h"

#include "dpi/memobus/words.h"

#define REFERENCE_LAST UINT16_MAX
#define REGISTER_LAST UINT32_MAX

/* Consecutive addresses of a space. */
struct run {
	uint8_t space;
	uint64_t first, count;
};

static const struct values nothing = { .form = VALUES_NONE };

/* Adds an operation with a group of its own. When there is no more room, the last operation stands
 * for all others, with an unknown address and unknown values. */
static void request_touch(struct memobus_request *r, const struct run *p, struct values values)
{
	bool room = r->n + 1u < r->max;
	struct operation *o = &r->operations[room ? r->n : r->max - 1u];

	*o = r->like;
	o->group = (uint8_t)(room ? r->n : r->max - 1u);
	o->place_unknown = !room;
	if (room) {
		o->space = p->space;
		o->first = p->first;
		o->count = p->count;
	}
	o->values = values;
	if (!room && values.form != VALUES_NONE)
		o->values = (struct values){ .form = VALUES_UNKNOWN };
	r->n = room ? r->n + 1u : r->max;
}

/* Reads a state: FF 00 is ON, 00 00 is OFF (2.16, SFC 05). */
static bool is_state(struct bytes *b, struct values *ret)
{
	uint16_t v;

	if (!bytes_be16(b, &v) || (v != 0 && v != 0xff00))
		return false;
	*ret = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v != 0, .hi = v != 0 };
	return true;
}

static bool is_unused(struct bytes *b)
{
	uint8_t v;

	return bytes_u8(b, &v) && v == 0;
}

static bool run_fits(const struct run *p, uint64_t last)
{
	return p->count > 0 && p->count - 1u <= last - p->first;
}

/* ---- MFC 20 ---------------------------------------------------------------------------------- */

static uint8_t space_of_reference(uint32_t service)
{
	switch (service) {
	case MEMOBUS_READ_COILS:
	case MEMOBUS_WRITE_COIL:
	case MEMOBUS_WRITE_COILS:
		return MEMOBUS_COILS;
	case MEMOBUS_READ_RELAYS:
		return MEMOBUS_RELAYS;
	case MEMOBUS_READ_INPUT:
	case MEMOBUS_READ_INPUT_MORE:
		return MEMOBUS_INPUT;
	default:
		return MEMOBUS_HOLDING;
	}
}

/* Reads the written values, after reference and count. */
static struct values written_values(uint32_t service, uint32_t n, struct bytes b)
{
	switch (service) {
	case MEMOBUS_WRITE_COILS:
	case MEMOBUS_WRITE_BITS:
		return values_at(VALUES_BITS, n, b);
	case MEMOBUS_WRITE_HOLDINGS:
		return values_at(VALUES_U16BE, n, b);
	case MEMOBUS_WRITE_HOLDING_MORE:
	case MEMOBUS_WRITE_REGISTERS:
		return values_at(VALUES_U16LE, n, b);
	default:
		return nothing;
	}
}

/* SFC 01 to 08, 0F and 10: reference and count, high byte first. */
static bool parse_short(struct memobus_request *r, uint32_t service, uint32_t n, struct bytes *b)
{
	struct run p = { .space = space_of_reference(service), .count = 1 };
	struct values values = nothing;
	uint16_t reference, v;

	if (!bytes_be16(b, &reference))
		return false;
	p.first = reference;
	if (service == MEMOBUS_WRITE_COIL) {
		if (!is_state(b, &values))
			return false;
	} else if (service == MEMOBUS_WRITE_HOLDING) {
		if (!bytes_be16(b, &v))
			return false;
		values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
	} else {
		p.count = n;
		if (!bytes_skip(b, 2))
			return false;
		values = written_values(service, n, *b);
		bytes_skip(b, b->left);
	}
	if (!run_fits(&p, REFERENCE_LAST))
		return false;
	request_touch(r, &p, values);
	return true;
}

/* SFC 09, 0A and 0B: an unused byte, then reference and count, low byte first. */
static bool parse_extended(struct memobus_request *r, uint32_t service, uint32_t n, struct bytes *b)
{
	struct run p = { .space = space_of_reference(service), .count = n };
	uint16_t reference;

	if (!is_unused(b) || !bytes_le16(b, &reference) || !bytes_skip(b, 2))
		return false;
	p.first = reference;
	if (!run_fits(&p, REFERENCE_LAST))
		return false;
	request_touch(r, &p, written_values(service, n, *b));
	return bytes_skip(b, b->left);
}

/* SFC 0D and 0E: single registers, with a value each if written. If there are more than fit,
 * registers with adjacent numbers become one operation. */
static bool parse_list(struct memobus_request *r, uint32_t service, uint32_t n, struct bytes *b)
{
	bool writes = service == MEMOBUS_WRITE_LIST, joins = n >= r->max;
	struct run p = { .space = MEMOBUS_HOLDING, .count = 0 };
	struct values values = nothing;

	if (!is_unused(b) || !bytes_skip(b, 2))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t reference, v = 0;

		if (!bytes_le16(b, &reference) || (writes && !bytes_le16(b, &v)))
			return false;
		if (joins && p.count > 0 && reference == p.first + p.count) {
			p.count++;
			/* a merged operation has only the smallest and the largest value, so values
			 * between them would not be judged */
			if (writes && v != values.lo)
				values = (struct values){ .form = VALUES_UNKNOWN };
			continue;
		}
		if (p.count > 0)
			request_touch(r, &p, values);
		p.first = reference;
		p.count = 1;
		if (writes)
			values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
	}
	request_touch(r, &p, values);
	return true;
}

/* ---- MFC 43 ---------------------------------------------------------------------------------- */

static bool is_of_bits(uint32_t service)
{
	return service == MEMOBUS_READ_BITS || service == MEMOBUS_WRITE_BIT || service == MEMOBUS_WRITE_BITS;
}

/* The types of registers (2.16, "Register Types"), in the order of the spaces: M, G, I, O, S. */
static bool is_register_type(uint8_t code, uint8_t *ret)
{
	static const uint8_t types[MEMOBUS_REGISTER_TYPES] = { 0x4d, 0x47, 0x49, 0x4f, 0x53 };

	for (*ret = 0; *ret < MEMOBUS_REGISTER_TYPES; ++*ret)
		if (types[*ret] == code)
			return true;
	return false;
}

/* Reads items of register type, data type (2.16, "Data Types": 2 a word, 3 a long word) and
 * address, each with a value if written. They must fill the body. */
static bool parse_mixed(uint32_t service, uint32_t n, struct bytes *b)
{
	if (!is_unused(b) || !bytes_skip(b, 2))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t code, type, data;

		if (!bytes_u8(b, &code) || !is_register_type(code, &type) || !bytes_u8(b, &data) || data < 2 ||
		    data > 3 || !bytes_skip(b, 4))
			return false;
		if (service == MEMOBUS_WRITE_MIXED && !bytes_skip(b, data == 2 ? 2 : 4))
			return false;
	}
	return b->left == 0;
}

/* The type of register between two unused bytes, then a 32-bit address of a word or a bit. */
static bool parse_register(struct memobus_request *r, uint32_t service, uint32_t n, size_t length, struct bytes *b)
{
	struct run p = { .count = n };
	struct values values = nothing;
	uint32_t address;
	uint8_t code, type;
	uint16_t v;

	if (!is_unused(b) || !bytes_u8(b, &code) || !is_register_type(code, &type) || !is_unused(b) ||
	    !bytes_le32(b, &address))
		return false;
	p.space = (uint8_t)((is_of_bits(service) ? MEMOBUS_MB : MEMOBUS_MW) + type);
	p.first = address;
	if (service == MEMOBUS_WRITE_BIT || service == MEMOBUS_WRITE_REGISTER) {
		p.count = 1;
		if (service == MEMOBUS_WRITE_BIT ? !is_state(b, &values) : !bytes_le16(b, &v))
			return false;
		if (service == MEMOBUS_WRITE_REGISTER)
			values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
	} else {
		bool wide = service == MEMOBUS_WRITE_BITS || (service == MEMOBUS_READ_BITS && length == 14);

		if (!bytes_skip(b, wide ? 4 : 2))
			return false;
		values = written_values(service, n, *b);
		bytes_skip(b, b->left);
	}
	if (!run_fits(&p, REGISTER_LAST))
		return false;
	request_touch(r, &p, values);
	return true;
}

/* ---------------------------------------------------------------------------------------------- */

/* Whether the unused bits after a list of bits are 0. */
static bool is_filled(struct bytes data, uint32_t n)
{
	return n % 8u == 0 || data.left == 0 || data.p[data.left - 1] >> n % 8u == 0;
}

static bool parse_body(struct memobus_request *r, const struct memobus_head *h, uint32_t n, struct bytes *b)
{
	uint16_t test;

	switch (h->service) {
	case MEMOBUS_LOOPBACK: /* test code 0000, then two bytes of any data */
		return bytes_be16(b, &test) && test == 0 && bytes_skip(b, 2);
	case MEMOBUS_READ_HOLDING_MORE:
	case MEMOBUS_READ_INPUT_MORE:
	case MEMOBUS_WRITE_HOLDING_MORE:
		return parse_extended(r, h->service, n, b);
	case MEMOBUS_READ_LIST:
	case MEMOBUS_WRITE_LIST:
		return parse_list(r, h->service, n, b);
	case MEMOBUS_READ_MIXED:
	case MEMOBUS_WRITE_MIXED:
		return parse_mixed(h->service, n, b);
	case MEMOBUS_WRITE_COILS:
	case MEMOBUS_WRITE_BITS:
		if (!is_filled(*b, n))
			return false;
		break;
	default:
		break;
	}
	return h->service >> 8 == 0x43 ? parse_register(r, h->service, n, h->length, b)
				       : parse_short(r, h->service, n, b);
}

static bool parse_command(struct memobus_request *r, const struct memobus_head *h)
{
	const struct memobus_layout *l = memobus_layout_of(h->service);
	struct bytes b = h->rest;
	uint32_t n = 0;

	/* MFC 00 does not exist, and SFC from 80 on mean errors. */
	if (h->service < 0x0100 || (h->service & MEMOBUS_FAILED) != 0)
		return false;
	r->answer = MEMOBUS_ERROR;
	r->answer_max = MEMOBUS_MESSAGE_MAX;
	if (l == NULL)
		return true;
	if (l->count_at != 0 && !memobus_count(l, bytes_of(b.p - MEMOBUS_LEAST, h->length), h->length, &n))
		return false;
	r->answer = (uint16_t)(l->answer + memobus_items(n, l->answer_item));
	r->answer_max = r->answer;
	if (l->answer_item != 0 && l->longest_item != 0)
		r->answer_max = (uint16_t)(l->answer + memobus_items(n, l->longest_item));
	if (r->answer_max > MEMOBUS_MESSAGE_MAX)
		r->answer_max = MEMOBUS_MESSAGE_MAX;
	return parse_body(r, h, n, &b) && bytes_done(&b);
}

void memobus_request_parse(const struct memobus_head *h, struct memobus_request *ret)
{
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_MEMOBUS), h->service);
	bool general = h->type == MEMOBUS_GENERAL_PURPOSE;
	unsigned classes = f != NULL ? f->classes : CLASS_ALL;

	ret->answer = ret->answer_max = 0;
	ret->n = 0;
	ret->like = (struct operation){
		.service = h->service,
		.targets = { [MEMOBUS_CPU] = h->to_cpu,
			     [MEMOBUS_SENDER] = h->from_cpu,
			     [MEMOBUS_CHANNEL] = (uint32_t)h->to_channel << 8 | h->from_channel },
		.space = SPACE_NONE,
		.idle = general ? 1u << MEMOBUS_CPU | 1u << MEMOBUS_SENDER : 0,
	};
	ret->well_formed = general || parse_command(ret, h);
	if (ret->n > 0)
		return;
	ret->operations[0] = ret->like;
	ret->operations[0].place_unknown = f == NULL || f->untold != 0;
	ret->operations[0].values.form =
		(f == NULL || (f->untold & UNTOLD_VALUE) != 0) && (classes & (CLASS_WRITE | CLASS_PROGRAM)) != 0
			? VALUES_UNKNOWN
			: VALUES_NONE;
	ret->n = 1;
}
