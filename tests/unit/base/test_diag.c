/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/base/diag.c appliance/base/diag_print.c appliance/base/diag_json.c
 * LINK: appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/arena.c appliance/base/bytes.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/utf8.c appliance/base/sha256.c appliance/base/err.c appliance/wire/msg.c
 * LINK: appliance/base/memfd.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/diag_json.h"
#include "appliance/base/utf8.h"

struct desk {
	struct arena *arena;
	struct diags d;
};

static int begin(void **state)
{
	struct desk *k = calloc(1, sizeof(*k));

	k->arena = arena_new(64u << 20);
	diags_init(&k->d, k->arena);
	*state = k;
	return 0;
}

static int end(void **state)
{
	struct desk *k = *state;

	arena_free(k->arena);
	free(k);
	return 0;
}

static void prints_as(struct desk *k, const char *text, enum lang l, const char *expected)
{
	struct source_text s = { "site.cfg", text, strlen(text) };
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	diags_print(f, &k->d, &s, 1, l);
	fclose(f);
	assert_string_equal(out, expected);
	free(out);
}

static struct diag *add(struct desk *k, uint32_t line, uint32_t column, uint32_t width)
{
	struct diag *g =
		diag_add(&k->d, SEV_ERROR, "policy.duplicate", (struct srcpos){ 0, line, column }, MP_DUPLICATE, "x");

	g->width = width;
	return g;
}

static void caret_stands_under_the_cell(void **state)
{
	struct desk *k = *state;

	add(k, 2, 11, 4);
	prints_as(k, "a = 1;\n北ターミナル = \tmode;\n", LANG_EN,
		  "site.cfg:2:11: error: \"x\" is set twice\n"
		  "    2 | 北ターミナル =  mode;\n"
		  "      |                 ^~~~\n");
}

static void full_width_characters_are_underlined_whole(void **state)
{
	struct desk *k = *state;
	struct diag *g = add(k, 1, 2, 2);

	diag_hint(&k->d, g, MP_HINT_DUPLICATE);
	prints_as(k, "x北タ = 1;", LANG_JA,
		  "site.cfg:1:2: エラー: 「x」が二重に設定されています\n"
		  "    1 | x北タ = 1;\n"
		  "      |  ^~~~\n"
		  "  ヒント: どちらか一方だけを残してください\n");
}

static void terminal_sequences_are_defused(void **state)
{
	struct desk *k = *state;

	diag_add(&k->d, SEV_ERROR, "x", (struct srcpos){ 0, 1, 5 }, MP_DUPLICATE, "\x1b\xe2\x80\xae\n北");
	prints_as(k, "\x1b[2J\xff\xe2\x80\xaez", LANG_EN,
		  "site.cfg:1:5: error: \"???北\" is set twice\n"
		  "    1 | ?[2J??z\n"
		  "      |     ^\n");
}

/* Names of files and folders as well: they may come with a policy from somebody else. */
static void names_are_defused(void **state)
{
	struct desk *k = *state;
	struct source_text s = { "a\x1b[2Jb\n\xff.cfg", "x\ny\nz\n", 6 };
	struct diag *g = add(k, 1, 1, 1);
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	g->also = (struct srcpos){ 0, 2, 1 };
	k->d.folder = "f\x07/";
	for (uint32_t i = 0; i < 2; i++)
		diag_add(&k->d, SEV_WARNING, "w", (struct srcpos){ 0, 1 + i, 1 }, MP_MEMORY);
	diags_print(f, &k->d, &s, 1, LANG_EN);
	fclose(f);
	for (const char *p = out; *p != '\0'; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p < 0x7f));
	assert_int_equal(strncmp(out, "f?/a?[2Jb??.cfg:1:1: error: ", 28), 0);
	assert_non_null(strstr(out, "  see also f?/a?[2Jb??.cfg:2:1:\n"));
	assert_non_null(strstr(out, " like it: f?/a?[2Jb??.cfg:2\n"));
	free(out);
}

static void places_past_the_text_are_survived(void **state)
{
	struct desk *k = *state;

	add(k, 7, 900, 3);
	prints_as(k, "a\n", LANG_EN, "site.cfg:7:900: error: \"x\" is set twice\n    7 | \n      | ^\n");
}

static void long_lines_are_cut_around_the_place(void **state)
{
	struct desk *k = *state;
	char text[401], *out = NULL, *bar, *caret;
	struct source_text s = { "site.cfg", text, 400 };
	size_t n = 0;
	FILE *f;

	memset(text, 'a', 400);
	text[400] = '\0';
	text[250] = 'B';
	add(k, 1, 251, 1);
	f = open_memstream(&out, &n);
	diags_print(f, &k->d, &s, 1, LANG_EN);
	fclose(f);
	bar = strchr(strchr(out, '\n') + 1, '|');
	caret = strchr(out, '^');
	assert_true(strlen(out) < 400);
	/* The caret is below the B. */
	assert_int_equal(strchr(out, 'B') - bar, caret - strchr(strchr(bar, '\n'), '|'));
	free(out);
}

/* Equal warnings take one line, and never displace the serious one. */
static void grave_first_and_one_line_a_code(void **state)
{
	struct desk *k = *state;
	struct source_text s = { "site.cfg", "a\nb\nc\nd\n", 8 };
	char *out = NULL, *grave, *form;
	size_t n;
	FILE *f;

	for (uint32_t i = 0; i < 60; i++)
		diag_add(&k->d, SEV_WARNING, "policy.hold_reset", (struct srcpos){ 0, 100 - i, 1 }, MP_MEMORY);
	diag_add(&k->d, SEV_WARNING, "policy.missing_semicolon", (struct srcpos){ 0, 1, 1 }, MP_MEMORY);
	diag_add(&k->d, SEV_WARNING, "policy.not_enforced", (struct srcpos){ 0, 200, 1 }, MP_MEMORY);
	add(k, 300, 1, 1);
	diags_sort(&k->d);
	assert_int_equal(k->d.n, 63);
	assert_int_equal(k->d.list[0]->severity, SEV_ERROR);
	assert_string_equal(k->d.list[1]->code, "policy.not_enforced");
	assert_int_equal(k->d.list[2]->at.line, 41);
	assert_int_equal(k->d.list[61]->at.line, 100);
	f = open_memstream(&out, &n);
	diags_print(f, &k->d, &s, 1, LANG_EN);
	fclose(f);
	grave = strstr(out, "[policy.not_enforced]");
	form = strstr(out, "[policy.missing_semicolon]");
	assert_true(grave != NULL && form != NULL && grave < form);
	assert_non_null(strstr(out, "  and 59 more like it: site.cfg:42, 43, 44, 45, 46, 47, 48, 49, ...\n"));
	free(out);
}

static void errors_are_capped_and_never_lost(void **state)
{
	struct desk *k = *state;
	struct source_text s = { "site.cfg", "a\n", 2 };
	char *out = NULL;
	size_t n;
	FILE *f;

	for (uint32_t i = 0; i < DIAG_KEPT; i++)
		diag_add(&k->d, SEV_WARNING, "w", (struct srcpos){ 0, 1 + i, 1 }, MP_MEMORY);
	for (uint32_t i = 0; i < 60; i++)
		assert_non_null(add(k, 300 + i, 1, 1));
	assert_int_equal(k->d.n, DIAG_KEPT);
	assert_int_equal(k->d.errors, 60);
	assert_int_equal(k->d.warnings, DIAG_KEPT);
	f = open_memstream(&out, &n);
	diags_print(f, &k->d, &s, 1, LANG_EN);
	fclose(f);
	assert_int_equal(k->d.list[59]->severity, SEV_ERROR);
	assert_int_equal(k->d.list[60]->severity, SEV_WARNING);
	assert_non_null(strstr(out, "\nerrors that are not shown: 10\n"));
	free(out);
}

static double processor_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Errors that are only counted take nearly no time, however many there are: a text of 16 MiB can
 * have millions of mistakes. */
static void millions_of_errors_are_counted(void **state)
{
	struct desk *k = *state;
	double kept, begun = processor_seconds();

	for (uint32_t i = 0; i < DIAG_KEPT; i++)
		add(k, 1 + i, 1, 1);
	kept = processor_seconds() - begun;
	begun = processor_seconds();
	for (uint32_t i = 0; i < 10 * DIAG_KEPT; i++)
		add(k, 1 + i, 1, 1);
	assert_int_equal(k->d.n, DIAG_KEPT);
	assert_int_equal(k->d.errors, 11 * DIAG_KEPT);
	/* The test allows 20 times the time of the kept errors, and 0.1 s, for ten times as many.
	 * Without the limit they would take more than 100 times as long. */
	assert_true(processor_seconds() - begun < 20 * kept + 0.1);
}

/* The list was read, and so sorted, in between: warnings still make room for errors. */
static void errors_after_a_reading(void **state)
{
	struct desk *k = *state;

	for (uint32_t i = 0; i < DIAG_KEPT; i++)
		diag_add(&k->d, SEV_WARNING, "w", (struct srcpos){ 0, 1 + i, 1 }, MP_MEMORY);
	for (uint32_t i = 0; i < 3; i++) {
		add(k, 300 + i, 1, 1);
		diags_sort(&k->d);
	}
	assert_int_equal(k->d.list[2]->severity, SEV_ERROR);
	assert_int_equal(k->d.list[3]->severity, SEV_WARNING);
}

static void memory_out_is_not_fatal(void **state)
{
	struct arena *a = arena_new(1);
	struct diags d;
	struct diag *g;

	(void)state;
	diags_init(&d, a);
	g = diag_add(&d, SEV_ERROR, "x", (struct srcpos){ 0 }, MP_DUPLICATE, "x");
	diag_hint(&d, g, MP_HINT_NEAR, "y");
	assert_non_null(g->text[LANG_EN]);
	assert_non_null(g->text[LANG_JA]);
	arena_free(a);
}

/* The reason why a policy is refused is kept even if memory has run out. */
static void first_error_is_kept_without_memory(void **state)
{
	struct arena *a = arena_new(65536);
	struct diags d;

	(void)state;
	diags_init(&d, a);
	diag_add(&d, SEV_WARNING, "w", (struct srcpos){ 0 }, MP_MEMORY);
	while (arena_alloc(a, 16) != NULL)
		;
	d.list[0]->severity = SEV_ERROR; /* no warning makes room */
	diag_add(&d, SEV_ERROR, "policy.memory", (struct srcpos){ 0 }, MP_MEMORY);
	diag_add(&d, SEV_ERROR, "policy.memory", (struct srcpos){ 0 }, MP_MEMORY);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.list[1]->code, "policy.memory");
	assert_string_equal(d.list[1]->text[LANG_JA], message_format(MP_MEMORY, LANG_JA));
	arena_free(a);
}

static void nearest_words(void **state)
{
	static const char *const known[] = { "purpose", "owner", "when_down", "to", "from", "review_by" };

	(void)state;
	assert_string_equal(word_nearest("purpos", known, 6), "purpose");
	/* neighbours swapped: one slip */
	assert_string_equal(word_nearest("reveiw_by", known, 6), "review_by");
	assert_string_equal(word_nearest("when_dwon", known, 6), "when_down");
	assert_null(word_nearest("migration", known, 6));
	assert_null(word_nearest("ab", known, 6)); /* as close to "to" as to other words */
	assert_null(word_nearest("", known, 6));
	assert_string_equal(word_nearest("crain", (const char *const[]){ "tcp", "crane" }, 2), "crane");
	/* another protocol, no slip */
	assert_null(word_nearest("rtsp", (const char *const[]){ "tcp", "http", "ssh" }, 3));
	assert_null(word_nearest("a-very-long-word-that-no-key-can-be-meant-by-whatever-else-is-known-here", known, 6));
}

static void json_has_the_documented_shape(void **state)
{
	struct desk *k = *state;
	struct source_text s = { "site.cfg", "a = 1;\n", 7 };
	struct diag *g = add(k, 3, 5, 4);
	json_t *j, *one;

	g->also = (struct srcpos){ 0, 1, 1 };
	diag_add(&k->d, SEV_WARNING, "policy.x", (struct srcpos){ 0 }, MP_MEMORY);
	j = diags_json(&k->d, &s, 1, LANG_EN);
	assert_int_equal(json_integer_value(json_object_get(j, "errors")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "warnings")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "diagnostics")), 2);
	one = json_array_get(json_object_get(j, "diagnostics"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "severity")), "error");
	assert_string_equal(json_string_value(json_object_get(one, "code")), "policy.duplicate");
	assert_string_equal(json_string_value(json_object_get(one, "file")), "site.cfg");
	assert_int_equal(json_integer_value(json_object_get(one, "line")), 3);
	assert_int_equal(json_integer_value(json_object_get(one, "column")), 5);
	assert_int_equal(json_integer_value(json_object_get(one, "width")), 4);
	assert_string_equal(json_string_value(json_object_get(one, "message")), "\"x\" is set twice");
	assert_true(json_is_null(json_object_get(one, "hint")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "also"), "line")), 1);
	one = json_array_get(json_object_get(j, "diagnostics"), 1);
	assert_true(json_is_null(json_object_get(one, "also")));
	json_decref(j);
}

static void utf8_is_strict(void **state)
{
	static const char *const bad[] = { "\x80",	   "\xc0\xaf",	       "\xe0\x80\xaf",
					   "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe3\x81" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes b = bytes_of(bad[i], strlen(bad[i]));
		struct utf8_char c = { 0 };

		assert_true(utf8_next(&b, &c));
		assert_false(c.valid);
		assert_int_equal(c.size, 1);
	}
	assert_int_equal(utf8_cells(0x5317), 2);
	assert_int_equal(utf8_cells('a'), 1);
	assert_int_equal(utf8_cells(0x3099), 0);
	assert_int_equal(utf8_ascii_for(0xff1d), '=');
	assert_int_equal(utf8_ascii_for(0x3000), ' ');
	assert_int_equal(utf8_ascii_for(0x5317), 0);
}

/* Characters that control a terminal or a browser, or are invisible, are not allowed in texts of
 * people; in other texts they are shown as '?'. */
static void text_of_people_is_plain(void **state)
{
	static const char *const steer[] = { "\r",	     "\n",	     "\t",	     "\x1b",	 "\x7f",
					     "\xc2\x9b",     "\xe2\x80\xae", "\xe2\x81\xa6", "\xd8\x9c", "\xe2\x80\x8b",
					     "\xef\xbb\xbf", "\xe2\x80\xa8", "\xff" };
	char text[16], out[16], cut[5];

	(void)state;
	for (size_t i = 0; i < sizeof(steer) / sizeof(steer[0]); i++) {
		snprintf(text, sizeof(text), "a%sb", steer[i]);
		assert_false(text_is_plain(text, sizeof(text)));
		utf8_plain(text, out, sizeof(out));
		assert_string_equal(out, "a?b");
	}
	{
		/* spaces of every width, no width, signs without ink, a lone combining accent */
		static const char *const blank[] = { "",
						     " \t",
						     "\u3000",
						     "\u00a0\u2003",
						     "\u200b\ufeff",
						     "\u2800\u3164",
						     "\u0301\ufe0f",
						     "\u2060\u00ad" };

		for (size_t i = 0; i < sizeof(blank) / sizeof(blank[0]); i++)
			assert_true(text_is_blank(blank[i], 99));
		assert_false(text_is_blank("\u3000港", 99) || text_is_blank(".", 99) || text_is_blank("\xff", 99));
		assert_true(text_is_blank("  a", 2));
	}
	assert_true(text_is_plain("港 a", 5));
	assert_false(text_is_plain("港 a", 4));
	utf8_plain("港湾", cut, sizeof(cut));
	assert_string_equal(cut, "港");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(caret_stands_under_the_cell, begin, end),
		cmocka_unit_test_setup_teardown(full_width_characters_are_underlined_whole, begin, end),
		cmocka_unit_test_setup_teardown(terminal_sequences_are_defused, begin, end),
		cmocka_unit_test_setup_teardown(names_are_defused, begin, end),
		cmocka_unit_test_setup_teardown(places_past_the_text_are_survived, begin, end),
		cmocka_unit_test_setup_teardown(long_lines_are_cut_around_the_place, begin, end),
		cmocka_unit_test_setup_teardown(grave_first_and_one_line_a_code, begin, end),
		cmocka_unit_test_setup_teardown(errors_are_capped_and_never_lost, begin, end),
		cmocka_unit_test_setup_teardown(millions_of_errors_are_counted, begin, end),
		cmocka_unit_test_setup_teardown(errors_after_a_reading, begin, end),
		cmocka_unit_test(memory_out_is_not_fatal),
		cmocka_unit_test(first_error_is_kept_without_memory),
		cmocka_unit_test(nearest_words),
		cmocka_unit_test_setup_teardown(json_has_the_documented_shape, begin, end),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(text_of_people_is_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
