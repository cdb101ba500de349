/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/space/differ.c policy/space/differ_place.c
 * LINK: policy/space/row_sets.c policy/ir/carry.c
 * LIBS: nettle
 */
/* Tests the differences between two policies with known answers. tests/drawn/mutants compares them
 * with the reference. */
#include "tests/unit/cmocka.h"

#include "policy/space/differ.h"
#include "tests/unit/policy/model_make.h"

#define NOW 1000u

/* One Modbus conduit from tos to crane, which each test changes. */
struct site {
	struct model_maker k;
	struct model_service *plc;
	struct model_conduit *c;
};

static void site_make(struct site *s, const char *conduit, const char *sources)
{
	struct model_zone *tos, *crane;

	maker_init(&s->k);
	maker_interface(&s->k, "lan1");
	maker_interface(&s->k, "lan2");
	tos = maker_zone(&s->k, "tos", "lan1", "10.20.0.0/24");
	crane = maker_zone(&s->k, "crane", "lan2", "10.30.0.0/24");
	s->plc = maker_service(&s->k, "plc", PROTO_MODBUS, "tcp/502");
	s->c = maker_conduit(&s->k, conduit, tos, crane, sources, "10.30.0.10", s->plc);
}

static struct site old, new;

static int begin(void **state)
{
	(void)state;
	site_make(&old, "a", "10.20.0.4/31");
	/* the conduit has another name, and its addresses are written differently */
	site_make(&new, "b", "10.20.0.4 10.20.0.5");
	return 0;
}

static int end(void **state)
{
	(void)state;
	maker_free(&old.k);
	maker_free(&new.k);
	return 0;
}

static size_t lines(struct differ_line **ret)
{
	size_t n;

	assert_true(differ(&old.k.m, &new.k.m, NOW, new.k.arena, ret, &n));
	return n;
}

static void same_however_it_is_written(void **state)
{
	struct differ_line *l;

	(void)state;
	assert_int_equal(lines(&l), 0);
	new.c->shadow = new.c->observe = true;
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->kind, DIFFER_PACKETS);
	assert_false(l->comes);
	assert_true(l->by_old);
	assert_int_equal(l->n, 1);
	assert_int_equal(l->list[0].lo, 502);
}

/* A row that is contained in another one changes nothing. */
static void rows(void **state)
{
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_WRITE, 0, 9);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 0, 9);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 3, 4);
	assert_int_equal(lines(&l), 0);
	maker_allow(&new.k, new.plc, CLASS_READ, 3, 4);
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->kind, DIFFER_COMMANDS);
	assert_true(l->comes);
	assert_string_equal(l->what, "modbus read_holding_registers");
}

static void rows_side_by_side(void **state)
{
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_READ, 0, 9);
	maker_allow(&new.k, new.plc, CLASS_READ, 0, 4);
	maker_allow(&new.k, new.plc, CLASS_READ, 5, 9);
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
}

static void limit_values(struct site *s, size_t row, uint64_t lo, uint64_t hi)
{
	struct number_range values = { lo, hi };

	assert_true(rows_numbers(&s->k.m.rows, s->k.arena, &values, 1, &s->plc->allows[row].row.values));
}

static void limit_values_to_ends(struct site *s, size_t row, uint64_t lo, uint64_t hi)
{
	struct number_range values[2] = { { lo, lo }, { hi, hi } };

	assert_true(rows_numbers(&s->k.m.rows, s->k.arena, values, 2, &s->plc->allows[row].row.values));
}

static void places_of_row(struct site *s, size_t row, uint64_t lo, uint64_t hi)
{
	struct number_range places = { lo, hi };
	struct command_row *r = &s->plc->allows[row].row;

	for (uint32_t i = 0; i < r->n_spaces; i++)
		assert_true(rows_numbers(&s->k.m.rows, s->k.arena, &places, 1,
					 &s->k.m.rows.t.spaces[r->first_space + i].numbers));
}

static void of_function(struct site *s, size_t row, uint32_t code)
{
	struct number_range codes = { code, code };

	assert_true(rows_numbers(&s->k.m.rows, s->k.arena, &codes, 1, &s->plc->allows[row].row.services));
}

/* A function that touches a single address: two rows, each with a part of the addresses and values,
 * allow the same as one row with all of them. A function that touches several addresses needs all
 * of them in one row. */
static void rows_cut_in_two(void **state)
{
	static const struct {
		uint32_t code;
		size_t lines;
	} functions[] = { { 6, 0 }, { 22, 0 }, { 16, 1 }, { 23, 1 } };
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_WRITE, 0, 9);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 0, 4);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 5, 9);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		of_function(&old, 0, functions[i].code);
		of_function(&new, 0, functions[i].code);
		of_function(&new, 1, functions[i].code);
		assert_int_equal(lines(&l), functions[i].lines);
	}
	for (size_t i = 0; i < 2; i++)
		of_function(i == 0 ? &old : &new, 0, 6);
	of_function(&new, 1, 6);
	limit_values(&new, 1, 0, 65535); /* all that there are */
	assert_int_equal(lines(&l), 0);
	limit_values(&new, 1, 0, 65534);
	assert_int_equal(lines(&l), 1);
	limit_values(&old, 0, 0, 7);
	limit_values(&new, 0, 0, 7);
	limit_values(&new, 1, 0, 3);
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 5, 8);
	of_function(&new, 2, 6);
	limit_values(&new, 2, 4, 7);
	assert_int_equal(lines(&l), 1); /* address 9 with the values 4 to 7 is missing */
	maker_allow(&new.k, new.plc, CLASS_WRITE, 9, 9);
	of_function(&new, 3, 6);
	limit_values(&new, 3, 4, 7);
	assert_int_equal(lines(&l), 0);
}

/* A request for one register writes one value, so rows that share the values out are as good as one
 * row. A request for two registers may write one value of each row, so they are not. If any two
 * values are together in some row, requests for two registers are the same as well, and requests
 * for three are not. */
static void values_cut_in_two(void **state)
{
	static const uint32_t several[] = { 6, 16, 23 };
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_WRITE, 400, 400);
	limit_values(&old, 0, 0, 1);
	for (uint32_t i = 0; i < 2; i++) {
		maker_allow(&new.k, new.plc, CLASS_WRITE, 400, 400);
		limit_values(&new, i, i, i);
	}
	assert_int_equal(lines(&l), 0);
	for (size_t f = 0; f < sizeof(several) / sizeof(several[0]); f++) {
		of_function(&old, 0, several[f]);
		for (uint32_t i = 0; i < 2; i++)
			of_function(&new, i, several[f]);
		assert_int_equal(lines(&l), 0);
	}
	places_of_row(&old, 0, 400, 401);
	for (uint32_t i = 0; i < 2; i++)
		places_of_row(&new, i, 400, 401);
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	limit_values(&old, 0, 0, 2);
	limit_values(&new, 0, 0, 1);
	limit_values(&new, 1, 1, 2);
	assert_int_equal(lines(&l), 1); /* 0 and 2 */
	maker_allow(&new.k, new.plc, CLASS_WRITE, 400, 401);
	of_function(&new, 2, 23);
	limit_values_to_ends(&new, 2, 0, 2);
	assert_int_equal(lines(&l), 0);
	places_of_row(&old, 0, 400, 402);
	for (uint32_t i = 0; i < 3; i++)
		places_of_row(&new, i, 400, 402);
	assert_int_equal(lines(&l), 1); /* 0, 1 and 2 */
}

/* Diagnostics under limits of addresses or values: only those that write nothing pass, whatever the
 * limits are. Without any limit, those pass as well that do not say what they write. */
static void values_of_nothing(void **state)
{
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_WRITE, 0, 0);
	maker_allow(&new.k, new.plc, CLASS_WRITE, 0, 0);
	of_function(&old, 0, 8);
	of_function(&new, 0, 8);
	limit_values(&old, 0, 0, 7);
	limit_values(&new, 0, 5, 9);
	assert_int_equal(lines(&l), 0);
	new.plc->allows[0].row.values = (struct number_set){ .any = true };
	assert_int_equal(lines(&l), 0);
	new.plc->allows[0].row.spaces_any = true;
	assert_int_equal(lines(&l), 1);
	assert_true(l->comes);
	of_function(&old, 0, 43);
	of_function(&new, 0, 43);
	assert_int_equal(lines(&l), 1);
	limit_values(&new, 0, 5, 9);
	assert_int_equal(lines(&l), 0);
}

/* No request reads more than 125 registers, so rows that overlap by 124 registers are as good as
 * one row. */
static void runs_that_overlap(void **state)
{
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_READ, 0, 299);
	maker_allow(&new.k, new.plc, CLASS_READ, 0, 199);
	maker_allow(&new.k, new.plc, CLASS_READ, 76, 299);
	for (size_t i = 0; i < 3; i++)
		of_function(i == 0 ? &old : &new, i / 2, 3);
	assert_int_equal(lines(&l), 0);
	places_of_row(&new, 1, 77, 299);
	assert_int_equal(lines(&l), 1); /* 76 to 200 */
	assert_false(l->comes);
	/* Reading a queue touches 32 registers, or all up to the last one. */
	for (size_t i = 0; i < 3; i++)
		of_function(i == 0 ? &old : &new, i / 2, 24);
	assert_int_equal(lines(&l), 0);
	places_of_row(&new, 1, 169, 299);
	assert_int_equal(lines(&l), 0);
	places_of_row(&new, 1, 170, 299);
	assert_int_equal(lines(&l), 1); /* 169 to 200 */
}

static void whole_and_rows(void **state)
{
	struct differ_line *l;

	(void)state;
	maker_allow(&old.k, old.plc, CLASS_ALL, 0, 65535);
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->kind, DIFFER_COMMANDS);
	assert_string_equal(l->what, "modbus");
}

static void moments(void **state)
{
	struct differ_line *l;

	(void)state;
	old.c->until = new.c->until = NOW; /* ended: it counts in neither policy */
	assert_int_equal(lines(&l), 0);
	old.c->until = 2000;
	new.c->until = 3000;
	assert_int_equal(lines(&l), 1);
	assert_true(l->comes);
	assert_int_equal(l->since, 2000);
	assert_int_equal(l->until, 3000);
	new.c->until = 0;
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->until, 0);
}

/* Equal hours in one window or in two make no difference. A window with more hours allows more.
 * Hours that are over do not count. */
static void hours(void **state)
{
	static struct model_window all, early, late;
	struct model_conduit *second;
	struct differ_line *l;

	(void)state;
	all = early = late = (struct model_window){ .when = { .days = 0x3e, .from = 540, .to = 1020 } };
	early.when.days = 0x1e;
	late.when.days = 0x20;
	old.c->within = new.c->within = &all;
	assert_int_equal(lines(&l), 0);
	new.c->within = &late;
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	assert_int_equal(l->since + l->until, 0);
	second = maker_conduit(&new.k, "second", &new.k.m.zones[new.c->from->index], &new.k.m.zones[new.c->to->index],
			       "10.20.0.4/31", "10.30.0.10", new.plc);
	second->within = &early;
	assert_int_equal(lines(&l), 0);
	old.c->within = NULL;
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	new.c->within = NULL;
	assert_int_equal(lines(&l), 0);
	late.when.last = 1; /* 2 January 1970 */
	second->within = &late;
	assert_int_equal(lines(&l), 0);
}

/* If a conduit only observes, its rows change nothing, in however many ways its answers are
 * read. */
static void rows_of_who_observes(void **state)
{
	struct differ_line *l;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct site *s = i == 0 ? &old : &new;
		struct model_service *lenient = maker_service(&s->k, "lenient", PROTO_MODBUS, "tcp/502");

		lenient->lenient = LENIENT_UNIT;
		maker_conduit(&s->k, "second", &s->k.m.zones[s->c->from->index], &s->k.m.zones[s->c->to->index],
			      "10.20.0.4/31", "10.30.0.10", lenient)
			->observe = s->c->observe = true;
		maker_allow(&s->k, s->plc, CLASS_READ, 0, 9);
	}
	maker_allow(&new.k, new.plc, CLASS_READ, 20, 29);
	assert_int_equal(lines(&l), 0);
}

/* Traffic that is not the protocol of an observing conduit is recorded. */
static void protocol_of_who_observes(void **state)
{
	struct differ_line *l;

	(void)state;
	old.c->observe = new.c->observe = true;
	assert_int_equal(lines(&l), 0);
	new.plc->protocol = PROTO_SSH;
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->kind, DIFFER_TREATED);
	assert_string_equal(l->what, "protocol");
}

/* Doors with the same name are one door, whatever else is written about it. A conduit behind a door
 * allows less than one without. Every combination of open doors counts. */
static void doors(void **state)
{
	static const struct model_door one = { .name = "one", .at_most = 60 }, same = { .name = "one", .at_most = 900 },
				       two = { .name = "two" };
	struct model_conduit *second;
	struct differ_line *l;

	(void)state;
	old.c->door = &one;
	new.c->door = &same;
	assert_int_equal(lines(&l), 0);
	new.c->door = &two;
	assert_int_equal(lines(&l), 2); /* with one of them open, and with the other */
	assert_int_equal(l[0].comes + l[1].comes, 1);
	second = maker_conduit(&new.k, "second", &new.k.m.zones[new.c->from->index], &new.k.m.zones[new.c->to->index],
			       "10.20.0.4/31", "10.30.0.10", new.plc);
	second->door = &same;
	assert_int_equal(lines(&l), 1);
	assert_true(l->comes);
	old.c->door = NULL;
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	new.c->door = NULL;
	assert_int_equal(lines(&l), 0);
}

static struct model_conduit *one_more(struct site *s, const char *sources)
{
	return maker_conduit(&s->k, "more", &s->k.m.zones[s->c->from->index], &s->k.m.zones[s->c->to->index], sources,
			     "10.30.0.10", s->plc);
}

/* A conduit behind a door lies over one without, and both open for longer. Where both apply, the
 * sentence names the one that needs no door, and only the hours that are new. */
static void hours_behind_a_door(void **state)
{
	static const struct model_door door = { .name = "door" };
	static struct model_window window[2] = { { .when = { .days = 0x20, .from = 540, .to = 1020 } },
						 { .when = { .days = 0x20, .from = 480, .to = 1320 } } };
	struct differ_line *l;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct site *s = i == 0 ? &old : &new;

		s->c->door = &door;
		s->c->within = one_more(s, "10.20.0.5")->within = &window[i];
	}
	assert_int_equal(lines(&l), 2);
	for (size_t i = 0; i < 2; i++) {
		bool behind = strcmp(l[i].by->name, "more") != 0;

		assert_true(l[i].comes);
		assert_false(l[i].by_old);
		assert_int_equal(l[i].n_terms, behind ? 3 : 2);
		assert_int_equal(l[i].terms[0].window->from, 480);
		assert_true(l[i].terms[0].open);
		assert_int_equal(l[i].terms[1].window->from, 540);
		assert_false(l[i].terms[1].open);
		assert_true(!behind || (l[i].terms[2].open && strcmp(l[i].terms[2].door, "door") == 0));
	}
	assert_ptr_not_equal(l[0].by, l[1].by);
}

/* A conduit behind a door stays. Another one, which opens by hours, opens at other hours: this
 * makes a difference only while the door is shut, and its sentences are not about the first one,
 * although that differs as well. */
static void hours_beside_a_door(void **state)
{
	static const struct model_door door = { .name = "door" };
	static struct model_window window[2] = { { .when = { .days = 0x20, .from = 60, .to = 120 } },
						 { .when = { .days = 0x20, .from = 180, .to = 240 } } };
	struct differ_line *l;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct site *s = i == 0 ? &old : &new;

		s->c->door = &door;
		one_more(s, "10.20.0.4/31")->within = &window[i];
	}
	assert_int_equal(lines(&l), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(l[i].comes, i == 0);
		assert_string_equal(l[i].by->name, "more");
		assert_int_equal(l[i].n_terms, 2);
		assert_int_equal(l[i].terms[0].window->from, i == 0 ? 180 : 60);
		assert_false(l[i].terms[1].open);
		assert_string_equal(l[i].terms[1].door, "door");
	}
}

/* A conduit that ends makes a difference from its end on. The sentence is about it, not about one
 * that ended before, or begins later. */
static void ends_that_meet(void **state)
{
	struct differ_line *l;

	(void)state;
	new.c->until = 2000;
	one_more(&new, "10.20.0.4/31")->until = 3000;
	one_more(&old, "10.20.0.4/31")->until = 2500;
	assert_int_equal(lines(&l), 1);
	assert_false(l->comes);
	assert_ptr_equal(l->by, old.c);
	assert_int_equal(l->since, 3000);
	assert_int_equal(l->until, 0);
	old.c->until = 2000;
	assert_int_equal(lines(&l), 1);
	assert_true(l->comes);
	assert_string_equal(l->by->name, "more");
	assert_int_equal(l->since, 2500);
	assert_int_equal(l->until, 3000);
}

static void treatment(void **state)
{
	struct differ_line *l;

	(void)state;
	new.c->when_down = FAIL_OPEN;
	assert_int_equal(lines(&l), 1);
	assert_int_equal(l->kind, DIFFER_TREATED);
	assert_string_equal(l->what, "when_down");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_however_it_is_written, begin, end),
		cmocka_unit_test_setup_teardown(rows, begin, end),
		cmocka_unit_test_setup_teardown(rows_side_by_side, begin, end),
		cmocka_unit_test_setup_teardown(rows_cut_in_two, begin, end),
		cmocka_unit_test_setup_teardown(values_cut_in_two, begin, end),
		cmocka_unit_test_setup_teardown(values_of_nothing, begin, end),
		cmocka_unit_test_setup_teardown(runs_that_overlap, begin, end),
		cmocka_unit_test_setup_teardown(whole_and_rows, begin, end),
		cmocka_unit_test_setup_teardown(moments, begin, end),
		cmocka_unit_test_setup_teardown(hours, begin, end),
		cmocka_unit_test_setup_teardown(rows_of_who_observes, begin, end),
		cmocka_unit_test_setup_teardown(protocol_of_who_observes, begin, end),
		cmocka_unit_test_setup_teardown(doors, begin, end),
		cmocka_unit_test_setup_teardown(hours_behind_a_door, begin, end),
		cmocka_unit_test_setup_teardown(hours_beside_a_door, begin, end),
		cmocka_unit_test_setup_teardown(ends_that_meet, begin, end),
		cmocka_unit_test_setup_teardown(treatment, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
