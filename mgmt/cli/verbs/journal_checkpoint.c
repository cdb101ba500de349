/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho journal checkpoint`: the journal signs its records, and tells its public key. */
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

/* Prints line by line, with control characters removed. */
static void lines(struct cli *c, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		render_line(c, M_JOURNAL_CHECKPOINT_LINE, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

int verb_journal_checkpoint(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	int status;

	(void)a;
	if (!box_request(c, &(struct msg_body){ .type = MSG_CHECKPOINT }, NULL, 0, 30, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		render_line(c, M_JOURNAL_CHECKPOINT, ju(answer.json, "seq"));
		lines(c, js(ja(answer.json, "checkpoint"), "text"));
		lines(c, js(answer.json, "key"));
	}
	box_answer_free(&answer);
	return status;
}
