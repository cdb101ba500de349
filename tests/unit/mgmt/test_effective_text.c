/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective rules as text: what is listed below each conduit, and that many conduits take no
 * more than their share of the output.
 * LINK: appliance/wire/hours.c appliance/base/clock.c
 * LINK: mgmt/cli/effective/text.c mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c
 * LINK: mgmt/cli/words/answer.c mgmt/cli/words/value.c
 * LINK: mgmt/cli/words/reach.c mgmt/cli/words/render.c mgmt/state/%.c mgmt/words/event.c
 * LINK: mgmt/words/command.c appliance/wire/vocabulary*.c dpi/%/words.c appliance/wire/protocols.c
 * LINK: appliance/wire/notation.c appliance/wire/attack.c appliance/wire/duty.c
 * LINK: appliance/wire/event_words.c appliance/wire/tls.c
 * LINK: appliance/wire/settings.c appliance/wire/reason.c appliance/wire/tag.c
 * LINK: appliance/wire/commands.c
 * LINK: appliance/base/addr.c appliance/base/bytes.c appliance/base/err.c
 * LINK: appliance/base/errno_text.c
 * LINK: appliance/base/json.c appliance/base/memfd.c appliance/base/messages.c
 * LINK: appliance/base/sha256.c appliance/base/utf8.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt/cli/effective/effective.h"
#include "mgmt/words/command.h"

static void put(json_t *list, json_t *one)
{
	assert_int_equal(json_array_append_new(list, one), 0);
}

/* Conduit i allows its own pair of hosts, which one broad conduit allows as well. */
static json_t *answer(unsigned n)
{
	json_t *conduits = json_array(), *cells = json_array(), *permits = json_array();
	char name[32];

	for (unsigned i = 0; i <= n; i++) {
		snprintf(name, sizeof(name), i < n ? "c%u" : "broad", i);
		put(conduits, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "name", name, "from", "a",
					"to", "b", "mode", "enforce", "file", "site.cfg", "line", (int)i + 1, "purpose",
					"p", "owner", "o", "review_by", "2190-01-01"));
		if (i == n)
			break;
		put(cells, json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:[s, s]}", "in", "lan0", "out",
				     "lan1", "protocol", "tcp", "ports", i % 2 == 0 ? "502" : "443", "packets", (int)i,
				     "lane", "", "source", "10.0.0.1", "destination", "10.1.0.1", "permit", (int)i + 1,
				     "conduits", "broad", name));
		put(permits, json_pack("{s:i, s:s, s:[{s:s, s:s, s:b}, {s:s, s:s, s:b}]}", "permit", (int)i + 1,
				       "weak_tls", "deny", "grants", "conduit", "broad", "protocol", "tls", "whole", 1,
				       "conduit", name, "protocol", "http", "whole", 1));
	}
	put(cells,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[]}", "in", "lan9", "out", "lan1", "protocol", "udp",
		      "ports", "53", "source", "10.0.0.9", "destination", "10.1.0.9", "permit", 0, "conduits"));
	return json_pack("{s:o, s:o, s:o}", "conduits", conduits, "cells", cells, "permits", permits);
}

/* The text, freed by the caller; *ret_ms: processor time in ms. */
static char *printed(unsigned n, double *ret_ms)
{
	json_t *j = answer(n);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	struct cli c = { .out = to, .err = to, .lang = LANG_EN };
	clock_t before;

	assert_non_null(to);
	before = clock();
	assert_true(effective_render(&c, j));
	*ret_ms = (double)(clock() - before) * 1e3 / CLOCKS_PER_SEC;
	assert_int_equal(fclose(to), 0);
	json_decref(j);
	return text;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void below_its_conduit(void **state)
{
	double ms;
	char *text = printed(3, &ms), *first, *second, *broad, *strays;

	(void)state;
	first = strstr(text, "c0");
	second = strstr(text, "c1");
	broad = strstr(text, "broad");
	strays = strstr(text, "lan9");
	assert_true(first != NULL && first < second && second < broad && broad < strays);
	/* Each pair is listed once below its own conduit and once below the broad one; cells for
	 * the same packets are in one group. */
	assert_int_equal(times(text, "10.0.0.1 -> 10.1.0.1"), 6);
	assert_int_equal(times(broad, "10.0.0.1 -> 10.1.0.1"), 3);
	assert_int_equal(times(broad, "tcp/502"), 1);
	assert_int_equal(times(broad, "tcp/443"), 1);
	/* What three permits have in common is one line; nothing is said about other conduits. */
	assert_int_equal(times(broad, "tls  "), 1);
	assert_int_equal(times(text, "tls  "), 1);
	assert_int_equal(times(text, "http  "), 3);
	assert_int_equal(times(strays, "10.0.0.9 -> 10.1.0.9"), 1);
	free(text);
}

/* Eight times as many conduits take eight times as long, not sixty-four times. */
static void as_long_as_it_is_large(void **state)
{
	double least = 1e9, most = 1e9, ms;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		free(printed(500, &ms));
		least = ms < least ? ms : least;
		free(printed(4000, &ms));
		most = ms < most ? ms : most;
	}
	print_message("500 conduits: %.1f ms, 4,000: %.1f ms\n", least, most);
	assert_true(most < 24 * least);
}

static void grants(const char *grant, const char *want)
{
	json_t *g = json_loads(grant, 0, NULL), *list = grant_commands(g);
	char *text = json_dumps(list, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(g);
	assert_string_equal(text, want);
	free(text);
	json_decref(list);
	json_decref(g);
}

/* The words of the functions that a grant allows. A function without a name may belong to any word;
 * a protocol whose functions are not read has no words. */
static void words_of_grants(void **state)
{
	(void)state;
	grants("{\"protocol\":\"modbus\",\"whole\":false,\"rows\":[{\"functions\":[3]},{\"functions\":[4]}]}",
	       "[\"read\"]");
	grants("{\"protocol\":\"modbus\",\"whole\":false,\"rows\":[{\"functions\":[3]},{\"functions\":[6]}]}",
	       "[\"read\",\"write\"]");
	grants("{\"protocol\":\"modbus\",\"whole\":false,\"rows\":[]}", "[]");
	grants("{\"protocol\":\"modbus\",\"whole\":false,\"rows\":[{\"functions\":[101]}]}",
	       "[\"read\",\"write\",\"control\",\"program\",\"diagnose\"]");
	grants("{\"protocol\":\"modbus\",\"whole\":true,\"rows\":[]}",
	       "[\"read\",\"write\",\"control\",\"program\",\"diagnose\"]");
	grants("{\"protocol\":\"icmp\",\"whole\":true,\"rows\":[]}", "[]");
	grants("{\"protocol\":\"ssh\",\"whole\":true,\"rows\":[]}", "null");
}

/* The short form, as the map shows it, in both languages. */
static void shortly(enum protocol p, const char *row, const char *en, const char *ja)
{
	json_t *r = json_loads(row, 0, NULL);

	assert_non_null(r);
	for (unsigned l = 0; l < LANGUAGES; l++) {
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		assert_non_null(to);
		row_groups(to, r, p, (enum lang)l);
		assert_int_equal(fclose(to), 0);
		assert_string_equal(text, l == LANG_EN ? en : ja);
		free(text);
	}
	json_decref(r);
}

/* A word is used only if the row allows every function that the word means for its addresses. Other
 * functions are named, or numbered if they have no name. */
static void groups_of_commands(void **state)
{
	(void)state;
	shortly(PROTO_MODBUS,
		"{\"functions\":[1,2,3,4,24],\"coils\":\"any\",\"discrete\":\"any\",\"input\":\"any\",\"holding\":"
		"\"any\"}",
		"all read commands, read_fifo_queue (24); any address",
		"読み取りの全コマンド, read_fifo_queue (24); 全アドレス");
	shortly(PROTO_MODBUS,
		"{\"functions\":[1,2,4],\"coils\":\"any\",\"discrete\":\"any\",\"input\":\"any\",\"holding\":\"any\"}",
		"read_coils (1), read_discrete_inputs (2), read_input_registers (4); any address",
		"read_coils (1), read_discrete_inputs (2), read_input_registers (4); 全アドレス");
	shortly(PROTO_SLMP, "{\"functions\":[67174400,67174401,67174402,67174403,268500992,161021952],\"d\":\"0-99\"}",
		"batch_read, remote_run, 0x09990000; d 0-99, no other address",
		"batch_read, remote_run, 0x09990000; d 0-99（ほかのアドレスは不可）");
	/* A function that reads another space does not belong to a row of this one, and is not
	 * missing. */
	shortly(PROTO_SLMP,
		"{\"functions\":[67174400,67174401,67174402,67174403,67305472,67305473,67305474,67305475,67502080,"
		"67502081,67502082,67502083,134283264,134283265,134283266,134283267,134348800,268500992],\"d\":\"0-"
		"99\"}",
		"all read commands, remote_run; d 0-99, no other address",
		"読み取りの全コマンド, remote_run; d 0-99（ほかのアドレスは不可）");
	shortly(PROTO_SLMP, "{\"functions\":[\"404750336-404815871\"],\"d\":\"\"}", "new_file, no other address",
		"new_file（ほかのアドレスは不可）");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_its_conduit),
		cmocka_unit_test(as_long_as_it_is_large),
		cmocka_unit_test(words_of_grants),
		cmocka_unit_test(groups_of_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
