/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) appliance/wire/commands_json.c appliance/wire/notation.c
 * LINK: appliance/wire/tag.c
 * LINK: policy/ir/skeleton/%.c policy/ir/elements.c policy/ir/names.c policy/render/nft.c
 * LINK: policy/render/nft_rule.c
 * LINK: policy/render/json.c appliance/base/json.c appliance/base/utf8.c appliance/wire/duty.c
 * LINK: appliance/wire/reason.c appliance/wire/msg.c policy/ir/json.c policy/ir/moment.c
 * LINK: appliance/base/memfd.c
 * LINK: appliance/wire/attack.c
 * LIBS: nettle jansson
 */
/* What the renderings contain. tests/netns/nft_text checks that nft accepts the text, and
 * tests/golden its exact words. */
#include "policy/ir/seal.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/model_make.h"

static void lower(struct model_maker *k)
{
	uint8_t *p;
	struct err e;
	size_t n;

	assert_true(maker_lower(k));
	assert_int_equal(ir_seal(k->c.ir, &p, &n, &e), 0);
	free(p);
}

static char *nft_of(struct model_maker *k)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	render_nft(to, k->c.ir);
	fclose(to);
	return text;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
		n++;
	return n;
}

static void nft_text_has_every_cell_and_its_lines(void **state)
{
	struct model_maker k;
	size_t cells;
	char *text;

	(void)state;
	maker_init(&k);
	maker_site(&k);
	lower(&k);
	text = nft_of(&k);
	assert_int_equal(times(text, "policy drop;"), 6);
	cells = times(text, " . tcp . ") + times(text, " . udp . ") + times(text, " . icmp . ") +
		times(text, " . ipv6-icmp . ");
	assert_int_equal(cells, k.c.ir->n_cells);
	assert_non_null(strstr(text, "# tos-reads-cranes (site.cfg:"));
	assert_non_null(strstr(text, ", tos-sets-rtg01 (site.cfg:"));
	/* nft has no words for an end at a point in time: the element is a comment, so that a
	 * policy that is loaded from this text refuses. */
	assert_non_null(strstr(text, "\t\t\t# until 2033-05-18T03:33:20Z: \"wan0\" . \"lan2\" . "));
	assert_null(strstr(text, "\n\t\t\t\"wan0\" . \"lan2\""));
	/* The queues of both workers of a lane, and the bypass of a lane that holds. */
	assert_non_null(strstr(text, "queue flags bypass to "));
	assert_non_null(strstr(text, "ipv6-icmp . 32768"));
	free(text);
	maker_free(&k);
}

/* Names come from the operator; none of them may become a rule. */
static void names_stay_in_their_comments(void **state)
{
	struct model_maker k;
	char *text;

	(void)state;
	maker_init(&k);
	maker_site(&k);
	k.m.conduits[0].name = "x\n\t\t\taccept #";
	k.m.site_name = "kita\"\n}\ntable inet evil { chain x { accept } }";
	k.m.box.interfaces[1].device = "lan1\" accept; \"";
	lower(&k);
	text = nft_of(&k);
	assert_null(strstr(text, "\n\t\t\taccept #"));
	assert_null(strstr(text, "\ntable inet evil"));
	assert_null(strstr(text, "\" accept;"));
	assert_int_equal(times(text, "\ntable "), 1);
	free(text);
	maker_free(&k);
}

static void an_empty_policy_renders(void **state)
{
	struct model_maker k;
	char *text;
	json_t *j;

	(void)state;
	maker_init(&k);
	lower(&k);
	text = nft_of(&k);
	assert_null(strstr(text, "elements"));
	assert_non_null(strstr(text, "# every lane in use is closed"));
	free(text);
	j = render_json(k.c.ir);
	assert_int_equal(json_array_size(json_object_get(j, "cells")), 0);
	json_decref(j);
	maker_free(&k);
}

static const char *word(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void json_says_it_all(void **state)
{
	const json_t *permits, *cells, *grant, *row;
	struct model_maker k;
	bool found = false;
	json_t *j;

	(void)state;
	maker_init(&k);
	maker_site(&k);
	lower(&k);
	j = render_json(k.c.ir);
	assert_string_equal(word(json_object_get(j, "site"), "label"), "北ターミナル");
	assert_int_equal(strlen(word(json_object_get(j, "generation"), "digest")), 64);
	permits = json_object_get(j, "permits");
	cells = json_object_get(j, "cells");
	assert_int_equal(json_array_size(permits), k.c.ir->n_permits);
	assert_int_equal(json_array_size(cells), k.c.ir->n_cells);
	for (size_t i = 0; i < json_array_size(cells); i++) {
		const json_t *c = json_array_get(cells, i), *p;

		if (strcmp(word(c, "source"), "10.20.0.10") != 0 || strcmp(word(c, "destination"), "10.30.1.10") != 0)
			continue;
		found = true;
		assert_string_equal(word(c, "protocol"), "tcp");
		assert_string_equal(word(c, "ports"), "502");
		assert_string_equal(word(c, "file"), "site.cfg");
		p = json_array_get(permits, (size_t)json_integer_value(json_object_get(c, "permit")) - 1);
		assert_int_equal(json_array_size(json_object_get(p, "grants")), 2);
		assert_string_equal(word(p, "lane"), "commands/cargo/closed/closed");
		grant = json_array_get(json_object_get(p, "grants"), 1);
		assert_string_equal(word(grant, "conduit"), "tos-sets-rtg01");
		row = json_array_get(json_object_get(grant, "rows"), 0);
		assert_string_equal(word(row, "holding"), "400");
		assert_string_equal(word(row, "units"), "1");
		assert_string_equal(word(row, "coils"), "");
		assert_string_equal(word(row, "values"), "any");
	}
	assert_true(found);
	json_decref(j);
	maker_free(&k);
}

static void texts_become_strings(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "\xe3\x82\xaf", "\xe3\x82\xaf" },
		{ "\x83N\x83\x8c", "?N??" },	/* CP932 */
		{ "a\xe3\x82", "a??" },		/* cut short */
		{ "\xed\xa0\x80", "???" },	/* a surrogate */
		{ "\xc0\xaf", "??" },		/* overlong */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond the last plane */
		{ "\xf0\x9f\x8f\x97", "\xf0\x9f\x8f\x97" },
	};
	struct addr a;
	json_t *j;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = json_text(cases[i].in);
		assert_non_null(j);
		assert_string_equal(json_string_value(j), cases[i].out);
		json_decref(j);
	}
	assert_true(json_is_null(json_text(NULL)));
	assert_true(addr_parse("2001:db8::1", &a));
	j = json_endpoint(&a, 502);
	assert_string_equal(json_string_value(j), "[2001:db8::1]:502");
	json_decref(j);
	j = json_time(2000000000123456789u);
	assert_string_equal(json_string_value(j), "2033-05-18T03:33:20.123Z");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nft_text_has_every_cell_and_its_lines),
		cmocka_unit_test(names_stay_in_their_comments),
		cmocka_unit_test(an_empty_policy_renders),
		cmocka_unit_test(json_says_it_all),
		cmocka_unit_test(texts_become_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
