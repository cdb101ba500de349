/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/fins.h"

#include "dpi/fins/words.h"

#define NODE_ALL 255u
#define TARGET_NODE 1u /* order of the vocabulary */

#define ANY FINS_DATA_MAX
#define TOLD FINS_ANSWER_MAX

/*
 * Bytes of parameters of each command, and of its answer after the end code: minimum and maximum.
 * The sections are those of W227 and W342; CS and CJ have a path after a file name. Commands that
 * are not listed may have any parameters.
 */
static const struct {
	uint16_t command, least, most, answer, answer_max;
} layouts[] = {
	{ 0x0201, 6, 6, 6, TOLD },    { 0x0202, 6, ANY, 0, 0 },	     { 0x0203, 8, 8, 0, 0 },
	{ 0x0220, 8, 8, 1, TOLD },    { 0x0221, 9, ANY, 0, 0 },	     { 0x0304, 15, 15, 0, 0 },
	{ 0x0305, 15, 15, 0, 0 },     { 0x0306, 8, 8, 8, TOLD },     { 0x0307, 8, ANY, 8, 8 },
	{ 0x0308, 3, 3, 0, 0 },	      { 0x0401, 0, 3, 0, 0 },	     { 0x0402, 0, 3, 0, 0 },
	{ 0x0403, 0, 0, 0, 0 },	      { 0x0501, 0, 1, 1, 200 },	     { 0x0502, 1, 2, 1, 600 },
	{ 0x0601, 0, 0, 1, 64 },      { 0x0602, 0, 0, 1, TOLD },     { 0x0603, 0, 0, 1, TOLD },
	{ 0x0701, 0, 0, 7, 7 },	      { 0x0702, 5, 7, 0, 0 },	     { 0x0802, 0, 0, 2, 2 },
	{ 0x0803, 1, ANY, 0, 0 },     { 0x0c01, 2, 2, 0, 3 },	     { 0x0c02, 2, 2, 0, 0 },
	{ 0x0c03, 2, 2, 0, 0 },	      { 0x2101, 2, 2, 0, 0 },	     { 0x2102, 4, 4, 6, TOLD },
	{ 0x2103, 0, 0, 0, 0 },	      { 0x2140, 4, 4, 6, TOLD },     { 0x2141, 0, 0, 0, 0 },
	{ 0x2201, 6, ANY, 28, TOLD }, { 0x2202, 20, ANY, 10, TOLD }, { 0x2203, 22, ANY, 0, 0 },
	{ 0x2204, 2, 2, 0, 0 },	      { 0x2205, 16, ANY, 2, 2 },     { 0x2206, 4, 16, 0, 0 },
	{ 0x2207, 28, ANY, 0, 0 },    { 0x2208, 26, ANY, 0, 0 },     { 0x2209, 14, ANY, 0, 0 },
	{ 0x220a, 22, ANY, 2, 2 },    { 0x220b, 22, ANY, 2, 2 },     { 0x220c, 26, ANY, 4, 4 },
	{ 0x220f, 3, 3, 5, TOLD },    { 0x2210, 2, 2, 258, 258 },    { 0x2211, 260, 260, 0, 0 },
	{ 0x2215, 18, ANY, 0, 0 },    { 0x2601, 1, 8, 0, 0 },	     { 0x2602, 0, 0, 0, 0 },
	{ 0x2603, 0, 0, 0, 8 },
};

static unsigned classes_of(uint32_t service)
{
	const struct function_info *f = function_by_code(vocabulary_of(PROTO_FINS), service);

	return f != NULL ? f->classes : CLASS_ALL;
}

static bool changes(uint32_t service)
{
	return (classes_of(service) & (CLASS_WRITE | CLASS_CONTROL | CLASS_PROGRAM)) != 0;
}

static bool answers_with(struct fins_request *r, uint32_t n)
{
	r->answer = r->answer_max = (uint16_t)n;
	return n <= FINS_ANSWER_MAX;
}

/* Adds an operation. When there is no more room, it replaces the last operation, and gets an
 * unknown address, so that it stands for both. */
static void request_touch(struct fins_request *r, const struct fins_place *p, uint8_t group, struct values values)
{
	bool room = r->n + 1u < r->max;
	struct operation *o = &r->operations[room ? r->n : r->max - 1u];

	*o = r->like;
	o->group = room ? group : (uint8_t)(r->max - 1u);
	o->place_unknown = !room || p->space == SPACE_NONE;
	if (!o->place_unknown) {
		o->space = p->space;
		o->first = p->first;
		o->count = p->count;
	}
	o->values = values;
	if (values.form != VALUES_NONE && (o->place_unknown || p->part))
		o->values = (struct values){ .form = VALUES_UNKNOWN };
	if (values.form != VALUES_NONE && p->space <= FINS_G)
		o->value_size = p->each;
	r->n = room ? r->n + 1u : r->max;
}

/* Adds a read as a group of its own. */
static void add_read(struct fins_request *r, const struct fins_place *p)
{
	request_touch(r, p, (uint8_t)r->n, (struct values){ .form = VALUES_NONE });
}

static bool items_parse(struct bytes *b, struct fins_place *p)
{
	uint16_t n;

	return bytes_be16(b, &n) && fins_place_extend(p, n);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static bool parse_read(struct fins_request *r, struct bytes *b)
{
	struct fins_place p;
	struct bytes counted;
	uint16_t n = 0;

	if (!fins_place_parse(b, &p))
		return false;
	counted = *b;
	if (!items_parse(b, &p))
		return false;
	bytes_be16(&counted, &n);
	add_read(r, &p);
	if (p.size > 0)
		return answers_with(r, (uint32_t)n * p.size);
	r->answer_max = FINS_ANSWER_MAX;
	return true;
}

/* Whether all bytes are 0 or 1, as for bits. */
static bool are_bits(struct bytes b)
{
	uint8_t v;

	while (b.left > 0)
		if (!bytes_u8(&b, &v) || v > 1)
			return false;
	return true;
}

/* The written values. For areas with forced status, the meaning of a written value is
 * not documented. */
static struct values written_values(const struct fins_place *p, uint32_t n, struct bytes b)
{
	if (p->kind == FINS_KIND_WORD)
		return values_at(VALUES_U16BE, n, b);
	if (p->kind == FINS_KIND_BIT)
		return values_at(VALUES_U8, n, b);
	return (struct values){ .form = VALUES_UNKNOWN };
}

/* Reads a write: exactly as many items as the count says, because a server that goes by the length
 * would write more. */
static bool parse_write(struct fins_request *r, struct bytes *b)
{
	struct fins_place p;
	uint16_t n;

	if (!fins_place_parse(b, &p) || !bytes_be16(b, &n) || !fins_place_extend(&p, n))
		return false;
	request_touch(r, &p, 0, written_values(&p, n, *b));
	if (p.size == 0)
		return bytes_skip(b, b->left);
	return b->left == (size_t)n * p.size && (p.kind != FINS_KIND_BIT || are_bits(*b)) && bytes_skip(b, b->left);
}

static bool parse_fill(struct fins_request *r, struct bytes *b)
{
	struct values values = { .form = VALUES_UNKNOWN };
	struct fins_place p;
	uint16_t v;

	if (!fins_place_parse(b, &p) || !items_parse(b, &p) || !bytes_be16(b, &v))
		return false;
	if (p.kind == FINS_KIND_WORD)
		values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = v, .hi = v };
	request_touch(r, &p, 0, values);
	return true;
}

/* Reads a list of items, each with its area. In the answer, each item follows its area code. */
static bool parse_list(struct fins_request *r, struct bytes *b)
{
	struct fins_place p;
	uint32_t length = 0;
	bool known = true;

	while (b->left > 0) {
		if (!fins_place_parse(b, &p) || !fins_place_extend(&p, 1))
			return false;
		add_read(r, &p);
		known = known && p.size > 0;
		length += 1u + p.size;
	}
	if (r->n == 0 || length > FINS_ANSWER_MAX)
		return false;
	if (known)
		return answers_with(r, length);
	r->answer_max = FINS_ANSWER_MAX;
	return true;
}

/* Reads a transfer. One row has to allow both its source and its destination. The written values
 * are not known. */
static bool parse_transfer(struct fins_request *r, struct bytes *b)
{
	struct fins_place from, to;
	uint16_t n;

	if (!fins_place_parse(b, &from) || !fins_place_parse(b, &to) || !bytes_be16(b, &n) ||
	    !fins_place_extend(&from, n) || !fins_place_extend(&to, n))
		return false;
	request_touch(r, &from, 0, (struct values){ .form = VALUES_NONE });
	request_touch(r, &to, 0, (struct values){ .form = VALUES_UNKNOWN });
	return true;
}

/* Parameter 0 copies memory to a file, 1 copies a file to memory, 2 compares the two. */
static bool parse_file(struct fins_request *r, struct bytes *b)
{
	struct values values = { .form = VALUES_UNKNOWN };
	struct fins_place p;
	uint16_t parameter;

	if (!bytes_be16(b, &parameter) || parameter > 2 || !fins_place_parse(b, &p) || !items_parse(b, &p))
		return false;
	if (parameter != 1)
		values.form = VALUES_NONE;
	request_touch(r, &p, 0, values);
	return bytes_skip(b, b->left);
}

/* ---- forced bits ----------------------------------------------------------------------------- */

static bool parse_force(struct fins_request *r, struct bytes *b)
{
	struct fins_place p;
	uint16_t n, how;

	if (!bytes_be16(b, &n) || n == 0 || b->left != (size_t)n * 6u)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		/* a released bit gets its value from the program */
		struct values values = { .form = VALUES_UNKNOWN };

		if (!bytes_be16(b, &how) || !fins_place_parse(b, &p) || !fins_place_extend(&p, 1) ||
		    (how != 0xffff && (how & 0x7fffu) > 1))
			return false;
		if (how != 0xffff && p.kind == FINS_KIND_BIT)
			values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = how & 1u, .hi = how & 1u };
		request_touch(r, &p, (uint8_t)r->n, values);
	}
	return true;
}

static bool parse_forced_status(struct fins_request *r, struct bytes *b)
{
	struct fins_place p;
	struct bytes counted;
	uint16_t n = 0;

	if (!fins_place_parse(b, &p))
		return false;
	counted = *b;
	if (!items_parse(b, &p))
		return false;
	bytes_be16(&counted, &n);
	add_read(r, &p);
	if (p.size > 0)
		return answers_with(r, 6u + (uint32_t)n * p.size);
	r->answer_max = FINS_ANSWER_MAX;
	return true;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* The parameter of a message says which of three commands it is. */
static bool parse_message(struct fins_request *r, struct bytes *b)
{
	uint16_t what;

	if (!bytes_be16(b, &what))
		return false;
	r->service |= what & 0xc000u;
	switch (what & 0xc000u) {
	case FINS_MESSAGE_READ:
		r->answer = 2;
		r->answer_max = 2 + 8 * 32;
		return (what & 0x3f00u) == 0;
	case FINS_MESSAGE_CLEAR:
		return (what & 0x3f00u) == 0;
	case FINS_FAL_READ:
		return answers_with(r, 18);
	default:
		return false;
	}
}

static bool parse_cycle_time(struct fins_request *r, struct bytes *b)
{
	uint8_t what;

	if (!bytes_u8(b, &what) || what > FINS_CYCLE_READ)
		return false;
	r->service |= what;
	return answers_with(r, what == FINS_CYCLE_READ ? 12 : 0);
}

static bool parse_laid_out(struct fins_request *r, uint16_t command, struct bytes *b)
{
	size_t n = b->left;

	bytes_skip(b, n);
	for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].command != command)
			continue;
		r->answer = layouts[i].answer;
		r->answer_max = layouts[i].answer_max;
		if ((command == FINS_RUN || command == FINS_STOP) && n == 1)
			return false;
		return n >= layouts[i].least && n <= layouts[i].most;
	}
	r->answer_max = FINS_ANSWER_MAX;
	return true;
}

static bool parse_data(struct fins_request *r, uint16_t command, struct bytes *b)
{
	switch (command) {
	case FINS_MEMORY_READ:
		return parse_read(r, b);
	case FINS_MEMORY_WRITE:
		return parse_write(r, b);
	case FINS_MEMORY_FILL:
		return parse_fill(r, b);
	case FINS_MULTIPLE_READ:
		return parse_list(r, b);
	case FINS_MEMORY_TRANSFER:
		return parse_transfer(r, b);
	case FINS_FILE_TO_MEMORY: {
		struct bytes again = *b;

		return parse_laid_out(r, command, &again) && parse_file(r, b);
	}
	case FINS_CYCLE_TIME:
		return parse_cycle_time(r, b);
	case FINS_ECHO: /* the answer repeats the data */
		return b->left > 0 && answers_with(r, (uint32_t)b->left) && bytes_skip(b, b->left);
	case FINS_MESSAGE:
		return parse_message(r, b);
	case FINS_FORCE:
		return parse_force(r, b);
	case FINS_FORCE_CANCEL: /* cancels all forced bits; CS and CJ have a program number */
		return b->left == 0 || (b->left == 2 && bytes_skip(b, 2));
	case FINS_FORCED_STATUS:
		return parse_forced_status(r, b);
	default:
		return parse_laid_out(r, command, b);
	}
}

void fins_request_parse(const struct fins_head *h, struct fins_request *ret)
{
	const struct function_info *f;
	struct bytes data = h->rest;

	ret->service = FINS_CODE(h->command, 0);
	ret->answer = ret->answer_max = 0;
	ret->n = 0;
	ret->like = (struct operation){
		.service = ret->service,
		.targets = { h->to.network, h->to.node, h->to.unit,
			     (uint32_t)h->from.network << 16 | (uint32_t)h->from.node << 8 | h->from.unit },
		.broadcast = h->to.node == NODE_ALL ? 1u << TARGET_NODE : 0,
		.space = SPACE_NONE,
	};
	ret->well_formed = parse_data(ret, h->command, &data) && bytes_done(&data);
	ret->due = FINS_DUE;
	if (h->silent || h->to.node == NODE_ALL || h->command == FINS_BROADCAST_TEST)
		ret->due = FINS_NEVER;
	else if (h->command == FINS_RESET)
		ret->due = FINS_MAY_COME;
	if (ret->n > 0)
		return;
	f = function_by_code(vocabulary_of(PROTO_FINS), ret->service);
	ret->operations[0] = ret->like;
	ret->operations[0].service = ret->service;
	ret->operations[0].place_unknown = f == NULL || f->untold != 0;
	ret->operations[0].values.form =
		(f == NULL || (f->untold & UNTOLD_VALUE) != 0) && changes(ret->service) ? VALUES_UNKNOWN : VALUES_NONE;
	ret->n = 1;
}

size_t fins_request_least(const struct fins_head *h)
{
	struct bytes b = h->rest;
	struct fins_place p;
	uint16_t n = 0;

	switch (h->command) {
	case FINS_MEMORY_READ:
	case FINS_FORCED_STATUS:
		return 6;
	case FINS_MEMORY_WRITE:
		return fins_place_parse(&b, &p) && bytes_be16(&b, &n) ? 6 + (size_t)n * p.size : 6;
	case FINS_MEMORY_FILL:
		return 8;
	case FINS_MULTIPLE_READ:
		return b.left - b.left % 4;
	case FINS_MEMORY_TRANSFER:
		return 10;
	case FINS_CYCLE_TIME:
		return 1;
	case FINS_MESSAGE:
		return 2;
	case FINS_FORCE:
		return bytes_be16(&b, &n) ? 2 + (size_t)n * 6u : 2;
	default:
		break;
	}
	for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].command == h->command)
			return layouts[i].least;
	return b.left;
}
