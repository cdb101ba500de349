/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho confirm`: the generation on trial becomes the one that boot loads. */
#include "appliance/wire/orders.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

int verb_confirm(struct cli *c, const struct cli_args *a)
{
	struct msg_body order = { MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_CONFIRM } };
	unsigned long long to = 0;
	struct box_answer answer;
	int status;

	if (a->values[OPT_CONFIRM_TO] != NULL && (!cli_number(a->values[OPT_CONFIRM_TO], INT64_MAX, &to) || to == 0))
		return cli_fail(c, CLI_INVALID, M_SHOW_NUMBER, a->values[OPT_CONFIRM_TO]);
	order.ctl_change.to = to;
	if (!box_request(c, &order, NULL, 0, 120, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status))
		status = apply_render(c, APPLY_KIND_CONFIRM, answer.json, status);
	box_answer_free(&answer);
	return status;
}
