/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: policy/read/parse.c policy/read/scan.c policy/read/lex.c policy/read/scalar.c policy/read/text.c
 * LINK: policy/read/include.c policy/read/bracket.c policy/read/list.c appliance/base/addr.c appliance/base/arena.c
 * LINK: appliance/base/bytes.c appliance/base/diag.c appliance/base/diag_print.c appliance/base/messages.c
 * LINK: appliance/base/utf8.c
 * LIBS: libconfig
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/read/parse.h"
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

/* Groups are handed over in slices; the edges are where that would show. */
static void large_groups_keep_every_member(void **state)
{
	static const unsigned sizes[] = { 1, 255, 256, 257, 512, 513, 3000 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (int nested = 0; nested < 2; nested++) {
			char *text = malloc(sizes[s] * 24 + 100), *p = text;
			struct memory_text one = { "site.cfg", text };
			const struct ast_node *root, *c;
			struct policy_text t;
			unsigned i = 0;

			p += sprintf(p, nested ? "g = {\n" : "\n");
			for (unsigned k = 0; k < sizes[s]; k++)
				p += sprintf(p, "k%u = %u%s", k, k, k % 3 == 0 ? "," : ";\n");
			sprintf(p, nested ? "};\nlast = 1;\n" : "\n");
			policy_text_begin(&t, &one, 1);
			root = parse_policy(&t.c, &t.loader, "site.cfg");
			assert_non_null(root);
			if (nested)
				assert_int_equal(find(root, "last")->number, 1);
			for (c = nested ? root->child->child : root->child; c != NULL; c = c->next)
				assert_int_equal(c->number, i++);
			assert_int_equal(i, sizes[s]);
			policy_text_end(&t);
			free(text);
		}
	}
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

/* At every budget: a tree, or none and no crash. */
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
		cmocka_unit_test(values_come_from_libconfig),
		cmocka_unit_test(large_groups_keep_every_member),
		cmocka_unit_test(errors_give_no_tree),
		cmocka_unit_test(memory_out_gives_no_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
