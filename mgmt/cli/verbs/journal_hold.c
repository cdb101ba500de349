/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho journal hold`, `holds`, `lift`: records that are kept from deletion. */
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"

static const struct answer_row rows[] = {
#define ROWS_HOLDS
#include "mgmt/cli/verbs/answers.def"
};

/* Sends an order. Prints either the error, or the sentence `done` (0 = none) and then the list. */
static int ask(struct cli *c, const struct msg_hold *order, enum message done)
{
	const struct msg_body question = { MSG_HOLD, .hold = *order };
	struct box_answer answer;
	int status;

	if (!box_ask(c, &question, &answer, &status))
		return status;
	if (!box_journal_done(c, &answer, &status)) {
		if (order->order != HOLD_LIST) {
			render_line(c, done, ju(answer.json, "number"));
			render_line(c, jb(answer.json, "signed") ? M_HOLD_SIGNED : M_HOLD_UNSIGNED);
		}
		answer_print(c, rows, answer.json);
	}
	box_answer_free(&answer);
	return status;
}

int verb_journal_holds(struct cli *c, const struct cli_args *a)
{
	return ask(c, &(struct msg_hold){ .order = HOLD_LIST, .reason = "" }, M_HOLD_NONE);
}

int verb_journal_hold(struct cli *c, const struct cli_args *a)
{
	const char *from = a->values[OPT_HOLD_FROM], *until = a->values[OPT_HOLD_UNTIL];
	struct msg_hold order = { .order = HOLD_PLACE, .until = HOLD_OPEN };
	int status = box_order_words(c, a->values[OPT_HOLD_REASON], a->values[OPT_HOLD_BY], &order.reason,
				     (char *)order.person);

	if (status != CLI_YES)
		return status;
	if (from != NULL && !moment_seconds(from, &order.since))
		return cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--from", from);
	if (until != NULL && !moment_seconds(until, &order.until))
		return cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--until", until);
	if (order.since > order.until)
		return cli_fail(c, CLI_INVALID, M_HOLD_ORDER);
	return ask(c, &order, M_HOLD_PLACED);
}

int verb_journal_lift(struct cli *c, const struct cli_args *a)
{
	struct msg_hold order = { .order = HOLD_LIFT };
	unsigned long long number;
	int status = box_order_words(c, a->values[OPT_HOLD_REASON], a->values[OPT_HOLD_BY], &order.reason,
				     (char *)order.person);

	if (status != CLI_YES)
		return status;
	if (!cli_number(a->operands[0], UINT32_MAX, &number) || number == 0)
		return cli_fail(c, CLI_INVALID, M_HOLD_NUMBER, a->operands[0]);
	order.number = (uint32_t)number;
	return ask(c, &order, M_HOLD_LIFTED);
}
