/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho rollback`: back to the last generation with other contents, or to a stated one. */
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

/* Adds the lines that differ to the answer. Unreadable texts are left out: the rollback is done
 * anyway. */
static void add_difference(const struct cli *c, json_t *answer)
{
	struct cli silent;
	struct box_answer from = { 0 }, to = { 0 };
	const json_t *target = json_object_get(answer, "target");
	int status;

	if (!cli_silence(c, &silent))
		return;
	if (json_is_object(target) && ju(answer, "from") > 0 && box_show(&silent, ju(answer, "from"), &from, &status) &&
	    box_show(&silent, ju(target, "number"), &to, &status))
		(void)json_object_set_new(answer, "difference",
					  difference_json(ja(from.json, "sources"), ja(to.json, "sources")));
	box_answer_free(&from);
	box_answer_free(&to);
	fclose(silent.out);
}

int verb_rollback(struct cli *c, const struct cli_args *a)
{
	bool dry_run = a->values[OPT_ROLLBACK_DRY_RUN] != NULL;
	struct msg_body order = { MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_ROLLBACK,
								  .flags = dry_run ? APPLY_DRY_RUN : 0,
								  .comment = a->values[OPT_ROLLBACK_COMMENT] } };
	unsigned long long to = 0;
	struct box_answer answer;
	bool answered;
	int agreed, status;

	if (a->values[OPT_ROLLBACK_TO] != NULL && (!cli_number(a->values[OPT_ROLLBACK_TO], INT64_MAX, &to) || to == 0))
		return cli_fail(c, CLI_INVALID, M_SHOW_NUMBER, a->values[OPT_ROLLBACK_TO]);
	if (!apply_comment_good(c, a->values[OPT_ROLLBACK_COMMENT], &status))
		return status;
	order.ctl_change.to = to;
	if (!taking_fd(c, a, OPT_ROLLBACK_TAKE, &agreed, &status))
		return status;
	answered = box_request_long(c, &order, &agreed, 1, 120, &answer, &status);
	if (agreed >= 0)
		close(agreed);
	if (!answered)
		return status;
	taking_tell(c, answer.json);
	if (answer.status == CLI_YES)
		add_difference(c, answer.json);
	if (!box_answer_done(c, &answer, &status))
		status = apply_render(c, dry_run ? APPLY_KIND_ROLLBACK_DRY_RUN : APPLY_KIND_ROLLBACK, answer.json,
				      status);
	box_answer_free(&answer);
	return status;
}
