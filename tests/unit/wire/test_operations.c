/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the evaluator with a plain reading of what rows mean, and its statements about rows with
 * every operation that exists: for random rows of invented protocols that have so few addresses,
 * values and codes that all can be tried.
 * LINK: appliance/wire/evaluate.c appliance/wire/operation.c appliance/wire/commands.c
 * LINK: appliance/wire/protocols.c
 * LINK: appliance/wire/vocabulary*.c dpi/%/words.c appliance/wire/settings.c appliance/base/bytes.c
 * LINK: appliance/base/sha256.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/evaluate.h"

#define ROUNDS 3000u
#define CODES 24u /* from 0x04010000 on: codes of 32 bits */
#define CODE_0 0x04010000u
#define ADDRESSES 4u
#define ADDRESS_0 0x100000000ull /* of 64 bits */
#define VALUES 3u
#define TARGETS 3u
#define SPACES 5u

static uint32_t state;

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

/* ---- a protocol ------------------------------------------------------------------------------ */

static struct function_info functions[8];
static struct least_info leasts[8];
static struct space_info spaces[SPACES];
static const struct target_info targets[2] = { { .key = "networks", .max = TARGETS - 1 },
					       { .key = "stations", .max = TARGETS - 1 } };
static struct vocabulary words = { .protocol = PROTO_MODBUS,
				   .functions = functions,
				   .leasts = leasts,
				   .targets = targets,
				   .n_targets = 2,
				   .spaces = spaces,
				   .n_spaces = SPACES,
				   .value_max = VALUES - 1,
				   .code_max = UINT32_MAX,
				   .refused = { R_MODBUS_FUNCTION, R_MODBUS_UNIT, R_MODBUS_ADDRESS, R_MODBUS_VALUE } };

static void draw_words(void)
{
	uint32_t code = CODE_0;
	bool sizes = false;

	words.code_first = CODE_0 + draw(3);
	words.code_last = CODE_0 + CODES - 1 - draw(3);
	words.n_functions = words.n_leasts = 0;
	for (unsigned s = 0; s < SPACES; s++)
		spaces[s] = (struct space_info){ .key = "space",
						 .address_max = draw(2) != 0 ? INT64_MAX : ADDRESS_0 + ADDRESSES - 1,
						 .bits = draw(2) != 0,
						 .value_sizes = draw(3) != 0 ? 0 : (uint8_t)(1 + 2 * draw(2)) };
	for (unsigned s = 0; s < SPACES; s++)
		sizes = sizes || spaces[s].value_sizes != 0;
	while (words.n_functions < 8 && (code += draw(4)) < CODE_0 + CODES) {
		struct function_info *f = &functions[words.n_functions++];

		*f = (struct function_info){ .code = code,
					     .last = code + draw(3),
					     .name = "f",
					     .classes = 1u + draw(CLASS_ALL),
					     .spaces = draw(3) != 0 ? draw(1u << SPACES) : 0,
					     .untold = draw(2) != 0 ? 0 : draw(4) };
		code = f->last + 1;
		if (((f->classes & CLASS_WRITE) == 0 || !sizes) && draw(2) != 0)
			leasts[words.n_leasts++] = (struct least_info){ f->code, 1 + draw(4), draw(2) != 0 };
	}
}

/* ---- a permit -------------------------------------------------------------------------------- */

#define ROWS 3u

static struct number_range ranges[512];
static struct space_set sets[ROWS * SPACES];
static struct command_row rows[ROWS];
static struct command_grant grants[ROWS];
static struct command_permit permit;
static struct command_table table = {
	.permits = &permit, .n_permits = 1, .grants = grants, .rows = rows, .spaces = sets, .ranges = ranges
};
static const struct allowance by = { &table, &permit, &words };

/* Includes each number above `first` with a chance of `some` in four; the ranges may touch. */
static struct number_set draw_set(uint64_t first, uint32_t n, uint32_t some)
{
	struct number_set s = { .first = table.n_ranges };

	for (uint32_t i = 0; i < n; i++) {
		if (draw(4) >= some)
			continue;
		if (s.n > 0 && ranges[table.n_ranges - 1].hi == first + i - 1 && draw(2) != 0) {
			ranges[table.n_ranges - 1].hi++;
			continue;
		}
		ranges[table.n_ranges++] = (struct number_range){ first + i, first + i };
		s.n++;
	}
	s.first = s.n > 0 ? s.first : 0;
	return s;
}

static void draw_row(struct command_row *row)
{
	static const struct number_set any = { .any = true };

	*row = (struct command_row){ .services = draw(8) == 0 ? any : draw_set(CODE_0, CODES, 1 + draw(3)),
				     .values = draw(2) != 0 ? any : draw_set(0, VALUES, draw(4)),
				     .spaces_any = draw(3) == 0,
				     .first_space = table.n_spaces };
	for (unsigned k = 0; k < TARGET_MAX; k++)
		row->targets[k] = k >= words.n_targets || draw(2) != 0 ? any : draw_set(0, TARGETS, draw(4));
	for (uint8_t s = 0; s < SPACES && !row->spaces_any; s++) {
		struct number_set set = draw_set(ADDRESS_0, ADDRESSES, draw(4));

		if (set.n == 0)
			continue;
		sets[table.n_spaces++] = (struct space_set){ s, set };
		row->n_spaces++;
	}
}

static void draw_permit(void)
{
	table.n_ranges = table.n_spaces = 0;
	table.n_rows = table.n_grants = permit.n_grants = 1 + draw(ROWS);
	for (uint32_t i = 0; i < table.n_rows; i++) {
		draw_row(&rows[i]);
		grants[i] = (struct command_grant){ .protocol = (uint16_t)(draw(6) != 0 ? PROTO_MODBUS : PROTO_SSH),
						    .whole = draw(20) == 0,
						    .shadow = draw(8) == 0,
						    .first_row = i,
						    .n_rows = 1 };
		if (grants[i].whole)
			grants[i].n_rows = grants[i].first_row = 0;
	}
}

/* ---- operations, and what rows mean to them -------------------------------------------------- */

static struct operation draw_operation(uint8_t group, uint8_t written[8])
{
	struct operation o = { .service = CODE_0 + draw(CODES),
			       .targets = { draw(TARGETS), draw(TARGETS) },
			       .broadcast = draw(4) != 0 ? 0 : (uint8_t)draw(4),
			       .group = group,
			       .space = draw(4) != 0 ? (uint8_t)draw(SPACES) : SPACE_NONE,
			       .place_unknown = draw(8) == 0 };
	static const enum values_form forms[] = { VALUES_NONE,	VALUES_UNKNOWN, VALUES_BITS,  VALUES_U8,
						  VALUES_U16BE, VALUES_U16LE,	VALUES_U32BE, VALUES_U32LE };

	o.first = ADDRESS_0 + draw(ADDRESSES);
	o.count = 1 + draw(2);
	for (unsigned i = 0; i < 8; i++)
		written[i] = 0;
	o.values = values_at(forms[draw(8)], 1 + draw(2), bytes_of(written, 8));
	if (o.space != SPACE_NONE && spaces[o.space].value_sizes != 0 && o.values.form != VALUES_NONE) {
		o.value_size = 1 + draw(2);
		o.count = (uint64_t)o.values.n * o.value_size;
	}
	/* small numbers in any form */
	written[0] = (uint8_t)draw(VALUES);
	if (o.values.form == VALUES_U16BE || o.values.form == VALUES_U32BE)
		for (uint32_t k = 0; k < o.values.n; k++) {
			size_t each = o.values.form == VALUES_U16BE ? 2 : 4;

			written[0] = 0;
			written[each * (k + 1) - 1] = (uint8_t)draw(VALUES);
		}
	return o;
}

static bool within(const struct number_set *s, uint64_t v)
{
	bool found = s->any;

	for (uint32_t i = 0; i < s->n; i++)
		found = found || (v >= ranges[s->first + i].lo && v <= ranges[s->first + i].hi);
	return found;
}

/* If clients state the width of a value: whether the row names exactly the addresses of each
 * written value. */
static bool each_is_named(const struct command_row *row, const struct operation *o)
{
	for (uint64_t a = o->first; o->value_size > 0 && a < o->first + o->count; a += o->value_size) {
		bool found = false;

		for (uint32_t i = 0; !row->spaces_any && i < row->n_spaces; i++) {
			const struct space_set *s = &sets[row->first_space + i];

			for (uint32_t k = 0; s->space == o->space && k < s->numbers.n; k++)
				found = found || (ranges[s->numbers.first + k].lo == a &&
						  ranges[s->numbers.first + k].hi == a + o->value_size - 1u);
		}
		if (!found)
			return false;
	}
	return true;
}

/* The meaning of a row, written straight from the language reference. */
static bool row_means(const struct command_row *row, const struct operation *o)
{
	bool good = within(&row->services, o->service);

	for (unsigned k = 0; k < TARGET_MAX; k++)
		good = good && within(&row->targets[k], o->targets[k]) &&
		       !(row->targets[k].any && (o->broadcast >> k & 1u) != 0);
	if (!row->spaces_any) {
		good = good && !o->place_unknown;
		for (uint64_t a = o->first; o->space != SPACE_NONE && a < o->first + o->count; a++) {
			bool found = false;

			for (uint32_t i = 0; i < row->n_spaces; i++)
				found = found || (sets[row->first_space + i].space == o->space &&
						  within(&sets[row->first_space + i].numbers, a));
			good = good && found;
		}
	}
	if (!row->values.any) {
		good = good && (o->values.form == VALUES_NONE || each_is_named(row, o));
		good = good && o->values.form != VALUES_UNKNOWN;
		for (uint32_t k = 0;
		     o->values.form != VALUES_NONE && o->values.form != VALUES_UNKNOWN && k < o->values.n; k++)
			good = good && within(&row->values, operation_value(&o->values, k));
	}
	return good;
}

static bool permit_means(const struct operation *o, uint32_t n)
{
	for (uint32_t first = 0, end; first < n; first = end) {
		bool allowed = false;

		for (end = first; end < n && o[end].group == o[first].group;)
			end++;
		for (uint32_t g = 0; g < permit.n_grants; g++) {
			bool all = grants[g].protocol == PROTO_MODBUS && !grants[g].shadow;

			for (uint32_t i = first; i < end && !grants[g].whole; i++)
				all = all && row_means(&rows[grants[g].first_row], &o[i]);
			allowed = allowed || all;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static void operations_are_judged(void **unused)
{
	unsigned allowed = 0, all = 0;

	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		draw_words();
		draw_permit();
		for (unsigned k = 0; k < 100; k++, all++) {
			uint8_t written[3][8];
			struct operation o[3];
			uint32_t n = 1 + draw(3);
			struct ruling r;
			struct limit l;

			for (uint32_t x = 0; x < n; x++)
				o[x] = draw_operation((uint8_t)(x == 0 ? 0 : o[x - 1].group + draw(2)), written[x]);
			evaluate(&by, o, n, &r);
			assert_int_equal(r.refusal == REFUSED_NOT, permit_means(o, n));
			assert_int_equal(r.reason == R_ALLOWED, r.refusal == REFUSED_NOT);
			assert_true(r.operation < n);
			evaluate_limit(&by, o, &r, &l);
			assert_true(l.what == LIMIT_NONE || r.refusal != REFUSED_NOT);
			allowed += r.refusal == REFUSED_NOT;
		}
	}
	print_message("%u of %u allowed\n", allowed, all);
	assert_true(allowed > all / 100 && allowed < all / 2);
}

/* The stored form of an operation is judged like the operation itself. */
static void what_is_kept_is_judged_alike(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 30 * ROUNDS; i++) {
		uint8_t written[8];
		struct operation o, kept;
		struct ruling a, b;

		if (i % 30 == 0) {
			draw_words();
			draw_permit();
		}
		o = draw_operation(0, written);
		evaluate(&by, &o, 1, &a);
		kept = operation_kept(&o);
		/* the stored form must not refer to these bytes */
		memset(written, 0xff, sizeof(written));
		evaluate(&by, &kept, 1, &b);
		assert_int_equal(a.refusal, b.refusal);
		assert_int_equal(a.choice, b.choice);
	}
}

/* ---- what a row lets through at all ---------------------------------------------------------- */

/* Whether the operation passes as it is, or with a value of any size that the space has. */
static bool passes(const struct command_row *row, struct operation o)
{
	uint8_t which;
	unsigned sizes = o.space != SPACE_NONE ? spaces[o.space].value_sizes : 0;
	uint32_t at;

	if (sizes == 0 || o.values.form != VALUES_BETWEEN)
		return evaluate_row(&table, row, &o, 1, &at, &which) == REFUSED_NOT;
	for (unsigned n = 0; n < 2; n++) {
		o.count = o.value_size = 1u << n;
		if ((sizes >> n & 1u) != 0 && o.values.hi >> o.count == 0 &&
		    evaluate_row(&table, row, &o, 1, &at, &which) == REFUSED_NOT)
			return true;
	}
	return false;
}

/* Whether any form of an operation passes that the vocabulary lists for this code. */
static bool some_passes(const struct command_row *row, uint32_t code)
{
	const struct function_info *f = function_by_code(&words, code);
	unsigned untold = f != NULL ? f->untold : UNTOLD_PLACE | UNTOLD_VALUE;
	bool writes = f != NULL && (f->classes & CLASS_WRITE) != 0 && f->spaces != 0;

	for (uint32_t target = 0; target < TARGETS * TARGETS; target++)
		for (uint8_t s = 0; s <= SPACES; s++)
			for (uint64_t a = 0; a < ADDRESSES; a++)
				for (uint64_t v = 0; v < VALUES; v++) {
					struct operation o = { .service = code,
							       .targets = { target % TARGETS, target / TARGETS },
							       .place_unknown = (untold & UNTOLD_PLACE) != 0,
							       .space = s < SPACES ? s : SPACE_NONE,
							       .first = ADDRESS_0 + a,
							       .count = 1 };
					uint64_t touched = f != NULL ? f->spaces : 0;
					uint64_t left = s < SPACES ? spaces[s].address_max - o.first + 1u : 1;

					if (f != NULL && s < SPACES)
						o.count = function_least(&words, f, s);
					o.count = o.count < left ? o.count : left;

					if (s < SPACES ? (touched >> s & 1u) == 0 : touched != 0)
						continue;
					if ((untold & UNTOLD_VALUE) != 0)
						o.values.form = VALUES_UNKNOWN;
					else if (writes && s < SPACES &&
						 !(spaces[s].bits && spaces[s].value_sizes == 0 && v > 1))
						o.values = (struct values){ VALUES_BETWEEN, 1, .lo = v, .hi = v };
					else if (writes)
						continue;
					if (passes(row, o))
						return true;
				}
	return false;
}

static void rows_let_through_what_is_said(void **unused)
{
	unsigned passing = 0;

	(void)unused;
	for (unsigned i = 0; i < ROUNDS / 10; i++) {
		unsigned classes = 1u + draw(CLASS_ALL);
		uint32_t first = UINT32_MAX, told;

		draw_words();
		table.n_ranges = table.n_spaces = 0;
		draw_row(&rows[0]);
		for (uint32_t code = CODE_0; code < CODE_0 + CODES; code++) {
			const struct function_info *f = function_by_code(&words, code);
			struct number_range one = { code, code };
			bool real = code >= words.code_first && code <= words.code_last;
			bool some = real && some_passes(&rows[0], code);

			assert_int_equal(evaluate_passes(&table, &rows[0], &words, one, CLASS_ALL, &told), some);
			passing += some;
			if (some && first == UINT32_MAX && (f == NULL || (f->classes & classes) != 0))
				first = code;
		}
		assert_int_equal(evaluate_passes(&table, &rows[0], &words, (struct number_range){ 0, UINT32_MAX },
						 classes, &told),
				 first != UINT32_MAX);
		if (first != UINT32_MAX)
			assert_int_equal(told, first);
	}
	assert_true(passing > ROUNDS / 10);
}

/* The list of codes that pass, range by range, has each such code once. */
static void runs_of_codes(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool named[CODES] = { false };
		struct number_range rest = { 0, UINT32_MAX };
		uint32_t code;

		draw_words();
		table.n_ranges = table.n_spaces = 0;
		draw_row(&rows[0]);
		while (rest.lo <= rest.hi && evaluate_passes(&table, &rows[0], &words, rest, CLASS_ALL, &code)) {
			uint32_t to = evaluate_passes_to(&table, &rows[0], &words, code);

			assert_true(code >= rest.lo && to >= code && to <= words.code_last);
			for (uint32_t c = code; c <= to; c++)
				named[c - CODE_0] = true;
			rest.lo = (uint64_t)to + 1;
		}
		for (uint32_t c = 0; c < CODES; c++)
			assert_int_equal(named[c], evaluate_passes(&table, &rows[0], &words,
								   (struct number_range){ CODE_0 + c, CODE_0 + c },
								   CLASS_ALL, &code));
	}
}

/* The largest possible numbers: nothing overflows. */
static void the_widest_numbers(void **unused)
{
	struct operation o = { .service = UINT32_MAX, .space = 63, .first = UINT64_MAX - 1, .count = 1 };
	struct ruling r;

	(void)unused;
	table.n_ranges = table.n_spaces = 0;
	permit.n_grants = table.n_grants = table.n_rows = 1;
	grants[0] = (struct command_grant){ .protocol = PROTO_MODBUS, .n_rows = 1 };
	ranges[0] = (struct number_range){ 0xffff0000u, UINT32_MAX };
	ranges[1] = (struct number_range){ UINT64_MAX - 1, UINT64_MAX };
	sets[0] = (struct space_set){ 63, { .first = 1, .n = 1 } };
	rows[0] = (struct command_row){ .services = { .first = 0, .n = 1 }, .n_spaces = 1, .values.any = true };
	for (unsigned k = 0; k < TARGET_MAX; k++)
		rows[0].targets[k].any = true;
	evaluate(&by, &o, 1, &r);
	assert_int_equal(r.refusal, REFUSED_NOT);
	o.count = 2;
	evaluate(&by, &o, 1, &r);
	assert_int_equal(r.refusal, REFUSED_NOT);
	o.first--;
	evaluate(&by, &o, 1, &r);
	assert_int_equal(r.refusal, REFUSED_PLACE);
	o = (struct operation){
		.service = UINT32_MAX, .space = 63, .first = 5, .count = UINT64_MAX
	}; /* an operation that the vocabulary does not permit */
	evaluate(&by, &o, 1, &r);
	assert_int_equal(r.refusal, REFUSED_PLACE);
}

/* Rows with names have the parts of these names. Codes that belong to every use need a row, but no
 * word in it. */
static void parts_and_sessions(void **unused)
{
	struct number_range numbers[] = { { 70, 70 }, { 9, 9 } };
	struct space_set space = { .space = 0, .numbers = { .first = 0, .n = 1 } };
	struct command_row row = { .services = { .first = 1, .n = 1 }, .values.any = true, .n_spaces = 1 };
	struct command_grant grant = { .protocol = PROTO_MODBUS, .n_rows = 1 };
	struct command_permit one = { .permit = 1, .n_grants = 1 };
	struct command_table t = { .permits = &one,
				   .n_permits = 1,
				   .grants = &grant,
				   .n_grants = 1,
				   .rows = &row,
				   .n_rows = 1,
				   .spaces = &space,
				   .n_spaces = 1,
				   .ranges = numbers,
				   .n_ranges = 2 };
	struct operation o = { .service = 9, .space = 0, .first = 5000, .count = 1, .within = { 60, 70 } };
	const struct allowance of = { &t, &one, &words };
	struct ruling ruling;

	(void)unused;
	words.code_first = 0;
	for (unsigned i = 1; i < TARGET_MAX; i++)
		row.targets[i].any = true;
	row.targets[0] = (struct number_set){ .first = 1, .n = 1 };
	o.targets[0] = 9;
	for (o.n_within = 0; o.n_within <= WITHIN_MAX; o.n_within++) {
		evaluate(&of, &o, 1, &ruling);
		assert_int_equal(ruling.refusal, o.n_within < 2 ? REFUSED_PLACE : REFUSED_NOT);
	}
	o = (struct operation){ .service = 8, .space = SPACE_NONE, .setup = true };
	evaluate(&of, &o, 1, &ruling);
	assert_int_equal(ruling.refusal, REFUSED_TARGET);
	o.idle = 1;
	evaluate(&of, &o, 1, &ruling);
	assert_int_equal(ruling.refusal, REFUSED_NOT);
	o.setup = false;
	evaluate(&of, &o, 1, &ruling);
	assert_int_equal(ruling.refusal, REFUSED_SERVICE);
	o.setup = true;
	one.n_grants = 0;
	evaluate(&of, &o, 1, &ruling);
	assert_int_equal(ruling.reason, R_MODBUS_FUNCTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_are_judged),
		cmocka_unit_test(what_is_kept_is_judged_alike),
		cmocka_unit_test(rows_let_through_what_is_said),
		cmocka_unit_test(runs_of_codes),
		cmocka_unit_test(the_widest_numbers),
		cmocka_unit_test(parts_and_sessions),
	};
	const char *given = getenv("SEED");

	state = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL) | 1u;
	printf("seed %u\n", state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
