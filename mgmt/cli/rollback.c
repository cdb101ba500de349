/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho rollback`: back to the generation before. */
#include "mgmt/cli/apply_text.h"
#include "mgmt/cli/request.h"
#include "mgmt/cli/verbs.h"

static int run(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	int status;

	(void)a;
	if (!box_request(c, MSG_CTL_ROLLBACK, NULL, NULL, 0, 120, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status))
		status = apply_render(c, APPLY_KIND_ROLLBACK, answer.json, status);
	box_answer_free(&answer);
	return status;
}

const struct cli_verb verb_rollback = {
	.name = "rollback",
	.group = CLI_ON_BOX,
	.operands = "",
	.summary = M_ROLLBACK_SUMMARY,
	.text = M_ROLLBACK_TEXT,
	.run = run,
};
