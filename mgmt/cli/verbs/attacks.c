/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho attacks`: alarms of attacks, who acknowledged them, and their self-test. */
#include "appliance/wire/attack.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"

static const struct answer_row rows[] = {
#define ROWS_ATTACKS
#include "mgmt/cli/verbs/answers.def"
};

static int take_order(struct cli *c, const struct cli_args *a, struct msg_attacks *order)
{
	const char *number = a->values[OPT_ATTACKS_ACKNOWLEDGE], *silence = a->values[OPT_ATTACKS_SILENCE],
		   *minutes = a->values[OPT_ATTACKS_MINUTES];
	unsigned long long n, m = 0;

	if ((number != NULL) + (silence != NULL) + (a->values[OPT_ATTACKS_TEST] != NULL) > 1)
		return cli_fail(c, CLI_INVALID, M_ATTACKS_ONE);
	if ((silence != NULL) != (minutes != NULL))
		return cli_fail(c, CLI_INVALID, M_ATTACKS_MINUTES);
	if (a->values[OPT_ATTACKS_TEST] != NULL)
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
	return box_order_words(c, a->values[OPT_ATTACKS_REASON], a->values[OPT_ATTACKS_BY], &order->reason,
			       (char *)order->person);
}

int verb_attacks(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { MSG_ATTACKS, .attacks = { .order = ATTACKS_LIST, .reason = "" } };
	struct box_answer answer;
	int status = take_order(c, a, &question.attacks);

	if (status != CLI_YES || !box_ask(c, &question, &answer, &status))
		return status;
	if (!box_journal_done(c, &answer, &status)) {
		answer_print(c, rows, answer.json);
		/* A self-test with undetected causes has the status "no". */
		status = question.attacks.order == ATTACKS_TEST && json_array_size(ja(answer.json, "test_missed")) > 0
				 ? CLI_NO
				 : CLI_YES;
	}
	box_answer_free(&answer);
	return status;
}
