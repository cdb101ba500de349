/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy language for a protocol of which only the words are known: rows with keys of four
 * targets and of spaces with parts, what they compile to, how they are printed, and the messages
 * about mistakes in both languages.
 *
 * LINK: appliance/wire/duty.c $(POLICY_SRC) $(BASE_SRC) appliance/wire/commands.c
 * LINK: appliance/wire/commands_json.c
 * LINK: appliance/wire/evaluate.c appliance/wire/hours.c appliance/wire/operation.c
 * LINK: appliance/wire/notation.c appliance/wire/tag.c appliance/wire/protocols.c
 * LINK: appliance/wire/settings.c appliance/wire/plain.c
 * LINK: appliance/wire/vocabulary.c appliance/wire/reason.c appliance/wire/msg.c
 * LINK: appliance/wire/attack.c
 * LIBS: libconfig nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/json.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/evaluate.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ranges.h"
#include "tests/unit/policy/policy_text.h"
#include "tests/unit/wire/made_up.h"

#define SITE                                                                                                           \
	"language_version = 1;\nzones = { a = { interfaces = [\"lan0\"]; networks = [\"10.1.0.0/16\"]; };"             \
	" b = { interfaces = [\"lan1\"]; networks = [\"10.2.0.0/16\"]; }; };\n"
#define CONDUITS                                                                                                       \
	"conduits = ( { name = \"c\"; from = \"a\"; to = \"b\"; services = [\"s\"]; purpose = \"p\"; owner = \"o\";"   \
	" review_by = \"2099-03-31\"; } );\n"

static struct policy_text t;
static char policy[4096];
static struct memory_text text = { "site.cfg", policy };

static bool check(const char *row)
{
	snprintf(policy, sizeof(policy),
		 SITE "services = { s = { protocol = \"modbus\"; ports = [\"tcp/502\"]; allow = (\n{ %s } ); }; "
		      "};\n" CONDUITS,
		 row);
	policy_text_begin(&t, &text, 1);
	return policy_check(&t.c, &t.loader, "site.cfg");
}

/* The row as `compile --to json` prints it. */
static json_t *compiled(const char *row)
{
	json_t *all, *one;

	if (!check(row) || !policy_lower(&t.c)) {
		diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
		fail();
	}
	all = render_json(t.c.ir);
	one = json_object_get(json_array_get(json_object_get(all, "permits"), 0), "grants");
	one = json_incref(json_array_get(json_object_get(json_array_get(one, 0), "rows"), 0));
	json_decref(all);
	return one;
}

static void prints(const json_t *row, const char *key, const char *expected)
{
	const char *said = json_string_value(json_object_get(row, key));

	if (said == NULL)
		fail_msg("no key %s", key);
	assert_string_equal(said, expected);
}

static void rows_have_the_protocols_keys(void **state)
{
	json_t *row = compiled(
		"commands = [\"read\"]; networks = [0]; stations = (\"1-3\", 5); modules = [0x3ff];"
		" slots = [\"0.2\", \"1\"]; db = [\"4\", \"5.100-109\", \"5.110.0-3\"]; x = [\"0x10-0x1f\", \"0x20\"];"
		" objects = [\"0x6b.0x1\"]; d = [0xff]; m29 = [9];");

	(void)state;
	prints(row, "networks", "0");
	prints(row, "stations", "1-3,5");
	prints(row, "modules", "0x3ff");
	prints(row, "slots", "0.2,1");
	prints(row, "d", "255");
	prints(row, "x", "0x10-0x20");
	prints(row, "db", "4,5.100-109,5.110.0-3");
	prints(row, "objects", "0x6b.0x1");
	prints(row, "deep", "");
	prints(row, "m28", "");
	prints(row, "m29", "9");
	prints(row, "values", "any");
	json_decref(row);
	policy_text_end(&t);
	/* A row that names nothing allows everything. Two ranges that touch become one. */
	row = compiled("functions = [\"0x14010000\", \"0x14010002\"]; values = [\"0xffffffff\"]; deep = [\"1.2.3\", "
		       "\"1.2.4.0-9\", \"2-7\"];");
	prints(row, "stations", "any");
	prints(row, "modules", "any");
	prints(row, "deep", "1.2.3,1.2.4.0-9,2-7");
	prints(row, "values", "4294967295");
	json_decref(row);
	policy_text_end(&t);
}

static struct operation write_to(uint64_t first, uint64_t count)
{
	return (struct operation){ .service = 0x14010000,
				   .targets = { 0, 2, 0x3ff, 34 },
				   .space = MADE_UP_BLOCKS,
				   .first = first,
				   .count = count };
}

/* The limit that a refusal names, in the words of the protocol. */
static void limited(const struct command_table *table, const struct operation *o, const char *expected)
{
	const struct allowance by = { table, &table->permits[0], &made_up };
	struct ruling r;
	struct limit l;
	json_t *j;
	char *said;

	evaluate(&by, o, 1, &r);
	if (expected == NULL) {
		assert_int_equal(r.refusal, REFUSED_NOT);
		return;
	}
	assert_int_not_equal(r.refusal, REFUSED_NOT);
	evaluate_limit(&by, o, &r, &l);
	j = limit_json(&l, &made_up, o->space);
	said = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(said, expected);
	free(said);
	json_decref(j);
}

static void compiled_rows_judge(void **state)
{
	uint64_t block = (uint64_t)4 << 19;
	struct operation o = write_to(block + 803, 5);
	const struct command_table *table;

	(void)state;
	json_decref(compiled("commands = [\"write\"]; stations = [2]; slots = [\"1.2-3\"]; db = [\"4.100-109\", "
			     "\"9\"]; values = [\"0-9\"];"));
	table = &t.c.ir->table;
	limited(table, &o, NULL);
	o = write_to(block + 879, 2);
	limited(table, &o,
		"{\"allowed\":[\"4.100-109\",\"9\"],\"at\":2098032,\"more\":0,\"place\":\"4.110.0\",\"what\":"
		"\"address\"}");
	o = write_to(block + 800, 8);
	o.targets[1] = 3;
	limited(table, &o, "{\"allowed\":[\"2\"],\"more\":0,\"what\":\"station\"}");
	o.targets[1] = 2;
	o.targets[3] = 36;
	limited(table, &o, "{\"allowed\":[\"1.2-3\"],\"more\":0,\"what\":\"slot\"}");
	o.targets[3] = 34;
	o.broadcast = 1u << 2; /* a module that stands for several: the row does not name it */
	limited(table, &o, "{\"allowed\":[\"0x0-0x3fe\",\"0x400-0xffff\"],\"more\":0,\"what\":\"module\"}");
	o.broadcast = 0;
	o.values = (struct values){ .form = VALUES_BETWEEN, .n = 1, .lo = 10, .hi = 10 };
	limited(table, &o,
		"{\"allowed\":[\"0-9\"],\"at\":2097952,\"more\":0,\"place\":\"4.100.0\",\"what\":\"value\",\"wrote\":"
		"10}");
	policy_text_end(&t);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static const struct wrong_row {
	const char *row;
	uint32_t column, width;
	const char *en, *hint_en, *hint_ja;
} wrong_rows[] = {
	{ "db = [\"4.100.8\"];", 16, 1, "\"4.100.8\" goes too high for \"db\"",
	  "numbers joined by dots: block.byte.bit; \"4\" is all that stands beneath 4, and the last number may be a "
	  "range: \"4.10-19\"",
	  "数を「.」でつなぎます: block.byte.bit。\"4\" は 4 の下すべてを表し、最後の数は範囲にできます: \"4.10-19\"" },
	{ "db = [\"65536\"];", 10, 5, "\"65536\" goes too high for \"db\"",
	  "numbers joined by dots: block.byte.bit; \"4\" is all that stands beneath 4, and the last number may be a "
	  "range: \"4.10-19\"",
	  "数を「.」でつなぎます: block.byte.bit。\"4\" は 4 の下すべてを表し、最後の数は範囲にできます: \"4.10-19\"" },
	{ "db = [\"1.2.3.4\"];", 16, 1, "\"1.2.3.4\" is not a number or range for \"db\"",
	  "numbers joined by dots: block.byte.bit; \"4\" is all that stands beneath 4, and the last number may be a "
	  "range: \"4.10-19\"",
	  "数を「.」でつなぎます: block.byte.bit。\"4\" は 4 の下すべてを表し、最後の数は範囲にできます: \"4.10-19\"" },
	{ "db = [\"1-2.3\"];", 10, 1, "\"1-2.3\" is not a number or range for \"db\"",
	  "numbers joined by dots: block.byte.bit; \"4\" is all that stands beneath 4, and the last number may be a "
	  "range: \"4.10-19\"",
	  "数を「.」でつなぎます: block.byte.bit。\"4\" は 4 の下すべてを表し、最後の数は範囲にできます: \"4.10-19\"" },
	{ "db = [\"1.5-3\"];", 12, 3, "\"1.5-3\" is not a number or range for \"db\"",
	  "from the lower to the higher number", "小さい数から大きい数へ" },
	{ "x = [\"10\"];", 9, 2, "\"10\" has no 0x; numbers of \"x\" are hexadecimal and begin with 0x",
	  "write \"0x10\" for that number of a device manual, \"0xa\" for decimal 10",
	  "マニュアルの番号（16 進数）のままなら \"0x10\"、10 進数のつもりなら \"0xa\"（10 進数の 10）と書きます" },
	{ "x = [10];", 8, 2, "\"10\" has no 0x; numbers of \"x\" are hexadecimal and begin with 0x",
	  "write \"0x10\" for that number of a device manual, \"0xa\" for decimal 10",
	  "マニュアルの番号（16 進数）のままなら \"0x10\"、10 進数のつもりなら \"0xa\"（10 進数の 10）と書きます" },
	{ "x = [\"1F\"];", 9, 2, "\"1F\" has no 0x; numbers of \"x\" are hexadecimal and begin with 0x",
	  "write \"0x1F\"", "\"0x1F\" と書いてください" },
	{ "x = [\"0x10-0x2000\"];", 14, 6, "\"0x10-0x2000\" goes too high for \"x\"",
	  "numbers from 0x0 to 0x1fff, ranges like \"0x10-0x1f\"",
	  "0x0 から 0x1fff までの数、または \"0x10-0x1f\" のような範囲を書きます" },
	{ "objects = [\"0x10000.0x1\"];", 15, 7, "\"0x10000.0x1\" goes too high for \"objects\"",
	  "numbers joined by dots: class.instance.attribute", "数を「.」でつなぎます: class.instance.attribute" },
	{ "d = [\"1.2\"];", 8, 5, "\"1.2\" is not a number or range for \"d\"",
	  "numbers from 0 to 99999, ranges like \"0-99\"",
	  "0 から 99999 までの数、または \"0-99\" のような範囲を書きます" },
	{ "d = [\"１\"];", 8, 3, "\"１\" is not a number or range for \"d\"", "write \"1\"", "\"1\" と書いてください" },
	{ "station = [1];", 3, 7, "has no key \"station\"", "did you mean \"stations\"?",
	  "「stations」の間違いではありませんか" },
	{ "holding = [1];", 3, 7, "has no key \"holding\"",
	  "one of: commands, functions, networks, stations, modules, slots, values, d, x, db, objects, deep, m00",
	  "次のどれかを書いてください: commands, functions, networks, stations, modules, slots, values, d, x, db, "
	  "objects, deep, m00" },
};

static void mistakes_are_told_where_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_rows) / sizeof(wrong_rows[0]); i++) {
		const struct wrong_row *w = &wrong_rows[i];
		const struct diag *g;
		bool ok = check(w->row);

		g = policy_text_diag(&t, 0);
		if (ok || g == NULL || t.c.diags.errors != 1 || strstr(g->text[LANG_EN], w->en) == NULL ||
		    g->at.column != w->column || g->width != w->width || strstr(g->hint[LANG_EN], w->hint_en) == NULL ||
		    strstr(g->hint[LANG_JA], w->hint_ja) == NULL) {
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
			diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_JA);
			fail_msg("%s", w->row);
		}
		policy_text_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_have_the_protocols_keys),
		cmocka_unit_test(compiled_rows_judge),
		cmocka_unit_test(mistakes_are_told_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
