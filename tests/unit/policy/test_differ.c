/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/space/differ.c policy/space/differ_said.c policy/space/row_sets.c
 * LIBS: nettle
 */
/* In what two policies differ by what they do, by known answers; tests/drawn/mutants holds it against the reference. */
#include "tests/unit/cmocka.h"

#include "policy/space/differ.h"
#include "tests/unit/policy/model_make.h"

#define NOW 1000u

/* One conduit of Modbus from tos to crane, as each test wants it. */
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
	site_make(&new, "b", "10.20.0.4 10.20.0.5"); /* another name, and written otherwise */
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

/* Rows that lie in each other are the same; places side by side in two are less than in one, as one request takes both. */
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
	old.c->until = new.c->until = NOW; /* over: it says nothing in either */
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

/* The same hours in one window or in two are the same; more of the week is more, and an hour that is over says nothing. */
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
	late.when.last = 1; /* the second of January 1970 */
	second->within = &late;
	assert_int_equal(lines(&l), 0);
}

/* Of who only observes, rows mean nothing, in however many manners answers are read there. */
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

/* A door of one name is one door, whatever else is said of it; behind it is less than without, and each set that may stand open counts. */
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
	assert_int_equal(lines(&l), 2); /* now with the one, now with the other */
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
		cmocka_unit_test_setup_teardown(whole_and_rows, begin, end),
		cmocka_unit_test_setup_teardown(moments, begin, end),
		cmocka_unit_test_setup_teardown(hours, begin, end),
		cmocka_unit_test_setup_teardown(rows_of_who_observes, begin, end),
		cmocka_unit_test_setup_teardown(doors, begin, end),
		cmocka_unit_test_setup_teardown(treatment, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
