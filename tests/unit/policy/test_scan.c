/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner alone: the positions of what it reads, and its messages about mistakes.
 *
 * LINK: policy/read/scan.c policy/read/lex.c policy/read/include.c
 * LINK: policy/read/bracket.c appliance/base/addr.c appliance/base/arena.c appliance/base/bytes.c
 * LINK: appliance/base/diag.c appliance/base/diag_print.c appliance/base/messages.c
 * LINK: appliance/base/errno_text.c appliance/base/utf8.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/read/scanner.h"
#include "tests/unit/policy/policy_text.h"

static bool scan(struct policy_text *t, struct scan_result *r, const char *text)
{
	static struct memory_text texts[3];

	texts[0] = (struct memory_text){ "site.cfg", text };
	texts[1] = (struct memory_text){ "in.cfg", "  { name = \"x\"; },\n  { name = \"y\"; }\n" };
	texts[2] = (struct memory_text){ "loop.cfg", "a = 1;\n@include \"loop.cfg\"\n" };
	policy_text_begin(t, texts, 3);
	return scan_policy(&t->c, &t->loader, "site.cfg", r);
}

static const struct ast_node *nth(const struct ast_node *node, unsigned n)
{
	const struct ast_node *c = node->child;

	while (n-- > 0)
		c = c->next;
	return c;
}

static void at(struct srcpos p, uint32_t file, uint32_t line, uint32_t column)
{
	assert_int_equal(p.file, file);
	assert_int_equal(p.line, line);
	assert_int_equal(p.column, column);
}

static void every_setting_and_value_has_its_place(void **state)
{
	struct policy_text t;
	struct scan_result r;
	const struct ast_node *a, *list;

	(void)state;
	assert_true(scan(
		&t, &r,
		"# 北\nsite = { label = \"北ターミナル\"; n = -5; };\n\n/* x\n */ units = [1,\n  22]; ok = TRUE;\n"));
	assert_int_equal(r.root->n, 3);
	a = r.root->child;
	assert_string_equal(a->name, "site");
	at(a->at, 0, 2, 1);
	at(a->value_at, 0, 2, 8);
	assert_int_equal(a->kind, AST_GROUP);
	at(nth(a, 0)->at, 0, 2, 10);
	at(nth(a, 0)->value_at, 0, 2, 18);
	assert_int_equal(nth(a, 0)->value_width, 8); /* characters, with the quotes */
	at(nth(a, 1)->at, 0, 2, 28);
	assert_int_equal(nth(a, 1)->kind, AST_NUMBER);
	list = nth(r.root, 1);
	assert_int_equal(list->kind, AST_ARRAY);
	at(list->at, 0, 5, 5);
	at(nth(list, 1)->at, 0, 6, 3);
	assert_int_equal(nth(list, 1)->width, 2);
	assert_int_equal(nth(r.root, 2)->kind, AST_BOOL);
	policy_text_end(&t);
}

static void includes_keep_their_places(void **state)
{
	struct policy_text t;
	struct scan_result r;
	const struct ast_node *list;

	(void)state;
	assert_true(scan(&t, &r, "a = 1;\nlist = (\n@include \"in.cfg\"\n , { name = \"z\"; });\nb = 2;\n"));
	list = nth(r.root, 1);
	assert_int_equal(list->n, 3);
	at(nth(list, 1)->at, 1, 2, 3);
	at(nth(list, 2)->at, 0, 4, 4);
	at(nth(r.root, 2)->at, 0, 5, 1);
	assert_int_equal(t.c.n_sources, 2);
	policy_text_end(&t);
}

struct slip {
	const char *text;
	const char *code;
	uint32_t line, column;
	size_t errors;
};

/* One mistake, one diagnostic, at the place where a person would point. */
static const struct slip slips[] = {
	{ "a = [\"x\",];\n", "policy.trailing_comma", 1, 9, 1 },
	{ "a = (1,2,\n);\n", "policy.trailing_comma", 1, 9, 1 },
	{ "a = [,1];", "policy.syntax", 1, 6, 1 },
	{ "a = [1 2];", "policy.missing_comma", 1, 7, 1 },
	{ "a = [\"x\" \"y\"];", "policy.missing_comma", 1, 9, 1 },
	{ "a = [1; 2];", "policy.syntax", 1, 7, 1 },
	{ "a = [1, \"2-3\"];", "policy.array", 1, 9, 1 },
	{ "a = [{ b = 1; }];", "policy.array", 1, 6, 1 },
	{ "a = \"abc;\nb = 1;", "policy.unclosed_string", 1, 5, 1 },
	{ "a = [\"abc];\nb = 1;", "policy.unclosed_string", 1, 6, 1 },
	{ "a = \"\\q\";", "policy.escape", 1, 6, 1 },
	{ "a = \"\\x00\";", "policy.escape", 1, 6, 1 },
	{ "a = 'abc';", "policy.quotes", 1, 5, 1 },
	{ "a = enforce;", "policy.unquoted", 1, 5, 1 },
	{ "a = 10.0.0.0/8;", "policy.unquoted", 1, 5, 1 },
	{ "a = 1-5;", "policy.unquoted", 1, 5, 1 },
	{ "a = 4294967296;", "policy.number", 1, 5, 1 },
	{ "a = 2147483648;", "policy.number", 1, 5, 1 },
	{ "a = 0xFFFFFFFF;", "policy.number", 1, 5, 1 },
	{ "a = 1.5;", "policy.number", 1, 5, 1 },
	{ "a = 007;", "policy.number", 1, 5, 1 },
	{ "a = { b = 1;\n", "policy.unclosed", 1, 5, 1 },
	{ "a = { b = ( 1 };\nc = 2;", "policy.unclosed", 1, 15, 1 },
	{ "a = { b = 1; ];\nc = 2;", "policy.bracket", 1, 14, 1 },
	{ "a = 1; }\nb = 2;", "policy.bracket", 1, 8, 1 },
	{ "a = {\n  b = 1;\nc = 2;\n", "policy.unclosed", 3, 1, 1 },
	{ "a = (\n  { b = 1; }\nc = 2;\n", "policy.unclosed", 3, 1, 1 },
	{ "a = ( { b = 1;\n  { b = 2; } );", "policy.unclosed", 2, 3, 1 },
	{ "a = ( b = 1; );", "policy.syntax", 1, 7, 1 },
	{ "a 1;", "policy.syntax", 1, 1, 1 },
	{ "a { b = 1; };", "policy.syntax", 1, 1, 1 },
	{ "a = ;", "policy.syntax", 1, 1, 1 },
	{ "a =\nb = 1;", "policy.syntax", 1, 1, 1 },
	{ "a = 1;;", "policy.syntax", 1, 7, 1 },
	{ "1a = 1;", "policy.name", 1, 1, 1 },
	{ "\"a\" = 1;", "policy.name", 1, 1, 1 },
	{ "クレーン = 1;", "policy.name", 1, 1, 1 },
	{ "a = 1; a = 2;", "policy.duplicate", 1, 8, 1 },
	{ "a = 1;\n/* b\n", "policy.unclosed_comment", 2, 1, 1 },
	{ "a ＝ 1;", "policy.full_width", 1, 3, 1 },
	{ "a = 1；", "policy.full_width", 1, 6, 1 },
	{ "a = “x”;", "policy.full_width", 1, 5, 1 },
	{ "a　= 1;", "policy.full_width", 1, 2, 1 },
	{ "a = １２;", "policy.full_width", 1, 5, 1 },
	{ "a = ｛ b = 1; ｝;", "policy.full_width", 1, 5, 2 },
	{ "ｍｏｄｅ = 1;", "policy.full_width", 1, 1, 1 },
	{ "a\xc2\xa0= 1;", "policy.full_width", 1, 2, 1 },
	{ "＃ a\nb = 1;", "policy.full_width", 1, 1, 1 },
	{ "\xef\xbb\xbf"
	  "a = 1;",
	  "policy.bom", 1, 1, 1 },
	{ "a = 1;\n# \xe2\x80\xae", "policy.direction_character", 2, 3, 1 },
	{ "a = \"\x96\x6b\x83\x5e\";", "policy.encoding", 1, 6, 1 },
	{ "a = \"\xcb\xcc\xa5\xbf\";", "policy.encoding", 1, 6, 1 },
	{ "a = \"\xff\xff\xfd\";", "policy.encoding", 1, 6, 1 },
	{ "a = 1;\x1b$B", "policy.encoding", 1, 7, 1 },
	{ "a = 1;\n b = 2; \x07", "policy.control_character", 2, 9, 1 },
	{ "\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11", "policy.binary", 1, 1, 1 },
	{ "@include \"/etc/passwd\"\n", "policy.include_outside", 1, 10, 1 },
	{ "@include \"../x\"\n", "policy.include_outside", 1, 10, 1 },
	{ "@include \"a/../x\"\n", "policy.include_outside", 1, 10, 1 },
	{ "@include \"a\\\\x\"\n", "policy.include_outside", 1, 10, 1 },
	{ "@include \"\"\n", "policy.include_outside", 1, 10, 1 },
	{ "@include \"nothing.cfg\"\n", "policy.unreadable", 1, 10, 1 },
	{ "@include \"site.cfg\"\n", "policy.include_loop", 1, 10, 1 },
	{ "@inclde \"in.cfg\"\n", "policy.syntax", 1, 1, 1 },
	{ "a = { @include \"in.cfg\"\n };", "policy.syntax", 1, 3, 1 },
	/* one cause, one error, whatever follows */
	{ "a = \"x; b = \"y z\"; c = \"w\";\nd = 1;", "policy.unclosed_string", 1, 5, 1 },
	{ "a = [\"x, \"y z\", \"w\"];\nd = 1;", "policy.unclosed_string", 1, 6, 1 },
	{ "c = { { n = 1; m = 1; },\n { n = 2; m = 2; }, { n = 3; } };\nd = 1;", "policy.bracket", 1, 5, 1 },
	{ "c = ( { n = 1; m = 1; ),\n { n = 2; m = 2; }, { n = 3; } );\nd = 1;", "policy.bracket", 1, 23, 1 },
	{ "c = ( { n = 1; }, { n = 2; )\n);\nd = 1;", "policy.bracket", 1, 28, 1 },
	{ "z = { a = \"x\", \"y\"]; b = 1; };\nd = 1;", "policy.bracket", 1, 11, 1 },
	{ "z = { a = \"x\"]; b = 1; };\nd = 1;", "policy.bracket", 1, 11, 1 },
	{ "c = { n = 1; },\n { n = 2; });\nd = 1;", "policy.bracket", 1, 5, 1 },
	{ "z = { a = n = [1]; m = 2; };\n b = { n = 1; }; };\nd = 1;", "policy.bracket", 1, 11, 1 },
	{ "c = ( { n => 1; m = 2; }, { n = 1; } );", "policy.syntax", 1, 12, 1 },
	{ "c = ( { n = 1; }; , { n = 1; } );", "policy.syntax", 1, 17, 1 },
	{ "c = [\"x\"]];\nd = 1;", "policy.bracket", 1, 10, 1 },
	{ "c = (\"x\")];\nd = 1;", "policy.bracket", 1, 10, 1 },
	{ "c = { \"x\", \"y\" };\nd = 1;", "policy.bracket", 1, 5, 1 },
	{ "c = { \"n\": 1; m = 2; };", "policy.name", 1, 7, 1 },
	{ "c = ( { n -> [\"x\"]; m = [1]; }, { m = [2]; } );", "policy.syntax", 1, 9, 1 },
	{ "c = ( { n += ( \"x;\", [1] ); m = 1; }, { m = 2; } );", "policy.syntax", 1, 9, 1 },
	{ "c = ( { l = \"x\": n = [1]; m = [1]; }, { m = [2]; } );", "policy.syntax", 1, 16, 1 },
};

static void slips_are_told_where_they_are(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		const struct slip *s = &slips[i];
		struct policy_text t;
		struct scan_result r;
		const struct diag *g;
		bool ok = scan(&t, &r, s->text);

		g = policy_text_diag(&t, 0);
		if (ok || g == NULL || strcmp(g->code, s->code) != 0 || g->at.line != s->line ||
		    g->at.column != s->column || t.c.diags.errors != s->errors) {
			fprintf(stderr, "slip %zu: %s\n", i, s->text);
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
			wrong++;
		}
		policy_text_end(&t);
	}
	assert_int_equal(wrong, 0);
}

/* A policy as people write it: groups with names, lists of groups, lists in lists, arrays in one
 * line and in several. */
static const char written[] =
	"version = 1;\n"
	"site = { name = \"kita\"; label = \"北\"; };\n"
	"zones = {\n"
	"  office = { interfaces = [\"lan0\"]; networks = [\"10.10.0.0/16\", \"2001:db8:10::/48\"]; };\n"
	"  tos    = { interfaces = [\"lan1\"]; networks = [\"10.20.0.0/24\"];\n"
	"             owner = \"Terminal\"; patchable = false; };\n"
	"  crane  = { interfaces = [\"lan2\"]; networks = [\"10.30.0.0/22\"]; };\n"
	"};\n"
	"services = {\n"
	"  read = { protocol = \"modbus\"; ports = [\"tcp/502\"];\n"
	"           allow = ( { commands = [\"read\"]; units = [1]; holding = [\"0-99\"]; },\n"
	"                     { commands = [\"write\"]; units = [1, 2]; } ); };\n"
	"  web  = { protocol = \"tls\"; ports = [\"tcp/443\"]; };\n"
	"};\n"
	"conduits = (\n"
	"  { name = \"a\"; from = \"tos\"; to = \"crane\"; sources = [\"db\"]; services = [\"read\"];\n"
	"    accept = ( { warning = \"w\"; reason = \"r\"; } ); },\n"
	"  { name = \"b\"; from = \"office\"; to = \"tos\";\n"
	"    services = [\"web\"]; until = \"2030\"; },\n"
	"  { name = \"c\"; from = \"office\"; to = \"tos\"; services = [\"web\"]; }\n"
	");\n"
	"never = (\n"
	"  { from = \"office\"; to = \"crane\"; commands = [\"write\"]; },\n"
	"  { from = \"tos\"; to = \"office\"; }\n"
	");\n";

/* Whether the text, in which `what` was done at `at`, has at most one error. */
static bool one_error(const char *text, const char *what, size_t at)
{
	struct policy_text t;
	struct scan_result r;
	bool ok;

	scan(&t, &r, text);
	ok = t.c.diags.errors <= 1;
	if (!ok) {
		fprintf(stderr, "%s at byte %zu: %s\n", what, at, text);
		diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
	}
	policy_text_end(&t);
	return ok;
}

/* Each character of a policy is left out, typed twice, or replaced by another. */
static void one_slip_is_one_error(void **state)
{
	static const char signs[] = "{}()[];,=\"";
	static const char *const mistaken[] = { "([", ")]", "{[", "}]", "({", ")}", ",", ";", ":", "'" };
	char text[sizeof(written) + 1];
	size_t slips_made = 0, wrong = 0;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(written); i++) {
		const char *sign = strchr(signs, written[i]);

		if (sign == NULL)
			continue;
		memcpy(text, written, i);
		memcpy(text + i, written + i + 1, sizeof(written) - i - 1);
		wrong += !one_error(text, "left out", i);
		text[i] = written[i];
		memcpy(text + i + 1, written + i, sizeof(written) - i);
		wrong += !one_error(text, "typed twice", i);
		memcpy(text, written, sizeof(written));
		for (const char *other = mistaken[sign - signs]; *other != '\0'; other++) {
			text[i] = *other;
			wrong += !one_error(text, "mistaken", i);
			slips_made++;
		}
		slips_made += 2;
	}
	assert_true(slips_made > 600);
	assert_int_equal(wrong, 0);
}

static void what_libconfig_takes_is_taken(void **state)
{
	static const char *const good[] = {
		"",
		"a = 1",
		"a = 1, b = 2;",
		"a : 1;",
		"a = \"x\" \"y\";",
		"a = ();",
		"a = [];",
		"a = {};",
		"a = 0x1F;",
		"a = 5L;",
		"a = +3;",
		"a = true; b = FALSE;",
		"a = { b = 1 };",
		"a = ( 1, \"x\", [2], (3), { b = 1; } );",
		"// c\n# d\n/* e */ a = 1;",
		"a = \"全角　＝；\"; # コメント　；\n",
		"a = \"\\\"\\\\\";\r\nb = 2;\r\n",
		"A-b_c9 = 1;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct policy_text t;
		struct scan_result r;

		if (!scan(&t, &r, good[i])) {
			fprintf(stderr, "%s\n", good[i]);
			fail();
		}
		policy_text_end(&t);
	}
}

static void a_missing_semicolon_is_advice(void **state)
{
	struct policy_text t;
	struct scan_result r;

	(void)state;
	assert_true(scan(&t, &r, "a = 1\nb = \"x\"\nc = 2;\n"));
	assert_int_equal(t.c.diags.warnings, 2);
	at(policy_text_diag(&t, 0)->at, 0, 1, 6);
	at(policy_text_diag(&t, 1)->at, 0, 2, 8);
	policy_text_end(&t);
}

/* Several mistakes in one text are all reported. */
static void recovery_goes_on(void **state)
{
	static const uint32_t lines[] = { 1, 2, 4, 6, 8 };
	struct policy_text t;
	struct scan_result r;

	(void)state;
	assert_false(scan(&t, &r,
			  "a = enforce;\n"
			  "b = [\"x\",];\n"
			  "c = 1;\n"
			  "d = \"open;\n"
			  "e = { f = 1; };\n"
			  "g ＝ 1;\n"
			  "h = 1;\n"
			  "a = 3;\n"));
	assert_int_equal(t.c.diags.errors, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(policy_text_diag(&t, i)->at.line, lines[i]);
	policy_text_end(&t);
}

static void limits_are_met_in_time(void **state)
{
	struct policy_text t;
	struct scan_result r;
	char *deep = calloc(1, 300001);

	(void)state;
	for (size_t i = 0; i < 300000; i++)
		deep[i] = i == 0 ? 'a' : i == 1 ? '=' : '(';
	assert_false(scan(&t, &r, deep));
	assert_string_equal(policy_text_diag(&t, 0)->code, "policy.too_deep");
	policy_text_end(&t);
	assert_false(scan(&t, &r, "@include \"loop.cfg\"\n"));
	assert_string_equal(policy_text_diag(&t, 0)->code, "policy.include_loop");
	assert_int_equal(policy_text_diag(&t, 0)->at.file, 1);
	policy_text_end(&t);
	free(deep);
}

/* Processor time for a value with 100,000 strings, with `between` between them. */
static double seconds_for_texts(const char *open, const char *between, const char *close)
{
	enum { TEXTS = 100000, ROOM = TEXTS * 4 + 64 };
	struct policy_text t;
	struct scan_result r;
	char *text = calloc(1, ROOM), *p = text;
	clock_t begun;

	p += sprintf(p, "a = %s\"x\"", open);
	for (size_t i = 1; i < TEXTS; i++)
		p += sprintf(p, "%s\"x\"", between);
	sprintf(p, "%s;\n", close);
	begun = clock();
	assert_true(scan(&t, &r, text));
	begun = clock() - begun;
	policy_text_end(&t);
	free(text);
	return (double)begun / CLOCKS_PER_SEC;
}

/* The text is not searched again for each of its strings: many strings that follow each other take
 * about as long as a list of them. */
static void time_grows_with_the_text_alone(void **state)
{
	double apart = seconds_for_texts("[", ",", "]");

	(void)state;
	assert_true(seconds_for_texts("", "\t", "") < 10 * apart);
}

static void names_of_includes(void **state)
{
	(void)state;
	assert_true(scan_name_confined("a.cfg"));
	assert_true(scan_name_confined("cranes/a.cfg"));
	assert_true(scan_name_confined("..a/b"));
	assert_false(scan_name_confined(""));
	assert_false(scan_name_confined("/a"));
	assert_false(scan_name_confined(".."));
	assert_false(scan_name_confined("a/.."));
	assert_false(scan_name_confined("a//b"));
	assert_false(scan_name_confined("./a"));
	assert_false(scan_name_confined("a/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_and_value_has_its_place),
		cmocka_unit_test(includes_keep_their_places),
		cmocka_unit_test(slips_are_told_where_they_are),
		cmocka_unit_test(one_slip_is_one_error),
		cmocka_unit_test(what_libconfig_takes_is_taken),
		cmocka_unit_test(a_missing_semicolon_is_advice),
		cmocka_unit_test(recovery_goes_on),
		cmocka_unit_test(limits_are_met_in_time),
		cmocka_unit_test(time_grows_with_the_text_alone),
		cmocka_unit_test(names_of_includes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
