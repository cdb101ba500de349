/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a command was refused, in numbers, as people read it.
 * LINK: mgmt/words/command.c appliance/base/bytes.c appliance/wire/settings.c
 * LINK: appliance/wire/vocabulary*.c dpi/%/words.c appliance/wire/protocols.c
 * LINK: appliance/wire/commands.c appliance/wire/notation.c appliance/wire/tag.c
 * LINK: appliance/wire/commands_json.c mgmt/cli/words/render.c appliance/wire/hours.c
 * LINK: mgmt/state/read.c
 * LINK: mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/sha256.c appliance/base/memfd.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/err.c appliance/wire/reason.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#include "appliance/wire/commands_json.h"
#include "dpi/modbus/words.h"
#include "mgmt/words/command.h"

static void reads(const struct limit *limit, const char *space, enum lang l, const char *expected)
{
	const struct vocabulary *v = vocabulary_of(PROTO_MODBUS);
	json_t *j = limit_json(limit, v, MODBUS_HOLDING);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(limit_text(to, j, v, space, l), limit->what != LIMIT_NONE);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
	json_decref(j);
}

static void sentences(void **state)
{
	struct limit value = { .what = LIMIT_VALUE, .at = 400, .wrote = 9 };
	struct limit address = { .what = LIMIT_ADDRESS, .at = 7 }, unit = { .what = LIMIT_TARGET };
	struct limit none = { .what = LIMIT_NONE }, untold = { .what = LIMIT_VALUE_UNTOLD };

	(void)state;
	limit_allow(&value, 0, 1);
	reads(&value, "holding", LANG_EN, "wrote 9 to holding 400; allowed 0 to 1");
	reads(&value, "holding", LANG_JA, "holding 400 への書き込み値 9（許可範囲 0～1）");
	limit_allow(&value, 5, 5);
	reads(&value, "holding", LANG_EN, "wrote 9 to holding 400; allowed 0 to 1, 5");
	limit_allow(&value, 7, 8);
	reads(&value, "holding", LANG_EN, "wrote 9 to holding 400; allowed 0 to 1, 5 and 1 more");
	reads(&address, "coils", LANG_EN, "coils 7 is not allowed; allowed: none");
	limit_allow(&unit, 1, 5);
	reads(&unit, "", LANG_EN, "allowed units 1 to 5");
	reads(&unit, "", LANG_JA, "許可されているユニットは 1～5");
	limit_allow(&untold, 0, 1);
	reads(&untold, "holding", LANG_EN, "the resulting value cannot be known; allowed 0 to 1");
	reads(&none, "holding", LANG_EN, "");
	for (unsigned i = 0; i < 300; i++)
		limit_allow(&value, i, i);
	assert_int_equal(value.n, 255);
}

static void needs(const char *event, const char *row)
{
	json_t *e = json_loads(event, 0, NULL);
	char *text = row_needed(e);

	if (row == NULL)
		assert_null(text);
	else
		assert_string_equal(text, row);
	free(text);
	json_decref(e);
}

/* The row of a policy that lets a refused command pass. */
static void rows_needed(void **state)
{
	(void)state;
	needs("{\"protocol\":\"modbus\",\"unit\":1,\"function\":6,\"function_name\":\"write_single_register\","
	      "\"space\":\"holding\",\"place\":\"400\",\"limit\":{\"what\":\"value\",\"wrote\":9}}",
	      "{ functions = [\"write_single_register\"]; units = [\"1\"]; holding = [\"400\"]; values = [\"9\"]; }");
	needs("{\"protocol\":\"modbus\",\"unit\":1,\"function\":66}", "{ functions = [\"66\"]; units = [\"1\"]; }");
	needs("{\"protocol\":\"modbus\",\"unit\":1,\"function\":6,\"space\":\"holding\",\"place\":\"4\\\"\"}", NULL);
	needs("{\"protocol\":\"tls\"}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sentences), cmocka_unit_test(rows_needed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
