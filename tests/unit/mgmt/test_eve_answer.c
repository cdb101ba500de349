/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to rsyslogd for a line of the records: the same record as EVE, as one line of text in
 * one line of JSON; for any other line, that nothing is changed.
 *
 * LINK: mgmt/words/eve.c mgmt/words/event.c mgmt/state/journal.c
 * LINK: mgmt/words/command.c
 * LINK: mgmt/state/read.c
 * LINK: $(WIRE_SRC) $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/companions.h"
#include "mgmt/words/eve.h"

#define PDU                                                                                                            \
	"{\"seq\":7,\"time\":\"2026-11-20T08:10:11.123Z\",\"kind\":\"pdu\",\"severity\":\"notice\",\"verdict\":"       \
	"\"deny\","                                                                                                    \
	"\"reason\":\"modbus.value\",\"client\":\"10.10.0.5:40000\",\"server\":\"10.30.1.10:502\",\"transport\":"      \
	"\"tcp\","                                                                                                     \
	"\"protocol\":\"modbus\",\"direction\":\"c2s\",\"conduit\":\"読み取り \\\"a\\\\b\\u0001\","                \
	"\"prev\":\"00\",\"hash\":\"11\"}"
#define ROLE                                                                                                           \
	"{\"seq\":8,\"time\":\"2026-11-20T08:10:11.123Z\",\"kind\":\"role\",\"severity\":\"notice\",\"code\":"         \
	"\"started\","                                                                                                 \
	"\"process\":\"journal\",\"prev\":\"00\",\"hash\":\"11\"}"

/* The text of the answer without its line end; freed by the caller. */
static char *answered(const char *line, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	eve_answer(line, n, to);
	fclose(to);
	/* One line: rsyslogd reads up to the first line end, which must be the last byte. */
	assert_true(size > 1 && text[size - 1] == '\n');
	assert_ptr_equal(memchr(text, '\n', size), text + size - 1);
	text[size - 1] = '\0';
	return text;
}

static void said(const char *line, size_t n)
{
	char *text = answered(line, n), *want;
	json_t *reply = json_loads(text, 0, NULL), *record = json_loads(line, 0, NULL), *eve = event_eve(record);
	const char *msg = json_string_value(json_object_get(reply, "msg"));

	want = json_dumps(eve, JSON_COMPACT);
	assert_int_equal(json_object_size(reply), 1);
	assert_non_null(msg);
	assert_string_equal(msg, want);
	assert_null(strpbrk(msg, "\n\r"));
	/* From this prefix rsyslogd sees that it got an answer. */
	assert_int_equal(strncmp(msg, COMPANION_EVE, strlen(COMPANION_EVE)), 0);
	assert_int_not_equal(strncmp(line, COMPANION_EVE, strlen(COMPANION_EVE)), 0);
	assert_null(strstr(msg, "\"hash\""));
	free(want);
	json_decref(eve);
	json_decref(record);
	json_decref(reply);
	free(text);
}

static void records(void **state)
{
	(void)state;
	said(PDU, strlen(PDU));
	said(PDU "\n", strlen(PDU) + 1);
	said(ROLE "\n", strlen(ROLE) + 1);
}

static void nothing_changes(const char *line, size_t n)
{
	char *text = answered(line, n);

	assert_string_equal(text, "{}");
	free(text);
}

static void no_records(void **state)
{
	static const char *const none[] = { "",
					    "\n",
					    "null\n",
					    "[]\n",
					    "7\n",
					    "{}\n",
					    "{\"seq\":\"7\"}\n",
					    "\"\n",
					    PDU PDU "\n",
					    "{\"kind\":\"pdu\"}\n",
					    "\xff\n",
					    "{\"seq\":7,\"kind\":\"\xff\"}\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		nothing_changes(none[i], strlen(none[i]));
	/* Lines that are cut anywhere, or have a NUL inside, are not changed. */
	for (size_t n = 0; n < strlen(PDU); n++)
		nothing_changes(PDU, n);
	nothing_changes("{\"seq\":7}\0\n", 11);
}

/* With any value in any member there is an answer, and it is JSON. */
static void of_any_kind(void **state)
{
	static const char *const values[] = { "null",
					      "7",
					      "-1",
					      "9007199254740993",
					      "1.5",
					      "true",
					      "[]",
					      "{}",
					      "\"\"",
					      "\":\"",
					      "\"[\"",
					      "\"[]:\"",
					      "\"]:99999999999\"",
					      "\"\\u0000\"",
					      "\"s2c\"",
					      "\"tls\"",
					      "[{\"a\":[]}]" };
	static const char *const keys[] = { "time",	 "kind",    "severity",	  "verdict",   "reason",
					    "client",	 "server",  "transport",  "protocol",  "direction",
					    "conduit",	 "code",    "interface",  "tls",       "icmp_type",
					    "bytes_c2s", "seconds", "generation", "checkpoint" };

	(void)state;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			json_t *record = json_loads(PDU, 0, NULL), *reply;
			char *line, *text;

			json_object_set_new(record, keys[k],
					    json_loads(values[v], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
			line = json_dumps(record, JSON_COMPACT);
			text = answered(line, strlen(line));
			reply = json_loads(text, 0, NULL);
			assert_non_null(reply);
			json_decref(reply);
			free(text);
			free(line);
			json_decref(record);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(no_records),
		cmocka_unit_test(of_any_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
