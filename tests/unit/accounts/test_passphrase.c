/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which passphrases are accepted, and that a stored hash accepts only its own passphrase.
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c appliance/base/utf8.c
 * LIBS: libcrypt
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/accounts/passphrase.h"

static void long_ones_of_any_composition_are_taken(void **state)
{
	static const char *const good[] = {
		"wet kettles hum at 4",
		"three herons argue quietly",
		"gantry mildew octave plinth",
		"vaxomugifyzodeth",
		"ぬれた鷺が三羽で口論している夜明け",
		"蟹は横に歩くが 蟹工船は前へ進む",
		"a rusty bucket, half full",
		"9417 6320 8852 1073 4468",
		"my crane sings badly on wet tuesdays",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (passphrase_judge(good[i], "suzuki") != PASSPHRASE_GOOD)
			fail_msg("%s: %d", good[i], passphrase_judge(good[i], "suzuki"));
}

static void what_is_tried_first_is_refused(void **state)
{
	static const char *const bad[] = {
		"passwordpassword",	     "password12345678",
		"P@ssw0rd P@ssw0rd!",	     "correct horse battery staple",
		"CorrectHorseBatteryStaple", "qwertyuiopasdfgh",
		"1qaz2wsx3edc4rfv",	     "aaaaaaaaaaaaaaaaaaaa",
		"abababababababababab",	     "1234567890123456",
		"abcdefghijklmnopqr",	     "Suzuki Password 2026",
		"suzukisuzukisuzuki",	     "to be or not to be, that is the question",
		"administrator1234",	     "sekishosekisho2026",
		"Welcome to Sekisho 123",    "................",
		"iloveyou iloveyou",	     "zyxwvutsrqponmlk",
		"himitsu himitsu himitsu",   "letmein-letmein-1234",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (passphrase_judge(bad[i], "suzuki") != PASSPHRASE_COMMON)
			fail_msg("%s: %d", bad[i], passphrase_judge(bad[i], "suzuki"));
}

static void lengths_are_of_characters_and_texts_are_texts(void **state)
{
	char text[PASSPHRASE_MOST + 2];

	(void)state;
	assert_int_equal(passphrase_judge("", "x"), PASSPHRASE_SHORT);
	assert_int_equal(passphrase_judge("wet kettles hum", "x"), PASSPHRASE_SHORT);
	assert_int_equal(passphrase_judge("ぬれた鷺が三羽で口論して", "x"),
			 PASSPHRASE_SHORT); /* 12 characters, 36 bytes */
	assert_int_equal(passphrase_judge("wet kettles hum\n at four", "x"), PASSPHRASE_NO_TEXT);
	assert_int_equal(passphrase_judge("wet kettles \xff hum at four", "x"), PASSPHRASE_NO_TEXT);
	assert_int_equal(passphrase_judge("wet kettles \xe2\x80\xae hum at four", "x"), PASSPHRASE_NO_TEXT);
	for (size_t i = 0; i <= PASSPHRASE_MOST; i++)
		text[i] = (char)('a' + (i * i + i / 7) % 26);
	text[PASSPHRASE_MOST + 1] = 0;
	assert_int_equal(passphrase_judge(text, "x"), PASSPHRASE_LONG);
	text[PASSPHRASE_MOST] = 0;
	assert_int_equal(passphrase_judge(text, "x"), PASSPHRASE_GOOD);
}

static void what_is_kept_opens_by_the_phrase_alone(void **state)
{
	char setting[PASSPHRASE_HASH], hash[PASSPHRASE_HASH], again[PASSPHRASE_HASH], other[PASSPHRASE_HASH];

	(void)state;
	assert_true(passphrase_setting(setting));
	assert_true(passphrase_hash("wet kettles hum at 4", setting, hash));
	assert_true(passphrase_is_hash(hash));
	assert_int_equal(strncmp(hash, "$y$", 3), 0);
	assert_true(passphrase_hash("wet kettles hum at 4", hash, again));
	assert_string_equal(again, hash);
	assert_true(passphrase_hash("wet kettles hum at 5", hash, other));
	assert_string_not_equal(other, hash);
	assert_true(passphrase_setting(again));
	assert_string_not_equal(again, setting);
}

static void no_other_method_is_taken(void **state)
{
	static const char *const settings[] = {
		"", "*", "*0", "ab", "$1$salt", "$6$saltsalt", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.", "$y$"
	};
	static const char *const files[] = { "",
					     "*",
					     "!",
					     "x",
					     "$y$",
					     "$6$abcdefgh$0123456789012345678901234567890123456789",
					     "$y$j9T$ with a space in it, forty letters long" };
	char hash[PASSPHRASE_HASH];

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		assert_false(passphrase_hash("wet kettles hum at 4", settings[i], hash));
		assert_string_equal(hash, "");
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_false(passphrase_is_hash(files[i]));
}

static void those_made_here_are_taken(void **state)
{
	char a[PASSPHRASE_MADE], b[PASSPHRASE_MADE];

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_true(passphrase_make(a) && passphrase_make(b));
		assert_int_equal(strlen(a), 29);
		assert_string_not_equal(a, b);
		assert_int_equal(passphrase_judge(a, "admin"), PASSPHRASE_GOOD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_ones_of_any_composition_are_taken),
		cmocka_unit_test(what_is_tried_first_is_refused),
		cmocka_unit_test(lengths_are_of_characters_and_texts_are_texts),
		cmocka_unit_test(what_is_kept_opens_by_the_phrase_alone),
		cmocka_unit_test(no_other_method_is_taken),
		cmocka_unit_test(those_made_here_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
