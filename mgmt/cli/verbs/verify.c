/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho verify`: do the kernel and the workers hold exactly the policy in force, and if not,
 * where do they differ? */
#include <stdlib.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"

enum { OPT_SINCE, OPT_N };

const struct cli_option options_verify[OPT_N + 1] = {
	[OPT_SINCE] = { "--since", 0, "TIME", M_VERIFY_OPT_SINCE },
};

static void differences(struct cli *c, const json_t *list)
{
	static const enum message heads[] = { M_COL_WHAT, M_COL_WHERE, M_COL_LINE, M_COL_DETAIL };
	struct table *t = table_headed(4, 2, c->lang, heads);

	table_wrap(t);
	table_right(t, 2);
	json_each(d, list) {
		table_cell(t, word_text("difference", js(d, "what"), c->lang));
		table_cell(t, js(d, "where"));
		table_cellf(t, ju(d, "line") != 0 ? "%llu" : "", ju(d, "line"));
		if (*js(d, "want") != '\0') {
			char text[RENDER_TEXT];

			message_text(text, sizeof(text), c->lang, M_DIFF_VALUE, js(d, "detail"), js(d, "want"));
			table_cell(t, text);
		} else {
			table_cell(t, js(d, "detail"));
		}
	}
	(void)table_end(t, c->out, c->color);
}

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

/* True: there is no policy to compare with. */
static bool empty(const json_t *answer)
{
	return json_is_integer(json_object_get(answer, "generation")) && ju(answer, "generation") == 0;
}

int verb_verify(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	const json_t *workers;
	json_t *past = NULL;
	char since[MOMENT_TEXT];
	int status;

	if (a->values[OPT_SINCE] != NULL) {
		if (!moment_parse(a->values[OPT_SINCE], since))
			return cli_fail(c, CLI_INVALID, M_SINCE_BAD, a->values[OPT_SINCE]);
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
		workers = ja(answer.json, "workers");
		message_print(c->out, c->lang,
			      empty(answer.json)	 ? M_VERIFY_EMPTY
			      : jb(answer.json, "equal") ? M_VERIFY_EQUAL
							 : M_VERIFY_DIFFERS,
			      json_array_size(ja(answer.json, "differences")));
		if (json_array_size(ja(answer.json, "differences")) > 0)
			differences(c, ja(answer.json, "differences"));
		if (ju(answer.json, "packets_asked") > 0)
			render_line(c, M_VERIFY_PACKETS, ju(answer.json, "packets_asked"));
		json_each(w, workers) {
			char digest[RENDER_TEXT];

			render_digest(js(w, "digest"), digest);
			render_line(c, jb(w, "equal") ? M_VERIFY_WORKER_EQUAL : M_VERIFY_WORKER_DIFFERS, ju(w, "index"),
				    render_kind(js(w, "kind"), c->lang), digest);
		}
		if (past != NULL)
			past_text(c, past, since);
	}
	json_decref(past);
	box_answer_free(&answer);
	return status;
}
