/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the records as a browser posts them: a valid one becomes a message, an invalid one
 * does not. The message has no name of a person in it.
 *
 * LINK: mgmt/web/order.c mgmt/web/login.c $(WIRE_SRC) appliance/base/bundle.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/json.c
 * LINK: appliance/base/bytes.c appliance/base/addr.c appliance/base/utf8.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/web/order.h"

static struct msg_records m;
static char text[ORDER_TEXT];

static bool take(const char *body)
{
	struct msg_body question;
	bool taken = records_read((const uint8_t *)body, strlen(body), &question, text);

	m = question.records;
	return taken;
}

#define SPAN "\"from\":\"2026-10-01T00:00:00Z\",\"until\":\"2026-10-31T23:59:59Z\""
#define REVIEW(result, note) "{\"order\":\"review\"," SPAN ",\"result\":\"" result "\",\"note\":\"" note "\"}"
#define FROM(moment) "{\"order\":\"hold\",\"from\":\"" moment "\",\"until\":null,\"reason\":\"r\"}"

static void orders_are_read(void **state)
{
	(void)state;
	assert_true(take(REVIEW("findings", "港: 夜間の 2 件")));
	assert_int_equal(m.order, RECORDS_REVIEW);
	assert_int_equal(m.findings, 1);
	assert_int_equal(m.since, 1790812800);
	assert_int_equal(m.until, 1793491199);
	assert_string_equal(m.text, "港: 夜間の 2 件");
	assert_true(take(REVIEW("none", "")));
	assert_int_equal(m.findings, 0);
	assert_true(take("{\"order\":\"hold\"," SPAN ",\"reason\":\"case 12\"}"));
	assert_int_equal(m.order, RECORDS_HOLD);
	assert_true(take(FROM("1970-01-01T00:00:00Z")));
	assert_int_equal(m.since, 0);
	assert_true(m.until == HOLD_OPEN);
	assert_true(take("{\"order\":\"lift\",\"number\":4294967295,\"reason\":\"closed\"}"));
	assert_int_equal(m.number, UINT32_MAX);
	assert_true(take("{\"order\":\"accept\",\"number\":7,\"all\":false,\"reason\":\"新しい印刷機\"}"));
	assert_int_equal(m.order, RECORDS_ACCEPT);
	assert_int_equal(m.number, 7);
	assert_int_equal(m.all, 0);
	assert_true(take("{\"order\":\"forget\",\"number\":0,\"all\":true,\"reason\":\"gone\"}"));
	assert_int_equal(m.order, RECORDS_FORGET);
	assert_int_equal(m.all, 1);
	assert_true(take("{\"order\":\"acknowledge\",\"number\":3,\"reason\":\"保守作業\"}"));
	assert_int_equal(m.order, RECORDS_ACKNOWLEDGE);
	assert_int_equal(m.number, 3);
	assert_true(take("{\"order\":\"silence\",\"number\":3,\"minutes\":43200,\"reason\":\"r\"}"));
	assert_int_equal(m.order, RECORDS_SILENCE);
	assert_int_equal(m.silent_s, ATTACK_SILENT_MOST);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const none[] = {
		"",
		"{}",
		"[]",
		"null",
		"\"review\"",
		"{\"order\":1}",
		"{\"order\":\"\"}",
		"{\"order\":\"delete\"}",
		"{\"order\":\"review\"}",
		REVIEW("none", "") "x",
		REVIEW("NONE", ""),
		REVIEW("", ""),
		/* Findings need a note of one line. */
		REVIEW("findings", ""),
		REVIEW("none", "a\\nb"),
		REVIEW("none", "a\\u0000b"),
		REVIEW("none", "\\u001b[31m"),
		REVIEW("none", "\\u007f"),
		/* An order never contains the name of a person. */
		"{\"order\":\"review\"," SPAN ",\"result\":\"none\",\"note\":\"\",\"name\":\"kato\"}",
		"{\"order\":\"review\"," SPAN ",\"result\":\"none\",\"note\":\"\",\"note\":\"\"}",
		"{\"order\":\"review\"," SPAN ",\"result\":\"none\",\"note\":1}",
		/* Moments have one form. */
		FROM("2026-10-01"),
		FROM("2026-10-01T00:00:00"),
		FROM("2026-10-01T00:00:00.0Z"),
		FROM("2026-02-30T00:00:00Z"),
		FROM("2026-10-01T24:00:00Z"),
		FROM("2026-10-01T00:00:60Z"),
		FROM("2026-10-01 00:00:00Z"),
		FROM("2026-10-1T00:00:000Z"),
		FROM("1969-12-31T23:59:59Z"),
		FROM("+026-10-01T00:00:00Z"),
		FROM(" 026-10-01T00:00:00Z"),
		FROM(""),
		"{\"order\":\"hold\"," SPAN ",\"reason\":\"\"}",
		"{\"order\":\"hold\",\"from\":null,\"until\":null,\"reason\":\"r\"}",
		"{\"order\":\"hold\"," SPAN ",\"reason\":\"r\",\"number\":1}",
		"{\"order\":\"hold\",\"from\":\"2026-10-01T00:00:00Z\",\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":1,\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":1,\"all\":1,\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":\"all\",\"all\":true,\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":-1,\"all\":true,\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":4294967296,\"all\":true,\"reason\":\"r\"}",
		"{\"order\":\"accept\",\"number\":1,\"all\":true,\"reason\":\"\"}",
		"{\"order\":\"forget\",\"number\":1,\"all\":true,\"reason\":\"r\",\"person\":\"kato\"}",
		"{\"order\":\"lift\",\"number\":0,\"reason\":\"r\"}",
		"{\"order\":\"lift\",\"number\":-1,\"reason\":\"r\"}",
		"{\"order\":\"lift\",\"number\":4294967296,\"reason\":\"r\"}",
		"{\"order\":\"lift\",\"number\":1.0,\"reason\":\"r\"}",
		"{\"order\":\"lift\",\"number\":\"1\",\"reason\":\"r\"}",
		"{\"order\":\"lift\",\"number\":1}",
		"{\"order\":\"acknowledge\",\"number\":0,\"reason\":\"r\"}",
		"{\"order\":\"acknowledge\",\"number\":1,\"reason\":\"\"}",
		"{\"order\":\"acknowledge\",\"number\":1,\"minutes\":1,\"reason\":\"r\"}",
		"{\"order\":\"silence\",\"number\":1,\"reason\":\"r\"}",
		"{\"order\":\"silence\",\"number\":1,\"minutes\":0,\"reason\":\"r\"}",
		"{\"order\":\"silence\",\"number\":1,\"minutes\":43201,\"reason\":\"r\"}",
		"{\"order\":\"silence\",\"number\":1,\"minutes\":1,\"reason\":\"r\",\"by\":\"kato\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (take(none[i]))
			fail_msg("taken: %s", none[i]);
}

static void texts_have_their_length(void **state)
{
	static char body[1024], long_text[400];

	(void)state;
	for (size_t n = 1; n < 300; n++) {
		memset(long_text, 'x', n);
		long_text[n] = '\0';
		snprintf(body, sizeof(body), "{\"order\":\"review\"," SPAN ",\"result\":\"none\",\"note\":\"%s\"}",
			 long_text);
		assert_int_equal(take(body), n <= REVIEW_NOTE);
		snprintf(body, sizeof(body), "{\"order\":\"lift\",\"number\":1,\"reason\":\"%s\"}", long_text);
		assert_int_equal(take(body), n <= HOLD_REASON);
	}
	assert_false(take("{\"order\":\"lift\",\"number\":1,\"reason\":\"for \\u202eaudit\"}"));
	assert_false(take("{\"order\":\"lift\",\"number\":1,\"reason\":\" \\u3000\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(texts_have_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
