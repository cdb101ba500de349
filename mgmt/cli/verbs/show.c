/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho show NUMBER`: the texts of a stored generation, and the lines that differ from the one
 * before. */
#include "mgmt/cli/box/request.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define ALL SIZE_MAX

/* Prints "by tanaka at ...: swap of the PLC", and why the generation is in its state. */
static void record_print(struct cli *c, const json_t *g)
{
	char generation[RENDER_TEXT], when[RENDER_TEXT], why[WHY_TEXT];

	render_generation(g, c->lang, generation);
	render_time(js(g, "applied"), when);
	render_line(c, M_SHOW_HEAD, generation, when, js(g, "by"));
	if (*js(g, "comment") != '\0')
		render_line(c, M_SHOW_COMMENT, js(g, "comment"));
	render_why(g, c->lang, why);
	if (*why != '\0')
		render_line(c, M_SHOW_WHY, why);
	if (*render_later_comment(g) != '\0')
		render_line(c, M_SHOW_COMMENT, render_later_comment(g));
}

static void texts_print(struct cli *c, const json_t *sources)
{
	json_each(s, sources) {
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

static void show(struct cli *c, const json_t *answer)
{
	const json_t *before = json_object_get(answer, "before");

	record_print(c, json_object_get(answer, "generation"));
	texts_print(c, ja(answer, "sources"));
	if (!json_is_object(before)) {
		message_print(c->out, c->lang, M_SHOW_FIRST);
		return;
	}
	message_print(c->out, c->lang,
		      json_array_size(json_object_get(answer, "difference")) > 0 ? M_SHOW_DIFFERENCE : M_SHOW_SAME,
		      ju(before, "number"));
	difference_print(c, json_object_get(answer, "difference"), ALL);
}

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
	if (!box_answer_done(c, &answer, &status) && status == CLI_YES)
		show(c, answer.json);
	box_answer_free(&answer);
	return status;
}
