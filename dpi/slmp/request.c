/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/slmp.h"

#include <stddef.h>

#include "dpi/slmp/words.h"

/* ---- operations ------------------------------------------------------------------------------ */

/* Whether a read begins at the address where the last operation, also a read, ends. */
static bool goes_on(const struct slmp_request *r, uint8_t space, uint64_t first, const struct values *values)
{
	const struct operation *last;

	if (r->n == 0 || values->form != VALUES_NONE)
		return false;
	last = &r->operations[r->n - 1u];
	return last->space == space && !last->place_unknown && last->values.form == VALUES_NONE &&
	       last->first + last->count == first;
}

static void request_touch(struct slmp_request *r, uint8_t space, uint64_t first, uint64_t count, struct values values)
{
	bool room = r->n + 1u < r->max;
	uint32_t at = room ? r->n : r->max - 1u;

	if (goes_on(r, space, first, &values)) {
		r->operations[r->n - 1u].count += count;
		return;
	}
	r->operations[at] = r->like;
	r->operations[at].group = (uint8_t)at;
	r->operations[at].place_unknown = !room;
	if (room) {
		r->operations[at].space = space;
		r->operations[at].first = first;
		r->operations[at].count = count;
		r->operations[at].values = values;
	} else if (values.form != VALUES_NONE) {
		r->operations[at].values.form = VALUES_UNKNOWN;
	}
	r->n = at + 1u;
}

static void touch_device(struct slmp_request *r, const struct slmp_device_number *d, uint64_t count,
			 struct values values)
{
	if (d->device == NULL) {
		uint32_t n = r->n;

		request_touch(r, SPACE_NONE, 0, 0, values);
		r->operations[r->n - 1u].place_unknown = true;
		if (r->n > n && values.form != VALUES_NONE)
			r->operations[r->n - 1u].values = (struct values){ .form = VALUES_UNKNOWN };
		return;
	}
	request_touch(r, d->device->space, d->number, count, values);
	if (d->other != d->number)
		request_touch(r, d->device->space, d->other, count, values);
}

static uint64_t points(const struct slmp_device_number *d, uint32_t words)
{
	return d->device != NULL ? slmp_device_points(d->device, words) : words;
}

static struct values words_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at)
{
	if (d->device != NULL && d->device->kind == SLMP_WORD)
		return values_at(at->ascii ? VALUES_HEX_U16 : VALUES_U16LE, n, at->b);
	if (d->device != NULL && d->device->kind == SLMP_BIT)
		return values_at(at->ascii ? VALUES_HEX_BITS : VALUES_BITS, n * 16u, at->b);
	return (struct values){ .form = VALUES_UNKNOWN };
}

static struct values bits_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at)
{
	if (d->device == NULL || d->device->kind != SLMP_BIT)
		return (struct values){ .form = VALUES_UNKNOWN };
	return values_at(at->ascii ? VALUES_HEX_U4 : VALUES_NIBBLES, n, at->b);
}

/* The manual's limits of one request. */
#define WORDS_MAX 960u
#define BITS_MAX 7168u
#define MODULE_BYTES_MAX 1920u
#define BUFFER_WORDS_MAX 480u
#define ECHO_MAX 960u
#define BLOCK_WORDS_MAX 960u

/* Subcommands of device commands: which unit, and how devices are written. */
#define SUB_BITS 1u
#define SUB_WIDE 2u
#define SUB_EXTENDED 0x80u

/* bytes or characters of an answer's data, without the end code */
#define ANSWER_MAX (SLMP_LENGTH_MAX - 4u)

static uint32_t command_of(uint32_t service)
{
	return service >> 16;
}

static bool service_writes(uint32_t service)
{
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_SLMP), service);

	return f == NULL || (f->classes & (CLASS_WRITE | CLASS_CONTROL | CLASS_PROGRAM)) != 0;
}

void slmp_request_forget_place(struct slmp_request *r)
{
	r->operations[0] = r->like;
	r->operations[0].place_unknown = true;
	r->operations[0].values.form = service_writes(r->service) ? VALUES_UNKNOWN : VALUES_NONE;
	r->n = 1;
}

static bool skip_units(struct slmp_reader *r, size_t n)
{
	return bytes_skip(&r->b, r->ascii ? 2u * n : n);
}

/* Bytes of an answer's data: n words, or n bits. In binary coding two bits share a byte. */
static uint32_t words_length(const struct slmp_reader *r, uint32_t n)
{
	return (r->ascii ? 4u : 2u) * n;
}

static uint32_t bits_length(const struct slmp_reader *r, uint32_t n)
{
	return r->ascii ? n : (n + 1u) / 2u;
}

static bool answers_with(struct slmp_request *r, uint32_t n)
{
	r->answer = (uint16_t)n;
	return n <= ANSWER_MAX;
}

/* Whether the data consist only of the digits that they may have; bits are 0 or 1. */
static bool is_plain(struct slmp_reader *r, uint32_t length, bool bits)
{
	struct bytes b = r->b;
	uint8_t c;

	if (b.failed || b.left < length) {
		r->b.failed = true;
		return false;
	}
	for (uint32_t i = 0; i < length && bytes_u8(&b, &c); i++) {
		if (r->ascii ? slmp_digit(c) < 0 : bits && (c & 0xeeu) != 0)
			return false;
		if (r->ascii && bits && slmp_digit(c) > 1)
			return false;
	}
	return true;
}

/* ---- devices --------------------------------------------------------------------------------- */

static bool parse_batch(struct slmp_request *r, struct slmp_reader *b, bool write)
{
	bool bits = (r->service & SUB_BITS) != 0;
	struct slmp_device_number d;
	struct values values = { .form = VALUES_NONE };
	uint32_t n, length;

	if (!slmp_device_parse(b, (r->service & SUB_WIDE) != 0, &d) || !slmp_number(b, 2, &n) || n == 0 ||
	    n > (bits ? BITS_MAX : WORDS_MAX))
		return false;
	length = bits ? bits_length(b, n) : words_length(b, n);
	if (write && bits)
		values = bits_written(&d, n, b);
	else if (write)
		values = words_written(&d, n, b);
	touch_device(r, &d, bits ? n : points(&d, n), values);
	if (!write)
		return answers_with(r, length);
	return is_plain(b, length, bits) && bytes_skip(&b->b, length);
}

/* Reads the number of words and the number of double words. */
static bool parse_counts(struct slmp_reader *b, uint32_t *ret_words, uint32_t *ret_doubles)
{
	slmp_number(b, 1, ret_words);
	slmp_number(b, 1, ret_doubles);
	return !b->b.failed && *ret_words + *ret_doubles > 0;
}

/* Reads a list of devices, as in random reads and monitors. */
static bool parse_list(struct slmp_request *r, struct slmp_reader *b, uint32_t *ret_length)
{
	struct slmp_device_number d;
	uint32_t words, doubles;

	if ((r->service & SUB_BITS) != 0 || !parse_counts(b, &words, &doubles))
		return false;
	for (uint32_t i = 0; i < words + doubles; i++) {
		uint32_t n = i < words ? 1 : 2;

		if (!slmp_device_parse(b, (r->service & SUB_WIDE) != 0, &d))
			return false;
		touch_device(r, &d, points(&d, n), (struct values){ .form = VALUES_NONE });
	}
	*ret_length = words_length(b, words + 2u * doubles);
	return true;
}

/* Reads a double word: the device number has its low word. In ASCII the high word is written
 * first. */
static bool write_double(struct slmp_request *r, const struct slmp_device_number *d, struct slmp_reader *b)
{
	struct slmp_reader low = *b;
	uint32_t v;

	if (b->ascii)
		bytes_skip(&low.b, 4);
	if (d->device != NULL && d->device->kind == SLMP_BIT && b->ascii) {
		struct slmp_device_number high = *d;

		if (d->number > UINT32_MAX - 16u || d->other > UINT32_MAX - 16u)
			return false;
		high.number += 16u;
		high.other += 16u;
		touch_device(r, d, 16, words_written(d, 1, &low));
		touch_device(r, &high, 16, words_written(d, 1, b));
		return slmp_number(b, 4, &v);
	}
	if (d->device != NULL && d->device->kind == SLMP_BIT) {
		touch_device(r, d, 32, words_written(d, 2, b));
		return slmp_number(b, 4, &v);
	}
	if (!slmp_number(b, 4, &v))
		return false;
	if (d->device == NULL || d->device->kind != SLMP_WORD)
		touch_device(r, d, 1, (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v });
	else
		touch_device(r, d, 2,
			     (struct values){ .form = VALUES_BETWEEN, .n = 2, .lo = v & 0xffffu, .hi = v >> 16 });
	return true;
}

static bool parse_random_words(struct slmp_request *r, struct slmp_reader *b)
{
	uint32_t words, doubles, v;
	struct slmp_device_number d;

	if (!parse_counts(b, &words, &doubles))
		return false;
	for (uint32_t i = 0; i < words + doubles; i++) {
		if (!slmp_device_parse(b, (r->service & SUB_WIDE) != 0, &d))
			return false;
		if (i >= words) {
			if (!write_double(r, &d, b))
				return false;
			continue;
		}
		touch_device(r, &d, points(&d, 1), words_written(&d, 1, b));
		if (!slmp_number(b, 2, &v))
			return false;
	}
	return true;
}

static bool parse_random_bits(struct slmp_request *r, struct slmp_reader *b)
{
	bool wide = (r->service & SUB_WIDE) != 0;
	struct slmp_device_number d;
	uint32_t n, v;

	if (!slmp_number(b, 1, &n) || n == 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct values values = { .form = VALUES_UNKNOWN };

		if (!slmp_device_parse(b, wide, &d) || !slmp_number(b, wide ? 2 : 1, &v) || v > 1)
			return false;
		if (d.device != NULL && d.device->kind == SLMP_BIT)
			values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
		touch_device(r, &d, 1, values);
	}
	return true;
}

/* Reads blocks of words, then blocks of bits, 16 bits to a point; both are written in the same
 * form. */
static bool parse_blocks(struct slmp_request *r, struct slmp_reader *b, bool write)
{
	uint32_t words, bits, n, all = 0;
	struct slmp_device_number d;

	if ((r->service & SUB_BITS) != 0 || !parse_counts(b, &words, &bits))
		return false;
	for (uint32_t i = 0; i < words + bits; i++) {
		struct values values = { .form = VALUES_NONE };

		if (!slmp_device_parse(b, (r->service & SUB_WIDE) != 0, &d) || !slmp_number(b, 2, &n) || n == 0)
			return false;
		all += n;
		if (all > BLOCK_WORDS_MAX)
			return false;
		if (write)
			values = words_written(&d, n, b);
		touch_device(r, &d, points(&d, n), values);
		if (write && (!is_plain(b, words_length(b, n), false) || !skip_units(b, 2u * (size_t)n)))
			return false;
	}
	return write || answers_with(r, words_length(b, all));
}

/* ---- buffer memory --------------------------------------------------------------------------- */

static bool parse_buffer(struct slmp_request *r, struct slmp_reader *b, bool write)
{
	struct values values = { .form = VALUES_NONE };
	uint32_t first, n;

	slmp_number(b, 4, &first);
	if (!slmp_number(b, 2, &n) || n == 0 || n > BUFFER_WORDS_MAX)
		return false;
	if (write)
		values = values_at(b->ascii ? VALUES_HEX_U16 : VALUES_U16LE, n, b->b);
	request_touch(r, SLMP_BUFFER, first, n, values);
	return write ? is_plain(b, words_length(b, n), false) && skip_units(b, 2u * (size_t)n)
		     : answers_with(r, words_length(b, n));
}

/* The buffer memory of a module is addressed by bytes, not by words. A value that the policy limits
 * could begin or end inside a word, so written values count as unknown. */
static bool parse_module(struct slmp_request *r, struct slmp_reader *b, bool write)
{
	uint32_t first, n, module;

	slmp_number(b, 4, &first);
	slmp_number(b, 2, &n);
	if (!slmp_number(b, 2, &module) || n == 0 || n > MODULE_BYTES_MAX || n > 0x100000000u - (uint64_t)first)
		return false;
	request_touch(r, SLMP_MODULE_BUFFER, (uint64_t)module << 32 | first, n,
		      (struct values){ .form = write ? VALUES_UNKNOWN : VALUES_NONE });
	return write ? is_plain(b, b->ascii ? 2u * n : n, false) && skip_units(b, n)
		     : answers_with(r, b->ascii ? 2u * n : n);
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Reads an echo. The answer returns these bytes as they came, behind their number. */
static bool parse_echo(struct slmp_request *r, struct slmp_reader *b)
{
	uint32_t n;

	return slmp_number(b, 2, &n) && n >= 1 && n <= ECHO_MAX && bytes_skip(&b->b, n) &&
	       answers_with(r, n + (b->ascii ? 4u : 2u));
}

/* A remote run may clear devices first: 1 clears all but latched devices, 2 clears all. */
static bool parse_run(struct slmp_request *r, struct slmp_reader *b)
{
	uint32_t mode, clear, fixed;

	slmp_number(b, 2, &mode);
	slmp_number(b, 1, &clear);
	if (!slmp_number(b, 1, &fixed))
		return false;
	if (clear != 0)
		slmp_request_forget_place(r);
	return true;
}

static bool parse_fixed(struct slmp_reader *b)
{
	uint32_t v;

	return slmp_number(b, 2, &v);
}

/* For contents that are unknown or not read here: addresses and values count as unknown. */
static bool leave_open(struct slmp_request *r, struct slmp_reader *b)
{
	r->answer = SLMP_ANY;
	return bytes_skip(&b->b, b->b.left);
}

static bool parse_data(struct slmp_request *r, struct slmp_reader *b)
{
	uint32_t sub = r->service & 0xffffu, length;

	/* extended device specifications, or an unknown subcommand */
	if (sub > (SUB_BITS | SUB_WIDE))
		return leave_open(r, b);
	switch (command_of(r->service)) {
	case SLMP_BATCH_READ:
		return parse_batch(r, b, false);
	case SLMP_BATCH_WRITE:
		return parse_batch(r, b, true);
	case SLMP_RANDOM_READ:
		return parse_list(r, b, &length) && answers_with(r, length);
	case SLMP_MONITOR_REGISTER:
		if (!parse_list(r, b, &length) || length > ANSWER_MAX)
			return false;
		r->later = (uint16_t)length;
		return true;
	case SLMP_RANDOM_WRITE:
		return sub & SUB_BITS ? parse_random_bits(r, b) : parse_random_words(r, b);
	case SLMP_BLOCK_READ:
		return parse_blocks(r, b, false);
	case SLMP_BLOCK_WRITE:
		return parse_blocks(r, b, true);
	default:
		break;
	}
	if (sub != 0)
		return leave_open(r, b);
	switch (command_of(r->service)) {
	case SLMP_TYPE_NAME:
		return answers_with(r, b->ascii ? 20 : 18);
	case SLMP_MODULE_READ:
		return parse_module(r, b, false);
	case SLMP_MODULE_WRITE:
		return parse_module(r, b, true);
	case SLMP_BUFFER_READ:
		return parse_buffer(r, b, false);
	case SLMP_BUFFER_WRITE:
		return parse_buffer(r, b, true);
	case SLMP_SELF_TEST:
		return parse_echo(r, b);
	case SLMP_MONITOR: /* reads the devices that were registered before */
		slmp_request_forget_place(r);
		r->answer = SLMP_ANY;
		return true;
	case SLMP_RUN:
		return parse_run(r, b);
	case SLMP_STOP:
	case SLMP_PAUSE:
	case SLMP_LATCH_CLEAR:
		return parse_fixed(b);
	case SLMP_RESET: /* some clients leave the fixed number out */
		return b->b.left == 0 || parse_fixed(b);
	case SLMP_UNLOCK:
	case SLMP_LOCK:
		return bytes_skip(&b->b, b->b.left);
	default:
		return leave_open(r, b);
	}
}

void slmp_request_parse(uint32_t service, const uint32_t targets[SLMP_TARGETS], struct slmp_reader data,
			struct slmp_request *ret)
{
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_SLMP), service);

	ret->service = service;
	ret->answer = 0;
	ret->later = 0;
	ret->n = 0;
	ret->like = (struct operation){ .service = service, .space = SPACE_NONE };
	for (unsigned i = 0; i < SLMP_TARGETS; i++)
		ret->like.targets[i] = targets[i];
	ret->well_formed = parse_data(ret, &data) && bytes_done(&data.b);
	ret->short_of = data.b.failed && !data.garbled;
	if (ret->n > 0)
		return;
	ret->operations[0] = ret->like;
	ret->operations[0].place_unknown = f == NULL || (f->untold & UNTOLD_PLACE) != 0;
	ret->operations[0].values.form = f == NULL || (f->untold & UNTOLD_VALUE) != 0 ? VALUES_UNKNOWN : VALUES_NONE;
	ret->n = 1;
}
