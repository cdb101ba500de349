/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho confirm`: the generation that waits becomes the one that boot loads. */
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/apply.h"

static int run(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	int status;

	(void)a;
	if (!box_request(c, &(struct msg_body){ .type = MSG_CTL_CONFIRM }, NULL, 0, 120, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status))
		status = apply_render(c, APPLY_KIND_CONFIRM, answer.json, status);
	box_answer_free(&answer);
	return status;
}

const struct cli_verb verb_confirm = {
	.name = "confirm",
	.group = CLI_ON_BOX,
	.operands = "",
	.summary = M_CONFIRM_SUMMARY,
	.text = M_CONFIRM_TEXT,
	.run = run,
};
