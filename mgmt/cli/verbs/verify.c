/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho verify`: do the kernel and the workers hold exactly the policy in force, and if not,
 * where do they differ? */
#include <stdlib.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"

/* Earlier differences that were mended: equal now does not mean equal all the time. */
static void past_text(struct cli *c, const json_t *past, const char *since)
{
	char when[RENDER_TEXT];

	render_time(since, when);
	render_line(c, json_array_size(past) == 0 ? M_VERIFY_NO_PAST : M_VERIFY_PAST, when, json_array_size(past));
	for (size_t i = 0; i < json_array_size(past); i++) {
		char *text = event_told(json_array_get(past, i), c->lang);

		fprintf(c->out, "  %6llu  ", ju(json_array_get(past, i), "seq"));
		text_wrap(c->out, text != NULL ? text : "", 10, 10);
		fputc('\n', c->out);
		free(text);
	}
}

static const struct answer_row rows[] = {
#define ROWS_VERIFY
#include "mgmt/cli/verbs/answers.def"
};

int verb_verify(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	json_t *past = NULL;
	char since[MOMENT_TEXT];
	int status;

	if (a->values[OPT_VERIFY_SINCE] != NULL) {
		if (!moment_parse(a->values[OPT_VERIFY_SINCE], since))
			return cli_fail(c, CLI_INVALID, M_SINCE_BAD, a->values[OPT_VERIFY_SINCE]);
		past = events_since(c, since, "drift", &status);
		if (past == NULL)
			return status;
	}
	if (!box_request_long(c, &(struct msg_body){ .type = MSG_VERIFY }, NULL, 0, 60, &answer, &status)) {
		json_decref(past);
		return status;
	}
	if (past != NULL && answer.status <= CLI_NO) {
		json_object_set(answer.json, "past", past);
		json_object_set_new(answer.json, "since", json_string(since));
		if (answer.status == CLI_YES && json_array_size(past) > 0)
			answer.status = CLI_NO;
	}
	if (!box_answer_done(c, &answer, &status)) {
		answer_print(c, rows, answer.json);
		if (past != NULL)
			past_text(c, past, since);
	}
	json_decref(past);
	box_answer_free(&answer);
	return status;
}
