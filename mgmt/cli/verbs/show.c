/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho show NUMBER`: the texts of a stored generation, and the lines that differ from the one
 * before. */
#include "mgmt/cli/box/request.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#define ALL SIZE_MAX

static void texts_print(struct cli *c, const json_t *answer, const json_t *row)
{
	json_each(s, ja(answer, "sources")) {
		const char *text = js(s, "text");

		render_line(c, M_SHOW_FILE, js(s, "name"));
		while (*text != '\0') {
			size_t n = strcspn(text, "\n");
			char *line = strndup(text, n), *safe = line != NULL ? text_safe(line) : NULL;

			fprintf(c->out, "%s\n", safe != NULL ? safe : "");
			free(line);
			free(safe);
			text += n + (text[n] == '\n');
		}
	}
}

static const struct answer_row rows[] = {
#define ROWS_SHOWN
#include "mgmt/cli/verbs/answers.def"
};

int verb_show(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	unsigned long long number = 0;
	const json_t *before;
	int status;

	if (a->n_operands > 0 && (!cli_number(a->operands[0], INT64_MAX, &number) || number == 0))
		return cli_fail(c, CLI_INVALID, M_SHOW_NUMBER, a->operands[0]);
	if (!box_show(c, number, &answer, &status))
		return status;
	before = json_object_get(answer.json, "before");
	if (json_is_object(before))
		(void)json_object_set_new(answer.json, "difference",
					  difference_json(ja(before, "sources"), ja(answer.json, "sources")));
	if (!box_answer_done(c, &answer, &status) && status == CLI_YES) {
		answer_print(c, rows, answer.json);
		if (json_is_object(before))
			difference_print(c, json_object_get(answer.json, "difference"), ALL);
	}
	box_answer_free(&answer);
	return status;
}
