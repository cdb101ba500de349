/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho devices`: devices that were heard beside the box, and which ones a person has
 * accepted. */
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

static const struct answer_row listed[] = {
#define ROWS_DEVICES_LIST
#include "mgmt/cli/verbs/answers.def"
};

static const struct answer_row csv_table[] = {
#define ROWS_DEVICES_CSV
#include "mgmt/cli/verbs/answers.def"
};

static int show(struct cli *c, const struct cli_args *a, const json_t *answer)
{
	const char *csv = a->values[OPT_DEVICES_CSV];
	json_t *list = json_object_get(answer, "devices");
	int code;

	for (size_t i = json_array_size(list); a->values[OPT_DEVICES_NEW] != NULL && i > 0; i--)
		if (js_is(json_array_get(list, i - 1), "state", "known"))
			(void)json_array_remove(list, i - 1);
	if (csv == NULL) {
		answer_print(c, listed, answer);
		return CLI_YES;
	}
	code = answer_csv(csv, csv_table, answer, c->lang);
	return code == 0 ? CLI_YES : cli_fail(c, CLI_CANNOT, M_DEVICES_FILE, csv, strerror(code));
}

/* *ret: the box's answer, owned by the caller. False: the verb ends with *ret_status. */
static bool ask(struct cli *c, const struct msg_devices *order, struct box_answer *ret, int *ret_status)
{
	const struct msg_body question = { MSG_DEVICES, .devices = *order };

	return box_ask(c, &question, ret, ret_status);
}

/* "all" means the devices listed now: nobody has seen later ones. */
static int take_which(struct cli *c, const char *which, struct msg_devices *order)
{
	struct box_answer answer;
	unsigned long long number;
	int status = CLI_YES;

	if (strcmp(which, "all") != 0) {
		if (!cli_number(which, UINT32_MAX, &number) || number == 0)
			return cli_fail(c, CLI_INVALID, M_DEVICES_NUMBER, which);
		order->number = (uint32_t)number;
		return CLI_YES;
	}
	if (!ask(c, &(struct msg_devices){ .order = DEVICES_LIST, .reason = "" }, &answer, &status))
		return status;
	order->all = 1;
	order->number = (uint32_t)ju(answer.json, "last");
	box_answer_free(&answer);
	return CLI_YES;
}

int verb_devices(struct cli *c, const struct cli_args *a)
{
	const char *accept = a->values[OPT_DEVICES_ACCEPT], *forget = a->values[OPT_DEVICES_FORGET];
	struct msg_devices order = { .order = accept != NULL   ? DEVICES_ACCEPT
					      : forget != NULL ? DEVICES_FORGET
							       : DEVICES_LIST,
				     .reason = "" };
	struct box_answer answer;
	int status;

	if ((accept != NULL) + (forget != NULL) + (a->values[OPT_DEVICES_CSV] != NULL) > 1)
		return cli_fail(c, CLI_INVALID, M_DEVICES_ONE);
	if (order.order != DEVICES_LIST) {
		status = box_order_words(c, a->values[OPT_DEVICES_REASON], a->values[OPT_DEVICES_BY], &order.reason,
					 (char *)order.person);
		if (status == CLI_YES)
			status = take_which(c, accept != NULL ? accept : forget, &order);
		if (status != CLI_YES)
			return status;
	}
	if (!ask(c, &order, &answer, &status))
		return status;
	if (c->json && a->values[OPT_DEVICES_CSV] != NULL) {
		status = show(c, a, answer.json);
	} else if (!box_journal_done(c, &answer, &status)) {
		if (order.order != DEVICES_LIST)
			render_line(c, accept != NULL ? M_DEVICES_ACCEPTED : M_DEVICES_FORGOTTEN,
				    ju(answer.json, "done"));
		status = show(c, a, answer.json);
	}
	box_answer_free(&answer);
	return status;
}
