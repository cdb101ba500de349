/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes by the clock: the test vectors of RFC 6238 (appendix B, SHA-1; the last six of their eight
 * digits) and of RFC 4226 (appendix D); one step of tolerance on both sides; and that no code is
 * valid twice. Also random secrets as people write them.
 * LINK: appliance/accounts/totp.c appliance/accounts/secret.c appliance/base/sha256.c
 * LIBS: liboath nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/accounts/book.h"
#include "appliance/accounts/secret.h"
#include "appliance/accounts/totp.h"

static const uint8_t rfc[] = "12345678901234567890";

static void vectors_of_the_standards(void **state)
{
	static const struct {
		uint64_t second;
		const char *code;
	} by_time[] = { { 59, "287082" },	  { 1111111109, "081804" }, { 1111111111, "050471" },
			{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };
	static const char *const by_count[] = { "755224", "287082", "359152", "969429", "338314",
						"254676", "287922", "162583", "399871", "520489" };
	char code[TOTP_DIGITS + 1];
	uint64_t step = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(by_time) / sizeof(by_time[0]); i++) {
		assert_true(totp_code(rfc, by_time[i].second / TOTP_STEP_S, code));
		assert_string_equal(code, by_time[i].code);
		assert_true(totp_found(rfc, by_time[i].code, by_time[i].second, TOTP_SLACK, 0, &step));
		assert_int_equal(step, by_time[i].second / TOTP_STEP_S);
	}
	for (uint64_t i = 0; i < 10; i++) {
		assert_true(totp_code(rfc, i, code));
		assert_string_equal(code, by_count[i]);
	}
}

static void a_step_early_or_late_and_no_more(void **state)
{
	const uint64_t at = 1700000000 / TOTP_STEP_S;
	char code[TOTP_DIGITS + 1];
	uint64_t step;

	(void)state;
	assert_true(totp_code(rfc, at, code));
	for (int away = -4; away <= 4; away++)
		assert_int_equal(
			totp_found(rfc, code, (at + (uint64_t)(int64_t)away) * TOTP_STEP_S + 7, TOTP_SLACK, 0, &step),
			away >= -1 && away <= 1);
}

static void none_is_good_twice_nor_an_older_one(void **state)
{
	const uint64_t at = 1700000000 / TOTP_STEP_S;
	char before[TOTP_DIGITS + 1], now[TOTP_DIGITS + 1], next[TOTP_DIGITS + 1];
	uint64_t last = 0;

	(void)state;
	assert_true(totp_code(rfc, at - 1, before) && totp_code(rfc, at, now) && totp_code(rfc, at + 1, next));
	assert_true(totp_found(rfc, now, at * TOTP_STEP_S, TOTP_SLACK, last, &last));
	assert_int_equal(last, at);
	assert_false(totp_found(rfc, now, at * TOTP_STEP_S, TOTP_SLACK, last, &last));
	assert_false(totp_found(rfc, now, (at + 1) * TOTP_STEP_S, TOTP_SLACK, last, &last));
	assert_false(totp_found(rfc, before, at * TOTP_STEP_S, TOTP_SLACK, last, &last));
	assert_true(totp_found(rfc, next, at * TOTP_STEP_S, TOTP_SLACK, last, &last));
	assert_int_equal(last, at + 1);
}

static void what_is_no_code_is_refused(void **state)
{
	static const char *const wrong[] = { "",	"28708",   "2870820", "28708a",
					     " 287082", "287082 ", "-87082",  "２８７０８２" };
	uint64_t step;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(totp_found(rfc, wrong[i], 59, TOTP_SLACK, 0, &step));
}

static void secrets_are_written_and_read(void **state)
{
	/* RFC 4648, section 10, without the padding. */
	static const char *const vectors[][2] = { { "f", "MY" },	   { "fo", "MZXQ" },
						  { "foo", "MZXW6" },	   { "foob", "MZXW6YQ" },
						  { "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
	uint8_t raw[16], again[16];
	char text[BASE32_TEXT(16)];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t n = strlen(vectors[i][0]);

		base32_text((const uint8_t *)vectors[i][0], n, text);
		assert_string_equal(text, vectors[i][1]);
		assert_true(base32_read(vectors[i][1], again, n));
		assert_memory_equal(again, vectors[i][0], n);
		assert_false(base32_read(vectors[i][1], again, n + 1));
		assert_false(n > 1 && base32_read(vectors[i][1], again, n - 1));
	}
	assert_true(base32_read("mzxw-6ytb OI", again, 6));
	assert_memory_equal(again, "foobar", 6);
	assert_false(base32_read("MZXW6YT1", again, 5)); /* no such letter */
	/* a bit that does not fit into the last byte */
	assert_false(base32_read("MZ", again, 1));
	assert_true(secret_make(raw, sizeof(raw)) && secret_make(again, sizeof(again)));
	assert_false(secret_same(raw, again, sizeof(raw)));
	memcpy(again, raw, sizeof(raw));
	assert_true(secret_same(raw, again, sizeof(raw)));
	for (size_t i = 0; i < 8 * sizeof(raw); i++) {
		again[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(secret_same(raw, again, sizeof(raw)));
		again[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_true(hex_read("00ff10a9", again, 4));
	assert_memory_equal(again, "\x00\xff\x10\xa9", 4);
	assert_false(hex_read("00FF10A9", again, 4));
	assert_false(hex_read("00ff10a", again, 4));
	assert_false(hex_read("00ff10a90", again, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_standards),
		cmocka_unit_test(a_step_early_or_late_and_no_more),
		cmocka_unit_test(none_is_good_twice_nor_an_older_one),
		cmocka_unit_test(what_is_no_code_is_refused),
		cmocka_unit_test(secrets_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
