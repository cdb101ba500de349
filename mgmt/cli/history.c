/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho history`: which policies the box has had, newest first as the box sends them. */
#include "mgmt/cli/render.h"
#include "mgmt/cli/request.h"
#include "mgmt/cli/table.h"
#include "mgmt/cli/verbs.h"

static int run(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	struct table *t;
	const json_t *list;
	int status;

	(void)a;
	if (!box_request(c, &(struct msg_body){ .type = MSG_HISTORY }, NULL, 0, 30, &answer, &status))
		return status;
	if (box_answer_done(c, &answer, &status)) {
		box_answer_free(&answer);
		return status;
	}
	list = ja(answer.json, "history");
	t = table_new(7, 0);
	table_cell(t, message_format(M_COL_GENERATION, c->lang));
	table_cell(t, message_format(M_COL_APPLIED, c->lang));
	table_cell(t, message_format(M_COL_BY, c->lang));
	table_cell(t, message_format(M_COL_DIGEST, c->lang));
	table_cell(t, "");
	table_cell(t, message_format(M_COL_WHY, c->lang));
	table_cell(t, message_format(M_COL_COMMENT, c->lang));
	table_head_done(t);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);
		char generation[RENDER_TEXT], when[RENDER_TEXT], digest[RENDER_TEXT], why[WHY_TEXT];

		render_generation(g, c->lang, generation);
		render_time(js(g, "applied"), when);
		render_digest(js(g, "digest"), digest);
		table_cell(t, generation);
		table_cell(t, when);
		table_cell(t, js(g, "by"));
		table_cell(t, digest);
		table_cell(t, jb(g, "in_force") ? message_format(M_HISTORY_IN_FORCE, c->lang) : "");
		render_why(g, c->lang, why);
		table_cell(t, why);
		table_cellf(t, "%s%s%s", js(g, "comment"),
			    *js(g, "comment") != '\0' && *js(g, "changed_comment") != '\0' ? " / " : "",
			    js(g, "changed_comment"));
	}
	if (table_rows(t) == 0)
		message_print(c->out, c->lang, M_HISTORY_NONE);
	else
		table_print(t, c->out, c->color);
	table_free(t);
	box_answer_free(&answer);
	return status;
}

const struct cli_verb verb_history = {
	.name = "history",
	.group = CLI_ON_BOX,
	.operands = "",
	.summary = M_HISTORY_SUMMARY,
	.text = M_HISTORY_TEXT,
	.run = run,
};
