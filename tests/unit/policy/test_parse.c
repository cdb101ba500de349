/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: policy/read/parse.c policy/read/scan.c policy/read/lex.c
 * LINK: policy/read/include.c policy/read/bracket.c appliance/base/addr.c appliance/base/arena.c
 * LINK: appliance/base/bytes.c appliance/base/diag.c appliance/base/diag_print.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/base/utf8.c
 * LIBS: libconfig
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/read/read.h"
#include "tests/unit/policy/policy_text.h"

static const struct ast_node *find(const struct ast_node *group, const char *name)
{
	const struct ast_node *c = group->child;

	while (c != NULL && strcmp(c->name, name) != 0)
		c = c->next;
	assert_non_null(c);
	return c;
}

static void values_come_from_libconfig(void **state)
{
	static const struct memory_text texts[] = {
		{ "site.cfg", "a = \"x\\\"\\\\\\t北\" \"-y\";\nb = -5;\nc = 0x1F;\nd = TRUE;\ne = 5L;\nl = ( 1, \"z\", "
			      "{ q = 2; } );\n"
			      "@include \"more/in.cfg\"\nlast = 9;\n" },
		{ "more/in.cfg", "inc = { v = [\"1\", \"2\"]; };" },
	};
	const struct ast_node *root, *l;
	struct policy_text t;

	(void)state;
	policy_text_begin(&t, texts, 2);
	root = parse_policy(&t.c, &t.loader, "site.cfg");
	assert_non_null(root);
	assert_string_equal(find(root, "a")->string, "x\"\\\t北-y");
	assert_int_equal(find(root, "b")->number, -5);
	assert_int_equal(find(root, "c")->number, 31);
	assert_true(find(root, "d")->truth);
	assert_int_equal(find(root, "e")->number, 5);
	l = find(root, "l");
	assert_int_equal(l->child->number, 1);
	assert_string_equal(l->child->next->string, "z");
	assert_int_equal(l->child->next->next->child->number, 2);
	assert_string_equal(find(root, "inc")->child->child->next->string, "2");
	assert_int_equal(find(root, "inc")->at.file, 1);
	assert_int_equal(find(root, "last")->number, 9);
	assert_int_equal(find(root, "last")->at.line, 8);
	policy_text_end(&t);
}

/* The byte at a place; columns count characters. */
static const char *text_at(const struct policy_text *t, struct srcpos at)
{
	const char *p = t->c.sources[at.file].text;

	for (uint32_t line = 1; line < at.line; line++)
		p = strchr(p, '\n') + 1;
	for (uint32_t column = 1; column < at.column; p++)
		column += ((unsigned char)p[1] & 0xc0u) != 0x80u;
	return p;
}

static size_t hold_places(const struct policy_text *t, const struct ast_node *group)
{
	size_t n = 0;

	for (const struct ast_node *c = group->child; c != NULL; c = c->next, n++) {
		const char *value = text_at(t, c->value_at);

		if (c->name != NULL)
			assert_memory_equal(text_at(t, c->at), c->name, strlen(c->name));
		switch (c->kind) {
		case AST_GROUP:
			assert_int_equal(*value, '{');
			break;
		case AST_LIST:
			assert_int_equal(*value, '(');
			break;
		case AST_ARRAY:
			assert_int_equal(*value, '[');
			break;
		case AST_STRING:
			assert_int_equal(*value, '"');
			assert_memory_equal(value + 1, c->string, strlen(c->string));
			break;
		case AST_NUMBER:
			assert_int_equal(strtoll(value, NULL, 0), c->number);
			break;
		case AST_BOOL:
			assert_int_equal((*value | 0x20) == 't', c->truth);
			break;
		}
		n += hold_places(t, c);
	}
	return n;
}

/* The parser's place of each value is the scanner's place, in every text and at every depth. */
static void every_value_is_at_its_place(void **state)
{
	static const struct memory_text texts[] = {
		{ "site.cfg", "北 = 1; # not read\n" },
		{ "good.cfg", "# 北\nlist = ( 1, \"北\", [ 0x1f, -2 ], /* x\n */ ( ), { q = TRUE } ) x : false,\n"
			      "@include \"more/in.cfg\"\n  g = { @include \"more/in.cfg\"\n tail = 5L }\n"
			      "l = ( 7,\n@include \"elements.cfg\"\n, 9 ) // end" },
		{ "more/in.cfg",
		  "inc = { label = \"北ターミナル\"; v = [\"1\", \"2\"]; }; // a comment without an end of line" },
		{ "elements.cfg", "{ a = 1; },\n \"two\" # and one here" },
	};
	const struct ast_node *root;
	struct policy_text t;

	(void)state;
	policy_text_begin(&t, texts, 4);
	assert_null(parse_policy(&t.c, &t.loader, "site.cfg"));
	policy_text_end(&t);
	policy_text_begin(&t, texts, 4);
	root = parse_policy(&t.c, &t.loader, "good.cfg");
	assert_non_null(root);
	assert_int_equal(hold_places(&t, root), 28);
	policy_text_end(&t);
}

/* libconfig reads the text without changes, and a large group takes no longer than many small ones.
 * If members were compared one by one, this text would take a minute. */
static void large_groups_are_quick(void **state)
{
	enum { N = 60000 };
	char *text = malloc(N * 24 + 100), *p = text;
	struct memory_text one = { "site.cfg", text };
	const struct ast_node *root, *c;
	struct policy_text t;
	unsigned i = 0;
	clock_t start = clock();

	(void)state;
	p += sprintf(p, "g = {\n");
	for (unsigned k = 0; k < N; k++)
		p += sprintf(p, "k%u = %u%s", k, k, k % 3 == 0 ? "," : ";\n");
	sprintf(p, "};\nlast = 1;\n");
	policy_text_begin(&t, &one, 1);
	root = parse_policy(&t.c, &t.loader, "site.cfg");
	assert_non_null(root);
	assert_int_equal(find(root, "last")->number, 1);
	for (c = root->child->child; c != NULL; c = c->next)
		assert_int_equal(c->number, i++);
	assert_int_equal(i, N);
	assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
	policy_text_end(&t);
	free(text);
}

static void errors_give_no_tree(void **state)
{
	static const struct memory_text bad = { "site.cfg", "a = 1;\nb = [1,];\n" }, none = { "other.cfg", "" };
	struct policy_text t;

	(void)state;
	policy_text_begin(&t, &bad, 1);
	assert_null(parse_policy(&t.c, &t.loader, "site.cfg"));
	assert_int_equal(t.c.diags.errors, 1);
	policy_text_end(&t);
	policy_text_begin(&t, &none, 1);
	assert_null(parse_policy(&t.c, &t.loader, "site.cfg"));
	assert_string_equal(policy_text_diag(&t, 0)->code, "policy.unreadable");
	assert_string_equal(t.c.sources[0].name, "site.cfg");
	policy_text_end(&t);
}

/* Whatever the limit of memory is, parsing gives a tree or fails, and does not crash. */
static void memory_out_gives_no_tree(void **state)
{
	static const struct memory_text texts[] = { { "site.cfg", "a = { b = (1, 2, 3); };\n@include \"in.cfg\"\n" },
						    { "in.cfg", "c = \"x\";" } };

	(void)state;
	for (size_t budget = 0; budget < 4; budget++) {
		struct policy_text t;

		policy_text_begin(&t, texts, 2);
		arena_free(t.c.arena);
		t.c.arena = arena_new(budget * 65536);
		diags_init(&t.c.diags, t.c.arena);
		if (budget == 0)
			assert_null(parse_policy(&t.c, &t.loader, "site.cfg"));
		else
			parse_policy(&t.c, &t.loader, "site.cfg");
		policy_text_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_from_libconfig), cmocka_unit_test(every_value_is_at_its_place),
		cmocka_unit_test(large_groups_are_quick),     cmocka_unit_test(errors_give_no_tree),
		cmocka_unit_test(memory_out_gives_no_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
