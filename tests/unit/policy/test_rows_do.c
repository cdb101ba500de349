/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row does what it says, or `check` warns. Random rows of every protocol are checked as text. If
 * `check` takes a row without a warning, some request passes it, and each of its keys decides some
 * request alone. If `check` says that a row allows nothing, no request passes it. Requests are made
 * from the tables of the vocabulary, without the evaluation of a whole row that `check` uses.
 * Random by a printed seed (SEKISHO_SEED); ROWS: how many a protocol.
 *
 * LINK: policy/check/%.c policy/read/parse.c policy/read/scan.c policy/read/lex.c
 * LINK: appliance/wire/evaluate.c appliance/wire/operation.c
 * LINK: appliance/wire/commands.c appliance/base/sha256.c policy/read/include.c
 * LINK: policy/read/bracket.c appliance/wire/notation.c appliance/wire/tag.c policy/read/csv.c
 * LINK: appliance/wire/hours.c appliance/wire/duty.c appliance/wire/plain.c appliance/base/addr.c
 * LINK: appliance/base/arena.c appliance/base/bytes.c appliance/base/diag.c
 * LINK: appliance/base/diag_print.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/wire/protocols.c appliance/base/utf8.c appliance/wire/vocabulary*.c dpi/%/words.c
 * LINK: appliance/wire/settings.c appliance/base/duration.c
 * LINK: appliance/wire/attack.c
 * LIBS: libconfig nettle
 */
#include "tests/unit/cmocka.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/wire/evaluate.h"
#include "appliance/wire/notation.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ranges.h"
#include "tests/unit/policy/policy_text.h"

uint64_t clock_wall_ns(void)
{
	return UINT64_C(1781524800) * 1000000000u;
}

static uint64_t state;

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % n;
}

/* ---- rows as text ---------------------------------------------------------------------------- */

static char policy[8192];
static size_t policy_n;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	policy_n += (size_t)vsnprintf(policy + policy_n, sizeof(policy) - policy_n, format, args);
	va_end(args);
	assert_true(policy_n < sizeof(policy));
}

/* A number up to `max`: small, at the end, or anywhere. */
static uint64_t draw_number(uint64_t max)
{
	uint64_t any = (uint64_t)draw(UINT32_MAX) << 31 ^ draw(UINT32_MAX);

	switch (draw(4)) {
	case 0:
		return max - (max < 3 ? 0 : draw(3));
	case 1:
		return max == UINT64_MAX ? any : any % (max + 1);
	default:
		return draw(20) % (max + 1);
	}
}

static void say_range(const struct notation *n, uint64_t lo, uint64_t hi)
{
	char text[NOTATION_TEXT];

	notation_text(n, (struct number_range){ lo, hi <= n->max ? hi : n->max }, text);
	for (char *c = strtok(text, ","); c != NULL; c = strtok(NULL, ","))
		say("\"%s\", ", c);
}

static void end_list(void)
{
	policy_n -= 2; /* the last comma */
	say("];");
}

static void draw_target(const struct vocabulary *v, unsigned target)
{
	struct notation n = notation_of_target(&v->targets[target]);

	say(" %s = [", v->targets[target].key);
	for (unsigned i = 1 + draw(2); i > 0; i--) {
		uint64_t lo = draw_number(n.max), hi = lo;
		const struct reach_info *r = v->n_reaches > 0 ? &v->reaches[draw(v->n_reaches)] : NULL;

		if (draw(3) != 0 && r != NULL && r->target == target && r->lo <= r->hi && r->lo <= n.max)
			lo = hi = draw(2) != 0 ? r->lo : r->hi < n.max ? r->hi : n.max;
		else if (target < v->n_targets && draw(2) != 0)
			hi = lo + draw(5);
		say_range(&n, lo, hi);
	}
	end_list();
}

static void draw_space(const struct vocabulary *v, unsigned space, bool valued)
{
	const struct space_info *s = &v->spaces[space];
	struct notation n = notation_of_space(s);
	uint64_t lo = draw_number(n.max), hi = lo;

	say(" %s = [", s->key);
	if (s->named && s->digits > 0) {
		for (unsigned i = 0; i < s->digits; i++)
			say("%s%x%s", i == 0 ? "\"" : "", draw(16), i + 1u == s->digits ? "\", " : "");
	} else if (s->named) {
		say("\"Tag%u\", ", draw(100));
	} else if (s->value_sizes != 0 && valued) {
		unsigned size = draw(8);

		while ((s->value_sizes >> size & 1u) == 0)
			size = draw(8);
		lo = size >= 3 ? lo / 8 * 8 : lo;
		lo = s->address_max - lo < (1u << size) - 1u ? 0 : lo;
		say_range(&n, lo, lo + (1u << size) - 1u);
	} else {
		hi = draw(2) != 0 ? lo + draw(40) : lo;
		say_range(&n, lo, hi < lo ? lo : hi);
	}
	end_list();
}

static void draw_values(const struct vocabulary *v)
{
	uint64_t lo = draw_number(v->value_max);
	struct notation n = { .max = v->value_max, .n = 1 };

	say(" values = [");
	switch (draw(8)) {
	case 0:
		say("\"-%u-%u\", ", 1 + draw(100), draw(100));
		break;
	case 1:
		say("\"%u.5-%u.25\", ", draw(100), 100 + draw(100));
		break;
	case 2:
		say("-%u, ", 1 + draw(1000));
		break;
	default:
		say_range(&n, lo, lo + draw(3));
	}
	end_list();
}

static void draw_row(const struct vocabulary *v)
{
	static const char *const words[] = { "read", "write", "control", "program", "diagnose" };
	bool valued = draw(3) == 0;

	policy_n = 0;
	say("language_version = 1;\nzones = { a = { interfaces = [\"lan0\"]; networks = [\"10.1.0.0/16\"]; };"
	    " b = { interfaces = [\"lan1\"]; networks = [\"10.2.0.0/16\"]; }; };\n"
	    "services = { s = { protocol = \"%s\"; allow = ( {",
	    protocol_info(v->protocol)->name);
	if (draw(2) != 0) {
		say(" functions = [");
		for (unsigned i = 1 + draw(3); i > 0; i--)
			if (draw(8) != 0)
				say("\"%s\", ", v->functions[draw(v->n_functions)].name);
			else
				say("%" PRIu64 ", ", draw_number(v->code_max < INT32_MAX ? v->code_max : INT32_MAX));
		end_list();
	}
	if (draw(2) != 0) {
		say(" commands = [");
		for (unsigned i = 1 + draw(3); i > 0; i--)
			say("\"%s\", ", words[draw(5)]);
		end_list();
	}
	for (unsigned i = 0; i < v->n_targets; i++)
		if (draw(4) == 0)
			draw_target(v, i);
	for (unsigned i = draw(3), last = UINT32_MAX, s; i > 0; i--) {
		s = draw(v->n_spaces);
		if (s != last)
			draw_space(v, s, valued);
		last = s;
		if (draw(3) != 0)
			break;
	}
	if (valued)
		draw_values(v);
	say(" } ); }; };\nconduits = ( { name = \"c\"; from = \"a\"; to = \"b\"; services = [\"s\"]; purpose = \"p\";"
	    " owner = \"o\"; review_by = \"2099-03-31\"; } );\n");
}

/* ---- requests -------------------------------------------------------------------------------- */

static const struct vocabulary *v;
static const struct command_table *table;

static bool is_in(const struct number_set *s, const struct reach_info *r, uint64_t n)
{
	return s->any ? !r->named : number_in(table, s, n);
}

/* A number within `r` that the set has (or lacks, if not `inside`). */
static bool number_of_reach(const struct number_set *s, const struct reach_info *r, bool inside, uint64_t *ret)
{
	uint64_t tries[3] = { r->lo, r->hi, r->lo + (r->hi - r->lo) / 2 };

	for (unsigned i = 0; i < 3; i++)
		if (is_in(s, r, *ret = tries[i]) == inside)
			return true;
	for (uint32_t k = 0; k < s->n; k++) {
		const struct number_range *at = &table->ranges[s->first + k];
		uint64_t ends[4] = { at->lo, at->hi, at->lo - 1u, at->hi + 1u };

		for (unsigned i = 0; i < 4; i++)
			if (ends[i] >= r->lo && ends[i] <= r->hi && is_in(s, r, *ret = ends[i]) == inside)
				return true;
	}
	return false;
}

/* A number of the target that requests of the code have. False: there is none, or (`inside`) the
 * requests have none; *ret_idle then. */
static bool target_number(uint32_t code, unsigned target, uint64_t max, const struct number_set *s, bool inside,
			  uint64_t *ret, bool *ret_named, bool *ret_idle)
{
	bool told = false;
	struct reach_info all = { .lo = 0, .hi = (uint32_t)(max < UINT32_MAX ? max : UINT32_MAX) };

	*ret_idle = *ret_named = false;
	*ret = 0;
	for (unsigned i = 0; i < v->n_reaches; i++) {
		const struct reach_info *r = &v->reaches[i];

		if (r->target != target || code < r->first || code > r->last)
			continue;
		if (r->lo > r->hi) {
			*ret_idle = true;
			return inside;
		}
		told = true;
		*ret_named = r->named;
		if (number_of_reach(s, r, inside, ret))
			return true;
	}
	*ret_named = false;
	return !told && number_of_reach(s, &all, inside, ret);
}

enum { KEY_NONE = -1, KEY_VALUES = TARGET_MAX, KEY_SPACE };

/* Sets the targets of a request of this code so that the row allows all but `outside`. */
static bool set_targets(struct operation *o, const struct command_row *row, int outside)
{
	for (unsigned i = 0; i < v->n_targets; i++) {
		uint64_t n;
		bool named, idle;

		if (!target_number(o->service, i, v->targets[i].max, &row->targets[i], (int)i != outside, &n, &named,
				   &idle))
			return false;
		o->targets[i] = (uint32_t)n;
		o->broadcast |= (uint8_t)(named << i);
		o->idle |= (uint8_t)(idle << i);
	}
	return true;
}

static bool writes(const struct function_info *f)
{
	for (unsigned i = 0; i < v->n_reaches && f != NULL; i++)
		if (v->reaches[i].target == REACH_VALUES && f->code >= v->reaches[i].first &&
		    f->code <= v->reaches[i].last)
			return v->reaches[i].lo <= v->reaches[i].hi;
	return f == NULL || (f->untold & UNTOLD_VALUE) != 0 ||
	       ((f->classes & (CLASS_WRITE | CLASS_CONTROL)) != 0 && f->spaces != 0);
}

/* Whether the row judges the request as expected: it passes, or is refused only by the key. */
static bool judged(const struct command_row *row, const struct operation *o, int key, uint8_t space)
{
	struct command_row without = *row;
	uint32_t at;
	uint8_t which;

	(void)space;
	if (key == KEY_NONE)
		return evaluate_row(table, row, o, 1, &at, &which) == REFUSED_NOT;
	if (key == KEY_SPACE) {
		without.spaces_any = true;
		without.n_spaces = 0;
	} else if (key == KEY_VALUES) {
		without.values.any = true;
	} else {
		without.targets[key].any = true;
		without.targets[key].n = 0;
	}
	if (evaluate_row(table, row, o, 1, &at, &which) == REFUSED_NOT)
		return false;
	if (key < (int)TARGET_MAX) { /* every number of the target is named */
		struct operation named = *o;

		named.broadcast &= (uint8_t) ~(1u << key);
		return evaluate_row(table, &without, &named, 1, &at, &which) == REFUSED_NOT;
	}
	return evaluate_row(table, &without, o, 1, &at, &which) == REFUSED_NOT;
}

/* Tries requests of the function at addresses from `first` on. */
static bool some_value(const struct command_row *row, const struct function_info *f, struct operation o, int key)
{
	uint64_t value, max = o.space != SPACE_NONE && v->spaces[o.space].bits ? 1 : v->value_max;
	bool named, idle;

	if (o.value_size > 0 && o.value_size < 32)
		max = (1u << o.value_size) - 1u;
	if (f != NULL && (f->untold & UNTOLD_AT_TIMES) != 0 && key == KEY_VALUES) {
		o.values.form = VALUES_UNKNOWN;
		return judged(row, &o, key, o.space);
	}
	if (!writes(f))
		return key != KEY_VALUES && judged(row, &o, key, o.space);
	if (f == NULL || (f->untold & UNTOLD_VALUE) != 0) {
		o.values.form = VALUES_UNKNOWN;
		return judged(row, &o, key, o.space);
	}
	if (!target_number(o.service, REACH_VALUES, max, &row->values, key != KEY_VALUES, &value, &named, &idle))
		return false;
	if (!idle && f->spaces != 0)
		o.values = (struct values){ VALUES_BETWEEN, 1, .lo = value, .hi = value };
	return judged(row, &o, key, o.space);
}

static bool some_place(const struct command_row *row, const struct function_info *f, struct operation o, uint8_t s,
		       int key)
{
	const struct space_info *info = &v->spaces[s];
	const struct number_set *places = row->spaces_any ? NULL : row_space(table, row, s);
	uint32_t n = places != NULL ? places->n : 1;

	o.space = s;
	for (uint32_t i = 0; i < n; i++) {
		struct number_range r = places != NULL ? table->ranges[places->first + i]
						       : (struct number_range){ 0, info->address_max };
		uint64_t starts[4] = { r.lo, r.hi, r.hi + 1u, r.lo - 1u }, most;

		for (unsigned k = 0; k < 4; k++) {
			if (starts[k] > info->address_max || (places == NULL && row->spaces_any == (key == KEY_SPACE)))
				continue;
			o.first = starts[k];
			most = info->address_max - o.first + 1u;
			o.count = function_least(v, f, s);
			o.count = o.count < most ? o.count : most;
			if ((info->value_sizes == 0 || row->values.any || !writes(f)) && some_value(row, f, o, key))
				return true;
			for (unsigned size = 0; size < 8 && info->value_sizes != 0; size++) {
				o.count = o.value_size = 1u << size;
				if ((info->value_sizes >> size & 1u) != 0 && o.count <= most &&
				    (!row->values.any || key == KEY_SPACE) && some_value(row, f, o, key))
					return true;
			}
			o.value_size = 0;
		}
	}
	/* an address of a space that the row does not name */
	if (key == KEY_SPACE && places == NULL) {
		o.first = 0;
		o.count = function_least(v, f, s);
		return some_value(row, f, o, key);
	}
	return false;
}

/* Whether some request of the code passes the row; with a key: is refused by that key alone. */
static bool some_request(const struct command_row *row, const struct function_info *f, uint32_t code, int key)
{
	unsigned untold = f != NULL ? f->untold : UNTOLD_PLACE | UNTOLD_VALUE;
	struct operation o = { .service = code, .space = SPACE_NONE };

	if (f != NULL && f->classes == 0)
		return false;
	if (!set_targets(&o, row, key))
		return false;
	if ((untold & UNTOLD_PLACE) != 0 || (key == KEY_SPACE && (untold & UNTOLD_AT_TIMES) != 0)) {
		o.place_unknown = true;
		return some_value(row, f, o, key);
	}
	if (f->spaces == 0)
		return some_value(row, f, o, key);
	for (uint8_t s = 0; s < v->n_spaces; s++)
		if ((f->spaces >> s & 1u) != 0 && some_place(row, f, o, s, key))
			return true;
	return false;
}

static bool some_code(const struct command_row *row, int key)
{
	for (unsigned i = 0; i < v->n_functions; i++) {
		const struct function_info *f = &v->functions[i];

		for (uint32_t r = 0; r < row->services.n; r++) {
			const struct number_range *codes = &table->ranges[row->services.first + r];
			uint64_t code = codes->lo > f->code ? codes->lo : f->code;

			if (code <= codes->hi && code <= f->last && some_request(row, f, (uint32_t)code, key))
				return true;
		}
	}
	for (uint32_t r = 0; r < row->services.n; r++) {
		const struct number_range *codes = &table->ranges[row->services.first + r];

		for (uint64_t code = codes->lo; code <= codes->hi;) {
			const struct function_info *f = function_by_code(v, (uint32_t)code);

			if (f == NULL && code >= v->code_first && code <= v->code_last &&
			    some_request(row, NULL, (uint32_t)code, key))
				return true;
			if (f == NULL)
				break;
			code = (uint64_t)f->last + 1u;
		}
	}
	return false;
}

/* ---- the property ---------------------------------------------------------------------------- */

static struct policy_text t;

static bool warned_of(const char *words)
{
	for (size_t i = 0; i < t.c.diags.n; i++)
		if (strcmp(t.c.diags.list[i]->code, "policy.no_effect") == 0 &&
		    (words == NULL || strstr(t.c.diags.list[i]->text[LANG_EN], words) != NULL))
			return true;
	return false;
}

static void failed(const char *what, const char *key)
{
	diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
	fail_msg("%s %s: %s", what, key, policy);
}

/* Whether the limit excludes no number at all that requests have, so that it says "all". */
static bool says_all(const struct command_row *row, int key)
{
	const struct number_set *limit = key == KEY_VALUES ? &row->values : &row->targets[key];
	uint64_t max = key == KEY_VALUES ? v->value_max : v->targets[key].max, n, width = 0;
	bool named, idle, told = false;

	for (uint32_t i = 0; i < row->n_spaces && key == KEY_VALUES; i++) {
		const struct space_set *s = &table->spaces[row->first_space + i];

		for (uint32_t k = 0; k < s->numbers.n && v->spaces[s->space].value_sizes != 0; k++) {
			const struct number_range *r = &table->ranges[s->numbers.first + k];
			uint64_t most = r->hi - r->lo < 31 ? (UINT64_C(2) << (r->hi - r->lo)) - 1u : UINT32_MAX;

			width = width == 0 || most > width ? most : width;
		}
	}
	max = width > 0 ? width : max;
	for (unsigned i = 0; i < v->n_functions; i++) {
		const struct function_info *f = &v->functions[i];
		bool bits = key == KEY_VALUES;

		for (uint8_t space = 0; space < v->n_spaces; space++)
			bits = bits && (v->spaces[space].bits || (f->spaces >> space & 1u) == 0 ||
					(!row->spaces_any && row_space(table, row, space) == NULL));
		if (!number_in(table, &row->services, f->code) ||
		    target_number(f->code, (unsigned)key, bits ? 1 : max, limit, false, &n, &named, &idle) || idle)
			continue;
		told = true;
	}
	return told;
}

static void row_does(const struct command_row *row)
{
	if (!some_code(row, KEY_NONE))
		failed("nothing passes", "");
	for (unsigned i = 0; i < v->n_targets; i++)
		if (strstr(policy, v->targets[i].key) != NULL && !row->targets[i].any && !some_code(row, (int)i) &&
		    !says_all(row, (int)i))
			failed("does nothing:", v->targets[i].key);
	if (!row->spaces_any && !some_code(row, KEY_SPACE))
		failed("does nothing:", "addresses");
	if (!row->values.any && !some_code(row, KEY_VALUES) && !says_all(row, KEY_VALUES))
		failed("does nothing:", "values");
}

static void rows_do_what_they_say(void **unused)
{
	const char *given = getenv("SEKISHO_SEED"), *many = getenv("ROWS");
	uint64_t rows = many != NULL ? strtoull(many, NULL, 10) : 400;

	(void)unused;
	state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	state += state == 0;
	print_message("SEKISHO_SEED=%" PRIu64 "\n", state);
	for (unsigned p = 0; p < PROTO_COUNT; p++) {
		uint64_t good = 0, warned = 0, refused = 0;

		v = vocabulary_of((enum protocol)p);
		for (uint64_t i = 0; i < rows && v != NULL; i++) {
			struct memory_text text = { "site.cfg", policy };

			draw_row(v);
			policy_text_begin(&t, &text, 1);
			if (!policy_check(&t.c, &t.loader, "site.cfg")) {
				refused++;
			} else {
				const struct command_row *row = &t.c.model->services[0].allows[0].row;

				table = &t.c.model->rows.t;
				warned += warned_of(NULL);
				good += !warned_of(NULL);
				if (!warned_of(NULL))
					row_does(row);
				else if (warned_of("allows nothing") && some_code(row, KEY_NONE))
					failed("something passes", "");
			}
			policy_text_end(&t);
		}
		if (v == NULL)
			continue;
		print_message("%s: %" PRIu64 " do what they say, %" PRIu64 " warned of, %" PRIu64 " refused\n",
			      protocol_info(v->protocol)->name, good, warned, refused);
		assert_true(good > rows / 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_do_what_they_say) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
