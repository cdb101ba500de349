/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the command line: parsing it, numbers, terminal cells, tables, help.
 *
 * LINK: appliance/wire/hours.c
 * LINK: mgmt/cli/cli.c mgmt/cli/help.c mgmt/cli/options.c mgmt/cli/socket.c mgmt/cli/screen/table.c
 * LINK: mgmt/cli/screen/wrap.c
 * LINK: appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/arena.c appliance/base/bytes.c appliance/base/diag.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/base/utf8.c
 * LINK: appliance/base/sha256.c appliance/base/err.c appliance/base/duration.c
 * LINK: appliance/wire/msg.c appliance/base/memfd.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/options.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"

/* Two verbs for the test. */

static int nothing(struct cli *c, const struct cli_args *a)
{
	(void)c;
	(void)a;
	return CLI_YES;
}

static const struct cli_option paint_options[] = {
	{ "--colour", 'c', "NAME", M_OPT_JSON },
	{ "--quick", 'q', NULL, M_OPT_LANG },
	{ 0 },
};
static const struct cli_option no_options[] = { { 0 } };
const struct cli_verb cli_verbs[] = {
	{ .name = "paint",
	  .operands = "WALL",
	  .min_operands = 1,
	  .max_operands = 1,
	  .options = paint_options,
	  .summary = M_CHECK_SUMMARY,
	  .text = M_CHECK_TEXT,
	  .run = nothing },
	{ .name = "ladder",
	  .under = "climb",
	  .operands = "",
	  .options = no_options,
	  .summary = M_CHECK_SUMMARY,
	  .text = M_CHECK_TEXT,
	  .run = nothing },
};
const size_t cli_n_verbs = 2;

#define MAX_WORDS 8

static bool read_words(struct cli_line *l, struct cli_problem *p, const char *text)
{
	static char copy[200];
	char *argv[MAX_WORDS + 1] = { copy };
	int argc = 1;

	snprintf(copy, sizeof(copy), "sekisho %s", text);
	for (char *at = strchr(copy, ' '); at != NULL && argc < MAX_WORDS; at = strchr(at, ' ')) {
		*at++ = '\0';
		if (*at != '\0')
			argv[argc++] = at;
	}
	return cli_read_line(argc, argv, l, p);
}

static void test_lines(void **state)
{
	struct cli_problem p;
	struct cli_line l;

	(void)state;
	assert_true(read_words(&l, &p, "--json paint -c red wall --lang=ja -q"));
	assert_ptr_equal(l.args.verb, &cli_verbs[0]);
	assert_string_equal(l.args.values[0], "red");
	assert_string_equal(l.args.values[1], "");
	assert_string_equal(l.args.operands[0], "wall");
	assert_string_equal(l.globals[GLOBAL_LANG], "ja");
	assert_non_null(l.globals[GLOBAL_JSON]);
	assert_null(l.globals[GLOBAL_SOCKET]);
	assert_true(read_words(&l, &p, "paint -cred --colour=blue -- --wall"));
	assert_string_equal(l.args.values[0], "blue");
	assert_string_equal(l.args.operands[0], "--wall");
	assert_true(read_words(&l, &p, "ladder climb"));
	assert_ptr_equal(l.args.verb, &cli_verbs[1]);
	assert_true(read_words(&l, &p, "paint --help"));
	assert_true(read_words(&l, &p, ""));
	assert_null(l.args.verb);
}

static void a_first_word_alone_has_help(void **state)
{
	struct cli_problem p;
	struct cli_line l;

	(void)state;
	assert_true(read_words(&l, &p, "ladder --help"));
	assert_non_null(l.globals[GLOBAL_HELP]);
	assert_true(read_words(&l, &p, "ladder -h"));
	assert_true(read_words(&l, &p, "--help ladder"));
	assert_false(read_words(&l, &p, "ladder --quick"));
}

static void expect_problem(const char *text, enum message m, const char *word, const char *nearest)
{
	struct cli_problem p = { 0 };
	struct cli_line l;

	assert_false(read_words(&l, &p, text));
	assert_int_equal(p.message, m);
	assert_string_equal(p.word, word);
	if (nearest == NULL)
		assert_null(p.nearest);
	else
		assert_string_equal(p.nearest, nearest);
}

static void test_problems(void **state)
{
	(void)state;
	expect_problem("pint wall", M_CLI_UNKNOWN_VERB, "pint", "paint");
	expect_problem("zzzzzzzz", M_CLI_UNKNOWN_VERB, "zzzzzzzz", NULL);
	expect_problem("paint --color=red wall", M_CLI_UNKNOWN_OPTION, "--color=red", "--colour");
	expect_problem("paint -x wall", M_CLI_UNKNOWN_OPTION, "-x", NULL);
	expect_problem("paint wall --colour", M_CLI_NO_VALUE, "--colour", NULL);
	expect_problem("paint wall --quick=1", M_CLI_EXTRA_VALUE, "--quick=1", NULL);
	expect_problem("paint", M_CLI_MISSING_OPERAND, "WALL", NULL);
	expect_problem("paint a b", M_CLI_EXTRA_OPERAND, "b", NULL);
	expect_problem("ladder", M_CLI_UNDER, "ladder", "climb");
	expect_problem("ladder fall", M_CLI_UNDER, "ladder", "climb");
	expect_problem("--colour red paint wall", M_CLI_UNKNOWN_OPTION, "--colour", NULL);
}

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"
	};
	unsigned long long v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cli_number(bad[i], UINT64_MAX, &v));
	assert_int_equal(v, 7);
	assert_true(cli_number("18446744073709551615", UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(cli_number("0010", 10, &v));
	assert_int_equal(v, 10);
	assert_false(cli_number("11", 10, &v));
	assert_false(cli_number("9", 5, &v));
	assert_true(cli_number("0", 0, &v));
}

static void test_cells(void **state)
{
	(void)state;
	assert_int_equal(text_cells(""), 0);
	assert_int_equal(text_cells("crane"), 5);
	assert_int_equal(text_cells("関所"), 4);
	assert_int_equal(text_cells("RTG 1号機"), 9);
	assert_int_equal(text_cells("か\xe3\x82\x99"), 2); /* a combining voiced mark */
	assert_int_equal(text_cells("\xff\xfe"), 2);
}

static void expect_safe(const char *text, const char *want)
{
	char *safe = text_safe(text);

	assert_non_null(safe);
	assert_string_equal(safe, want);
	free(safe);
}

static void test_safe(void **state)
{
	(void)state;
	expect_safe("北ターミナル", "北ターミナル");
	expect_safe("a\033[31mb\n\r\t", "a?[31mb???");
	expect_safe("\xc2\x9b"
		    "31m",
		    "?31m"); /* the single-byte form of an escape of ISO 6429 */
	expect_safe("abc\xe2\x80\xae"
		    "def",
		    "abc?def");				 /* right-to-left override */
	expect_safe("\xe2\x81\xa6x\xe2\x81\xa9", "?x?"); /* isolates */
	/* overlong, a surrogate, cut short: each byte is shown alone */
	expect_safe("\xc0\xaf\xed\xa0\x80\xe3\x81", "???????");
	expect_safe("", "");
	expect_safe(NULL, "");
}

static char *printed(const struct table *t, bool color)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_true(table_print(t, to, color));
	fclose(to);
	return text;
}

static void test_tables(void **state)
{
	struct table *t = table_new(3, 2);
	char *text;

	(void)state;
	table_right(t, 1);
	table_cell(t, "名前");
	table_cell(t, "N");
	table_cell(t, "NOTE");
	table_head_done(t);
	table_cell(t, "a");
	table_cellf(t, "%d", 100);
	table_cell(t, "x\ny");
	table_cell(t, "クレーン");
	table_cellf(t, "%d", 7);
	table_cell(t, "");
	assert_int_equal(table_rows(t), 2);
	text = printed(t, false);
	assert_string_equal(text, "  名前        N  NOTE\n"
				  "  a         100  x?y\n"
				  "  クレーン    7\n");
	free(text);
	text = printed(t, true);
	assert_non_null(strstr(text, "\033[1m名前\033[0m"));
	free(text);
	table_free(t);
	table_cell(NULL, "nothing happens");
	assert_int_equal(table_rows(NULL), 0);
	assert_false(table_print(NULL, stdout, false));
	assert_null(table_new(0, 0));
	assert_null(table_new(TABLE_COLUMNS + 1, 0));
}

static void wraps_to(const char *text, size_t at, size_t hang, const char *expected)
{
	char *out = NULL;
	size_t n;
	FILE *to = open_memstream(&out, &n);

	assert_non_null(to);
	text_wrap(to, text, at, hang);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(out, expected);
	free(out);
}

static void lines_end_before_the_edge(void **state)
{
	(void)state;
	wraps_to("short", 0, 0, "short");
	wraps_to("one two", 75, 2, "one\n  two");
	wraps_to("one  two", 75, 2, "one\n  two");
	/* Japanese text may break anywhere, except before or after brackets, punctuation and small
	 * kana. */
	wraps_to("検査部です", 76, 0, "検査\n部です");
	wraps_to("検査、です", 76, 0, "検\n査、です");
	wraps_to("検（査）", 76, 0, "検\n（査）");
	wraps_to("別サーバー", 72, 0, "別\nサーバー");
	wraps_to("さっき", 76, 0, "さっ\nき");
	wraps_to("直近 7 日間", 72, 0, "直近\n7 日間");
	wraps_to("装置の sekishod が", 70, 1, "装置の\n sekishod が");
	/* nothing fits: it breaks at the first possible place */
	wraps_to("名前", 80, 0, "名\n前");
	wraps_to("http://a-word-that-is-longer-than-what-is-left", 60, 0,
		 "http://a-word-that-is-longer-than-what-is-left");
}

/* In a list of words, a further line of an explanation begins under the explanation: further to the
 * left it would look like another word. */
static void explanations_hang(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "  remove NAME       one two three four five six seven eight nine ten eleven twelve thirteen",
		  "  remove NAME       one two three four five six seven eight nine ten eleven\n"
		  "                    twelve thirteen" },
		{ "  one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
		  "  one two three four five six seven eight nine ten eleven twelve thirteen\n  fourteen" },
		{ "holds   one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
		  "holds   one two three four five six seven eight nine ten eleven twelve thirteen\nfourteen" },
		{ "  a word of more than thirty cells  one two three four five six seven eight nine ten",
		  "  a word of more than thirty cells  one two three four five six seven eight\n  nine ten" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = NULL;
		size_t n;
		FILE *to = open_memstream(&out, &n);

		assert_non_null(to);
		text_wrap_all(to, cases[i].text);
		assert_int_equal(fclose(to), 0);
		assert_string_equal(out, cases[i].shown);
		free(out);
	}
}

/* Help texts have lines of any length in the catalogue; a person sees 80 columns at most. */
static void help_has_80_columns(void **state)
{
	static const enum lang langs[] = { LANG_EN, LANG_JA };

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		struct cli c = { .lang = langs[l] };
		char *out = NULL, *line, *rest;
		size_t n;
		FILE *to = open_memstream(&out, &n);

		assert_non_null(to);
		help_overview(&c, to);
		help_verb(&c, &cli_verbs[0], to);
		assert_int_equal(fclose(to), 0);
		for (rest = out; (line = strsep(&rest, "\n")) != NULL;)
			if (text_cells(line) > WRAP_CELLS)
				fail_msg("%zu columns: %s", text_cells(line), line);
		free(out);
	}
}

static void test_help(void **state)
{
	for (int l = LANG_EN; l <= LANG_JA; l++) {
		struct cli c = { .lang = (enum lang)l };
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		(void)state;
		assert_non_null(to);
		help_verb(&c, &cli_verbs[0], to);
		help_overview(&c, to);
		fclose(to);
		assert_non_null(strstr(text, "sekisho paint [OPTION...] WALL"));
		assert_non_null(strstr(text, "-c, --colour NAME"));
		assert_non_null(strstr(text, "-q, --quick"));
		assert_non_null(strstr(text, "--socket PATH"));
		assert_non_null(strstr(text, "ladder climb"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_help),
		cmocka_unit_test(lines_end_before_the_edge),
		cmocka_unit_test(explanations_hang),
		cmocka_unit_test(help_has_80_columns),
		cmocka_unit_test(a_first_word_alone_has_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
