/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts for errno: the English of the table is that of the C library. A Japanese sentence of the
 * catalogue never shows such a text in English, whether the text is alone or in a failure as
 * err_set writes it. Texts that only look similar stay.
 *
 * LINK: appliance/base/errno_text.c appliance/base/messages.c appliance/base/err.c
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/err.h"
#include "appliance/base/errno_text.h"
#include "appliance/base/messages.h"

static const struct {
	int code;
	const char *en, *ja;
} table[] = {
#define ERRNO(code, en, ja) { code, en, ja },
#include "appliance/base/errno.def"
};
#define ROWS (sizeof(table) / sizeof(table[0]))

static void same_as_the_library(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		char *said = errno_japanese(strerror(table[i].code));

		assert_string_equal(strerror(table[i].code), table[i].en);
		assert_non_null(said);
		assert_string_equal(said, table[i].ja);
		free(said);
	}
}

static void within_a_failure(void **state)
{
	struct err e;
	char *said;

	(void)state;
	err_set(&e, -ENOSPC, "write %s", "gen-3.sealed");
	said = errno_japanese(e.text);
	assert_non_null(said);
	assert_string_equal(said, "write gen-3.sealed: ディスクに空きがありません");
	free(said);
	said = errno_japanese("a: Permission denied, b: Is a directory（Broken pipe）");
	assert_non_null(said);
	assert_string_equal(
		said, "a: アクセス権がありません, b: ファイルではなくフォルダーです（相手が読み取りをやめました）");
	free(said);
	/* The longest. */
	said = errno_japanese("x: Too many open files in system");
	assert_non_null(said);
	assert_string_equal(said, "x: 装置全体で開いているファイルが多すぎます");
	free(said);
}

static void names_stay(void **state)
{
	static const char *const texts[] = { "",
					     "write gen-3.sealed",
					     "xPermission denied",
					     "Permission deniedly",
					     "permission denied",
					     "Protocol error on crane 3",
					     "pages of Connection refused",
					     "目的: Connection refused pages of the proxy",
					     "Too many open" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(errno_japanese(texts[i]));
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the sentence takes texts as arguments, at most three and none inside a word. */
static bool takes_texts(const char *format)
{
	int n = 0;

	for (const char *f = format; (f = strchr(f, '%')) != NULL;) {
		const char *before = f;

		if (f[1] == '%') {
			f += 2;
			continue;
		}
		f += f[1] >= '1' && f[1] <= '3' && f[2] == '$' ? 3 : 1;
		if (*f++ != 's' || is_letter(*f) || (before > format && is_letter(before[-1])))
			return false;
		n++;
	}
	return n > 0 && n <= 3;
}

/* An errno text is translated in every sentence of the catalogue. */
static void no_sentence_in_both(void **state)
{
	unsigned asked = 0;

	(void)state;
	for (unsigned m = 0; m < MESSAGE_COUNT; m++) {
		if (!takes_texts(message_format((enum message)m, LANG_JA)))
			continue;
		for (size_t i = 0; i < ROWS; i++, asked++) {
			char said[4096], printed[4096], small[8], en[4096], *text = NULL;
			struct err e;
			size_t size;
			FILE *to;
			int n;

			err_set(&e, -table[i].code, "write x");
			n = message_text(said, sizeof(said), LANG_JA, (enum message)m, e.text, e.text, e.text);
			assert_int_equal(n, (int)strlen(said));
			if (strstr(said, table[i].en) != NULL || strstr(said, table[i].ja) == NULL)
				fail_msg("message %u says: %s", m, said);
			assert_int_equal(n, message_text(small, sizeof(small), LANG_JA, (enum message)m, e.text, e.text,
							 e.text));
			assert_true(strlen(small) < sizeof(small));
			to = open_memstream(&text, &size);
			assert_non_null(to);
			message_print(to, LANG_JA, (enum message)m, e.text, e.text, e.text);
			assert_int_equal(fclose(to), 0);
			snprintf(printed, sizeof(printed), "%s", text);
			free(text);
			assert_string_equal(printed, said);
			message_text(en, sizeof(en), LANG_EN, (enum message)m, e.text, e.text, e.text);
			assert_non_null(strstr(en, table[i].en));
		}
	}
	assert_true(asked > ROWS * 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_library),
		cmocka_unit_test(within_a_failure),
		cmocka_unit_test(names_stay),
		cmocka_unit_test(no_sentence_in_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
