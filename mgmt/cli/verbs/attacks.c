/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho attacks`: alarms of attacks, who acknowledged them, and their self-test. */
#include "appliance/wire/attack.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

enum { OPT_ACKNOWLEDGE, OPT_SILENCE, OPT_MINUTES, OPT_TEST, OPT_REASON, OPT_BY, OPT_N };

const struct cli_option options_attacks[OPT_N + 1] = {
	[OPT_ACKNOWLEDGE] = { "--acknowledge", 0, "N", M_ATTACKS_OPT_ACKNOWLEDGE },
	[OPT_SILENCE] = { "--silence", 0, "N", M_ATTACKS_OPT_SILENCE },
	[OPT_MINUTES] = { "--minutes", 0, "N", M_ATTACKS_OPT_MINUTES },
	[OPT_TEST] = { "--test", 0, NULL, M_ATTACKS_OPT_TEST },
	[OPT_REASON] = { "--reason", 0, "TEXT", M_HOLD_OPT_REASON },
	[OPT_BY] = { "--by", 0, "NAME", M_HOLD_OPT_BY },
};

#define CELL 700

static void state_text(const struct cli *c, const json_t *x, char out[CELL])
{
	char when[RENDER_TEXT];
	bool seen = js_is(x, "state", "acknowledged"), silent = js_is(x, "state", "silenced");

	if (!seen && !silent) {
		snprintf(out, CELL, "%s",
			 message_format(jb(x, "grave") ? M_ATTACK_RINGS_GRAVE : M_ATTACK_RINGS, c->lang));
		return;
	}
	render_time(js(x, seen ? "acknowledged" : "silent_until"), when);
	message_text(out, CELL, c->lang, seen ? M_ATTACK_SEEN : M_ATTACK_SILENT, when, js(x, "person"),
		     js(x, "reason"));
}

static void put_row(struct cli *c, struct table *t, const json_t *x)
{
	unsigned cause = attack_by_word(js(x, "attack"));
	char text[CELL];

	table_cellf(t, "%llu", ju(x, "number"));
	snprintf(text, sizeof(text), "%s%s", jb(x, "test") ? message_format(M_ATTACK_TEST, c->lang) : "",
		 attack_text(cause, lang_name(c->lang)));
	table_cell(t, text);
	state_text(c, x, text);
	table_cell(t, text);
	table_cell(t, *js(x, "from") != '\0' ? js(x, "from") : "-");
	table_cell(t, *js(x, "to") != '\0' ? js(x, "to") : "-");
	table_cellf(t, "%llu", ju(x, "count"));
	table_time(t, js(x, "first"), "-");
	table_time(t, js(x, "last"), "-");
	table_cell(t, attack_step(cause, lang_name(c->lang)));
}

static void print_rule(struct cli *c, const json_t *answer)
{
	const json_t *rule = ja(answer, "thresholds");
	char text[CELL], tested[RENDER_TEXT];
	const char *word;
	json_t *value;
	size_t at = 0;

	text[0] = '\0';
	json_object_foreach((json_t *)(uintptr_t)rule, word, value) {
		if (at < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%lld", at > 0 ? " " : "", word,
					       (long long)json_integer_value(value));
	}
	render_time(*js(answer, "tested") != '\0' ? js(answer, "tested") : "-", tested);
	render_line(c, M_ATTACKS_RULE, ju(answer, "version"), text);
	render_line(c, json_array_size(ja(answer, "test_missed")) > 0 ? M_ATTACKS_TEST_FAILED : M_ATTACKS_TESTED,
		    tested);
	if (ju(answer, "beyond") > 0)
		render_line(c, M_ATTACKS_BEYOND, ju(answer, "beyond"));
}

static void print_list(struct cli *c, const json_t *answer)
{
	static const enum message heads[] = { M_COL_NUMBER,	 M_COL_ATTACK,	   M_COL_STATE,
					      M_COL_FROM,	 M_COL_TO,	   M_COL_AT_LEAST,
					      M_COL_HEARD_FIRST, M_COL_HEARD_LAST, M_COL_FIRST_STEP };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 0, c->lang, heads);

	table_right(t, 0);
	table_wrap(t);
	json_each(x, ja(answer, "alarms"))
		put_row(c, t, x);
	if (!table_end(t, c->out, c->color))
		render_line(c, M_ATTACKS_NONE);
	print_rule(c, answer);
}

static int take_order(struct cli *c, const struct cli_args *a, struct msg_attacks *order)
{
	const char *number = a->values[OPT_ACKNOWLEDGE], *silence = a->values[OPT_SILENCE],
		   *minutes = a->values[OPT_MINUTES];
	unsigned long long n, m = 0;

	if ((number != NULL) + (silence != NULL) + (a->values[OPT_TEST] != NULL) > 1)
		return cli_fail(c, CLI_INVALID, M_ATTACKS_ONE);
	if ((silence != NULL) != (minutes != NULL))
		return cli_fail(c, CLI_INVALID, M_ATTACKS_MINUTES);
	if (a->values[OPT_TEST] != NULL)
		order->order = ATTACKS_TEST;
	if (number == NULL && silence == NULL)
		return CLI_YES;
	order->order = silence != NULL ? ATTACKS_SILENCE : ATTACKS_ACKNOWLEDGE;
	number = silence != NULL ? silence : number;
	if (!cli_number(number, UINT32_MAX, &n) || n == 0)
		return cli_fail(c, CLI_INVALID, M_ATTACKS_NUMBER, number);
	if (minutes != NULL && (!cli_number(minutes, ATTACK_SILENT_MOST / 60u, &m) || m == 0))
		return cli_fail(c, CLI_INVALID, M_ATTACKS_MINUTES);
	order->number = (uint32_t)n;
	order->silent_s = (uint32_t)m * 60u;
	return box_order_words(c, a->values[OPT_REASON], a->values[OPT_BY], &order->reason, (char *)order->person);
}

int verb_attacks(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { MSG_ATTACKS, .attacks = { .order = ATTACKS_LIST, .reason = "" } };
	struct box_answer answer;
	int status = take_order(c, a, &question.attacks);

	if (status != CLI_YES || !box_ask(c, &question, &answer, &status))
		return status;
	if (!box_journal_done(c, &answer, &status)) {
		print_list(c, answer.json);
		/* A self-test with undetected causes has the status "no". */
		status = question.attacks.order == ATTACKS_TEST && json_array_size(ja(answer.json, "test_missed")) > 0
				 ? CLI_NO
				 : CLI_YES;
	}
	box_answer_free(&answer);
	return status;
}
