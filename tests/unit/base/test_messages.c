/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every sentence of the catalogue exists in both languages, with the same arguments. If the
 * Japanese sentence reorders them with %1$s, each must still have the type that it has in the
 * English one.
 *
 * LINK: appliance/base/messages.c appliance/base/errno_text.c
 */
#include "tests/unit/cmocka.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/messages.h"

#define ARGS 16

#define MSG(id, en, ja) #id,
static const char *const names[] = {
#include "appliance/base/messages/appliance.def"
#include "appliance/base/messages/cli.def"
#include "appliance/base/messages/people.def"
#include "appliance/base/messages/policy.def"
#include "appliance/base/messages/report.def"
};
#undef MSG

/* The type of each argument as its length modifier and a common conversion ('d' for all signed, 'u'
 * for all unsigned ones). Returns the number of arguments, or -1 for a format that the test cannot
 * read. */
static int arguments(const char *f, char out[ARGS][4])
{
	int next = 0, n = 0;
	bool positions = false, sequence = false;

	memset(out, 0, ARGS * sizeof(out[0]));
	while ((f = strchr(f, '%')) != NULL) {
		size_t digits, modifier;
		int at;
		char kind;

		if (*++f == '%') {
			f++;
			continue;
		}
		digits = strspn(f, "0123456789");
		if (digits > 0 && f[digits] == '$') {
			at = atoi(f) - 1;
			f += digits + 1;
			positions = true;
		} else {
			at = next;
			sequence = true;
		}
		f += strspn(f, "-+ #0123456789");
		if (*f == '.') {
			f++;
			if (*f == '*') {
				/* A precision that is an argument stands in front of its text. */
				if (positions || at >= ARGS - 1)
					return -1;
				memcpy(out[at], "d", 2);
				at = ++next;
				f++;
			}
			f += strspn(f, "0123456789");
		}
		modifier = strspn(f, "hlzjt");
		kind = f[modifier];
		if (kind == 'i')
			kind = 'd';
		if (kind == 'x' || kind == 'X' || kind == 'o')
			kind = 'u';
		if (at < 0 || at >= ARGS || modifier > 2 || strchr("dusc", kind) == NULL || kind == '\0')
			return -1;
		memcpy(out[at], f, modifier);
		out[at][modifier] = kind;
		next = at + 1;
		if (next > n)
			n = next;
		f += modifier + 1;
	}
	return positions && sequence ? -1 : n;
}

static void both_languages_take_the_same_arguments(void **state)
{
	int bad = 0;

	(void)state;
	for (int m = 0; m < MESSAGE_COUNT; m++) {
		char en[ARGS][4], ja[ARGS][4];
		int n = arguments(message_format((enum message)m, LANG_EN), en);
		int k = arguments(message_format((enum message)m, LANG_JA), ja);

		if (n < 0 || n != k || memcmp(en, ja, sizeof(en)) != 0) {
			fprintf(stderr, "%s: arguments differ\n", names[m]);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

static bool is_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p != '\0') {
		int more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc2 ? 1 : -1;

		if (more < 0)
			return false;
		for (p++; more > 0; more--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void every_sentence_exists_in_both(void **state)
{
	int bad = 0;

	(void)state;
	for (int m = 0; m < MESSAGE_COUNT; m++) {
		const char *en = message_format((enum message)m, LANG_EN),
			   *ja = message_format((enum message)m, LANG_JA);
		size_t n = strlen(en), k = strlen(ja);

		/* Both languages end the line or both do not; otherwise the lines of a caller would
		 * run together in one language only. */
		if (n == 0 || k == 0 || !is_utf8(en) || !is_utf8(ja) || (en[n - 1] == '\n') != (ja[k - 1] == '\n')) {
			fprintf(stderr, "%s: empty, not UTF-8, or lines end differently\n", names[m]);
			bad++;
		}
		for (; *en != '\0'; en++)
			if ((unsigned char)*en >= 0x80 && strncmp(en, "…", 3) != 0 && (*en & 0xc0) != 0x80) {
				fprintf(stderr, "%s: the English text is not ASCII\n", names[m]);
				bad++;
				break;
			}
	}
	assert_int_equal(bad, 0);
}

static void languages_are_chosen(void **state)
{
	(void)state;
	assert_int_equal(lang_choose("ja"), LANG_JA);
	assert_int_equal(lang_choose("ja_JP.UTF-8"), LANG_JA);
	assert_int_equal(lang_choose("en"), LANG_EN);
	assert_int_equal(lang_choose("de_DE"), LANG_EN);
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	assert_int_equal(lang_choose(NULL), LANG_JA);
	setenv("LC_ALL", "", 1); /* set but empty counts as unset */
	setenv("LC_MESSAGES", "C", 1);
	setenv("LANG", "ja_JP", 1);
	assert_int_equal(lang_choose(NULL), LANG_EN);
	unsetenv("LC_MESSAGES");
	assert_int_equal(lang_choose(NULL), LANG_JA);
	assert_string_equal(lang_name(LANG_JA), "ja");
}

static void the_comparison_itself_can_fail(void **state)
{
	char a[ARGS][4], b[ARGS][4];

	(void)state;
	assert_int_equal(arguments("%s has %u", a), 2);
	assert_int_equal(arguments("%2$u in %1$s", b), 2);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(arguments("%1$u in %2$s", b), 2);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(arguments("100%% of %zu", a), 1);
	assert_string_equal(a[0], "zu");
	assert_int_equal(arguments("%1$s %s", a), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_languages_take_the_same_arguments),
		cmocka_unit_test(every_sentence_exists_in_both),
		cmocka_unit_test(languages_are_chosen),
		cmocka_unit_test(the_comparison_itself_can_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
