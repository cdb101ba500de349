/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho explain EVENT`: a record as a sentence. */
#include <stdlib.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/read.h"
#include "mgmt/words/nearest.h"

/* Prints the nearest conduit if no conduit covers the event. Does not change the exit status when
 * the box does not answer, because the event itself has been printed. */
static void print_nearest(const struct cli *cli, const json_t *event)
{
	struct cli here = *cli, *c = &here;
	struct box_answer answer;
	char *text, *safe;
	int status;

	if (!nearest_fits(event) || !box_ask(c, &(struct msg_body){ .type = MSG_EFFECTIVE }, &answer, &status))
		return;
	text = json_is_array(ja(answer.json, "cells")) ? nearest_sentence(event, answer.json, c->lang) : NULL;
	safe = text != NULL ? text_safe(text) : NULL;
	if (safe != NULL)
		fprintf(c->out, "%s\n", safe);
	free(safe);
	free(text);
	box_answer_free(&answer);
}

int verb_explain(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { .type = MSG_EXPLAIN };
	struct box_answer answer;
	unsigned long long seq;
	const json_t *event;
	char *text;
	int status;

	if (!cli_number(a->operands[0], UINT64_MAX, &seq) || seq == 0)
		return cli_fail(c, CLI_INVALID, M_EXPLAIN_NUMBER, a->operands[0]);
	question.explain.seq = seq;
	if (!box_ask(c, &question, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		event = json_object_get(answer.json, "event");
		if (!json_is_object(event) && json_object_get(answer.json, "seq") != NULL)
			event = answer.json;
		text = json_is_object(event) ? event_told(event, c->lang) : NULL;
		if (text != NULL) {
			fprintf(c->out, "%s\n", text);
			print_nearest(c, event);
		} else {
			status = cli_fail(c, CLI_NO, M_EXPLAIN_ABSENT, seq);
		}
		free(text);
	}
	box_answer_free(&answer);
	return status;
}
