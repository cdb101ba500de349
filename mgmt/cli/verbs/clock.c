/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho clock`: whether the clock has been trusted since the machine's start; --confirm: a
 * person says that it is right. */
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

int verb_clock(struct cli *c, const struct cli_args *a)
{
	bool confirm = a->values[OPT_CLOCK_CONFIRM] != NULL;
	struct box_answer answer;
	const json_t *clock;
	char when[RENDER_TEXT];
	int status;

	if (!box_ask(c, &(struct msg_body){ .type = confirm ? MSG_CTL_CLOCK : MSG_STATUS }, &answer, &status))
		return status;
	clock = ja(answer.json, "clock");
	if (!box_answer_done(c, &answer, &status)) {
		render_time(js(clock, "time"), when);
		if (confirm && status == CLI_YES)
			render_line(c, M_CLOCK_CONFIRMED, when);
		if (confirm && json_is_false(json_object_get(answer.json, "saved")))
			render_line(c, M_CLOCK_UNSAVED);
		clock_print(c, clock);
	}
	/* The status is about the clock, not about the policy. */
	if (status != CLI_CANNOT)
		status = jb(clock, "trusted") ? CLI_YES : CLI_NO;
	box_answer_free(&answer);
	return status;
}
