/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as rows: values, conditions, sentences and tables; and that each row of each .def fits
 * its message: as many values as the sentence takes, of kinds that there are.
 * LINK: mgmt/cli/words/answer.c mgmt/cli/words/value.c mgmt/cli/words/render.c
 * LINK: mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c
 * LINK: mgmt/state/%.c mgmt/words/command.c mgmt/words/event.c dpi/%/words.c
 * LINK: $(BASE_SRC) $(WIRE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/words/answer.h"

static void nothing(struct cli *c, const json_t *root, const json_t *row)
{
	(void)c;
	(void)root;
	(void)row;
}
#undef CALL
#define CALL(when, function) { ANSWER_CALL, 0, false, false, "", when, 0, { NULL }, nothing },

/* ---- every row ------------------------------------------------------------------------------- */

#define ROWS_STATUS_HEAD
#define ROWS_STATUS_DROPS
#define ROWS_STATUS_ALL
#define ROWS_DEVICES_LIST
#define ROWS_DEVICES_CSV
#define ROWS_VERIFY
#define ROWS_HISTORY
#define ROWS_FLOWS
#define ROWS_ATTACKS
#define ROWS_HOLDS
#define ROWS_RELEASE_KEPT
#define ROWS_ISOLATIONS
#define ROWS_ISOLATION_TOUCHED
#define ROWS_SHOWN
#define ROWS_DRAFT_STATE
#define ROWS_DOORS
#define ROWS_HARDWARE_CARDS
#define ROWS_REACH
#define ROWS_REACH_SHORT
#define ROWS_CLOCK
#define ROWS_CLOCK_WAITS
#define ROWS_GIVEN_BACK
#define ROWS_ROLLED_TO
#define ROWS_CUT
#define ROWS_ALONE
#define ROWS_HEAD
#define ROWS_ORGANISATIONS
#define ROWS_SUMMARY
#define ROWS_CONDUIT
#define ROWS_CONDUIT_LIMITS
static const struct answer_row every[] = {
#include "mgmt/cli/effective/effective.def"
#include "mgmt/cli/user/user.def"
#include "mgmt/cli/verbs/answers.def"
#include "mgmt/cli/verbs/status.def"
#include "mgmt/cli/words/answers.def"
};

static const char *const kinds[] = {
#define KIND(name, make) #name,
#include "mgmt/cli/words/value.def"
};

/* The highest number of an argument of the sentence. */
static size_t takes(const char *form)
{
	size_t most = 0, next = 0, n;

	for (; *form != '\0'; form++) {
		if (*form != '%' || *++form == '%')
			continue;
		n = strspn(form, "0123456789");
		next = form[n] == '$' ? strtoul(form, NULL, 10) : next + 1;
		most = next > most ? next : most;
		form += form[n] == '$' ? n + 1 : 0;
		form += strspn(form, "lz.0");
		assert_non_null(strchr("sud", *form));
	}
	return most;
}

static void kind_is_known(const char *value)
{
	size_t n = strcspn(value, ":,}");
	bool found = value[n] != ':' || *value == '\'' || strncmp(value, "word.", 5) == 0 ||
		     strncmp(value, "end.", 4) == 0 || strncmp(value, "total.", 6) == 0 ||
		     strncmp(value, "join.", 5) == 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		found = found || (strlen(kinds[i]) == n && strncmp(kinds[i], value, n) == 0);
	if (!found)
		fail_msg("no kind: %s", value);
}

static void kinds_are_known(const char *value)
{
	if (strchr(value, '{') == NULL) {
		for (; *value != '\0'; value += strcspn(value, ",") + (value[strcspn(value, ",")] == ','))
			kind_is_known(value);
		return;
	}
	while ((value = strchr(value, '{')) != NULL)
		kind_is_known(++value);
}

static void test_every_row(void **state)
{
	size_t depth = 0;

	(void)state;
	for (const struct answer_row *i = every; i < every + sizeof(every) / sizeof(every[0]); i++) {
		size_t n = 0;

		while (n < VALUE_ARGS && i->args[n] != NULL)
			kinds_are_known(i->args[n++]);
		if ((i->what == ANSWER_LINE && i->m != 0) || i->what == ANSWER_PLAIN)
			for (unsigned l = 0; l < LANGUAGES; l++)
				if (takes(message_format(i->m, (enum lang)l)) != n)
					fail_msg("%zu values for: %s", n, message_format(i->m, (enum lang)l));
		depth += i->what == ANSWER_EACH || i->what == ANSWER_TABLE;
		depth -= i->what == ANSWER_END && depth > 0;
	}
	assert_int_equal(depth, 0);
}

/* ---- values and conditions ------------------------------------------------------------------- */

static void test_values(void **state)
{
	static const struct {
		const char *value, *text;
	} values[] = {
		{ "name", "rtg" },
		{ "n", "5" },
		{ "below", "0" },
		{ "none", "" },
		{ "empty,none,'-'", "-" },
		{ "in.at", "2026-11-20T08:10:11Z" },
		{ "time:in.at", "2026-11-20 08:10:11 UTC" },
		{ "time:none,'never'", "never" },
		{ "/name", "whole" },
		{ "list.1", "b" },
		{ "count:list", "2" },
		{ "join:list", "a, b" },
		{ "{name} -> {none,'?'}", "rtg -> ?" },
		{ "word.link:link", "no signal" },
		{ "word.link:'new'", "new" },
		{ "total.x+y:sums", "6" },
		{ "join.x:sums", ", " },
		{ "some:zero,'-'", "-" },
		{ "nothing:name", "" },
	};
	static const struct {
		const char *condition;
		bool holds;
	} conditions[] = {
		{ "", true },
		{ "name", true },
		{ "none", false },
		{ "!none", true },
		{ "zero", false },
		{ "zero=0", true },
		{ "no", false },
		{ "no=false", true },
		{ "null=null", true },
		{ "?null", true },
		{ "?none", false },
		{ "name=rtg n", true },
		{ "name=rtg zero", false },
		{ "zero|n", true },
		{ "name!=rtg", false },
		{ "!name=rtg", false },
		{ "n>count:list", true },
		{ "!n>count:list", false },
		{ "list", true },
		{ "empty_list", false },
		{ "in", true },
	};
	json_t *row = json_pack("{s:s, s:i, s:i, s:s, s:{s:s}, s:[s,s], s:s, s:[{s:i,s:i},{s:i}], s:i, s:b, s:n, s:[]}",
				"name", "rtg", "n", 5, "below", -3, "empty", "", "in", "at", "2026-11-20T08:10:11Z",
				"list", "a", "b", "link", "no_carrier", "sums", "x", 1, "y", 2, "x", 3, "zero", 0, "no",
				0, "null", "empty_list");
	json_t *root = json_pack("{s:s}", "name", "whole");
	const struct value_place p = { root, row, LANG_EN };

	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char *text = value_text(&p, values[i].value);

		if (strcmp(values[i].value, "word.link:link") == 0)
			assert_string_equal(text, word_text("link", "no_carrier", LANG_EN));
		else
			assert_string_equal(text, values[i].text);
		free(text);
	}
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (value_holds(&p, conditions[i].condition) != conditions[i].holds)
			fail_msg("%s", conditions[i].condition);
	json_decref(root);
	json_decref(row);
}

/* ---- an answer ------------------------------------------------------------------------------- */

static void test_answer(void **state)
{
	static const struct answer_row rows[] = { LINE("generation", M_STATUS_DRIFT, "generation", "'x'") TABLE(
		"devices", 2, 0) NUMBER(M_COL_NUMBER, "number,'0'") COLUMN(M_COL_STATE, "state")
							  INSTEAD("odd", 0, "{state}!") END EACH("devices", "odd")
								  PLAIN("", M_VERIFY_DIFFERS, "number")
									  END LINE("!devices", M_DEVICES_NONE) END };
	json_t *answer = json_pack("{s:[{s:i,s:s},{s:i,s:s,s:b}]}", "devices", "number", 7, "state", "known", "number",
				   12, "state", "new\033", "odd", 1);
	char *text = NULL;
	size_t size;
	struct cli c = { .lang = LANG_EN };

	(void)state;
	c.out = open_memstream(&text, &size);
	answer_print(&c, rows, answer);
	assert_int_equal(fclose(c.out), 0);
	assert_non_null(strstr(text, "7  known\n"));
	assert_non_null(strstr(text, "12  new?!\n"));
	assert_null(strstr(text, message_format(M_DEVICES_NONE, LANG_EN)));
	free(text);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
