/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of spreadsheets: what a cell is, where it is, and that unusual forms are not read as
 * something else.
 *
 * LINK: policy/read/csv.c appliance/base/arena.c appliance/base/bytes.c appliance/base/utf8.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/read/csv.h"

/* All cells of a text as "row.column=text|", the end of a row as "/", and the fault with its
 * place. */
static const char *cells(struct arena *a, const char *text, size_t size)
{
	struct source_text s = { .name = "t.csv", .text = arena_strndup(a, text, size), .size = size };
	struct csv c;
	struct csv_cell cell;
	enum csv_fault fault;
	const char *out = "";

	csv_begin(&c, &s, 0, a);
	while (csv_next(&c, &cell, &fault)) {
		out = arena_printf(a, "%s%u.%u=%s%s", out, cell.row, cell.column, cell.text, cell.last ? "/" : "|");
		assert_int_equal(cell.at.line, cell.row);
		assert_true(cell.width >= 1);
	}
	if (fault != CSV_FINE)
		out = arena_printf(a, "%s!%d@%u:%u", out, (int)fault, cell.at.line, cell.at.column);
	return out;
}

static void tables_are_read(void **state)
{
	static const struct {
		const char *text, *cells;
	} cases[] = {
		{ "", "" },
		{ "\xef\xbb\xbf", "" },
		{ "\n", "1.1=/" },
		{ "a", "1.1=a/" },
		{ "a\n", "1.1=a/" },
		{ "a,b\r\nc,d\r\n", "1.1=a|1.2=b/2.1=c|2.2=d/" },
		{ "\xef\xbb\xbf"
		  "a,b",
		  "1.1=a|1.2=b/" },
		{ "a,", "1.1=a|1.2=/" },
		{ ",\n,", "1.1=|1.2=/2.1=|2.2=/" },
		{ "\"a,b\",\"c\"\"d\"\n", "1.1=a,b|1.2=c\"d/" },
		{ "\"\",\"\"\"\"\n", "1.1=|1.2=\"/" },
		{ " a\t, \"b\" ", "1.1=a|!4@1:6" },
		{ "\"b\" ,c", "1.1=b|1.2=c/" },
		{ "　北　,号機", "1.1=北|1.2=号機/" },
		{ "\" a \"", "1.1=a/" },
		{ "a\"b", "!4@1:2" },
		{ "\"a\"b", "!4@1:4" },
		{ "x,\"a", "1.1=x|!3@1:3" },
		{ "\"a\nb\"", "!2@1:3" },
		{ "a\rb", "!2@1:2" },
		{ "a\x01", "!2@1:2" },
		{ "a,\xff", "1.1=a|!1@1:3" },
		{ "\"\xff\"", "!1@1:2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(1u << 20);

		assert_string_equal(cells(a, cases[i].text, strlen(cases[i].text)), cases[i].cells);
		arena_free(a);
	}
}

static void nul_is_no_end(void **state)
{
	struct arena *a = arena_new(1u << 20);

	(void)state;
	assert_string_equal(cells(a, "a\0b", 3), "!2@1:2");
	arena_free(a);
}

static void cells_have_their_names(void **state)
{
	struct source_text s = { .name = "t.csv", .text = "a,\"b,c\",d\n号機,x,y\n" };
	char text[CSV_CELL_TEXT];

	(void)state;
	s.size = strlen(s.text);
	csv_cell_text(&s, (struct srcpos){ 0, 1, 1 }, text);
	assert_string_equal(text, "A1");
	csv_cell_text(&s, (struct srcpos){ 0, 1, 5 }, text);
	assert_string_equal(text, "B1");
	csv_cell_text(&s, (struct srcpos){ 0, 1, 9 }, text);
	assert_string_equal(text, "C1");
	csv_cell_text(&s, (struct srcpos){ 0, 2, 4 }, text);
	assert_string_equal(text, "B2");
	csv_cell_text(&s, (struct srcpos){ 0, 9, 9 }, text);
	assert_string_equal(text, "A9");
	s.text = ",,,,,,,,,,,,,,,,,,,,,,,,,,,x";
	s.size = strlen(s.text);
	csv_cell_text(&s, (struct srcpos){ 0, 1, 26 }, text);
	assert_string_equal(text, "Z1");
	csv_cell_text(&s, (struct srcpos){ 0, 1, 28 }, text);
	assert_string_equal(text, "AB1");
}

static void formulas_are_known(void **state)
{
	(void)state;
	assert_true(csv_is_formula("=1+1"));
	assert_true(csv_is_formula("+81"));
	assert_true(csv_is_formula("-1"));
	assert_true(csv_is_formula("@SUM"));
	assert_true(csv_is_formula("＝A1"));
	assert_false(csv_is_formula(""));
	assert_false(csv_is_formula("10.30.1.1-10.30.1.2"));
	assert_true(csv_is_table("a.csv"));
	assert_true(csv_is_table("sub/A.CSV"));
	assert_false(csv_is_table(".csv"));
	assert_false(csv_is_table("site.cfg"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_read),
		cmocka_unit_test(nul_is_no_end),
		cmocka_unit_test(cells_have_their_names),
		cmocka_unit_test(formulas_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
