/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho history`: the box's policies, the newest first, as the box sends them. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#define BELOW 4u /* indentation of the details */

static void below(struct cli *c, const char *text)
{
	char *safe = *text != '\0' ? text_safe(text) : NULL;

	if (safe == NULL)
		return;
	fprintf(c->out, "%*s", (int)BELOW, "");
	text_wrap(c->out, safe, BELOW, BELOW);
	fputc('\n', c->out);
	free(safe);
}

/* Prints the text line by line. */
static void below_lines(struct cli *c, const char *text)
{
	char *lines = strdup(text), *rest = lines, *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		below(c, line);
	free(lines);
}

/* How it came to its state, and the comments. */
static void particulars(struct cli *c, const json_t *g)
{
	char why[WHY_TEXT];

	render_why(g, c->lang, why);
	below(c, why);
	below(c, js(g, "comment"));
	below_lines(c, js(json_object_get(g, "meaning"), lang_name(c->lang)));
	below(c, render_later_comment(g));
}

/* Prints each row of the table, followed by what fits into no column. */
static int print(struct cli *c, const json_t *answer, int status)
{
	const json_t *list = ja(answer, "history");
	static const struct answer_row rows[] = {
#define ROWS_HISTORY
#include "mgmt/cli/verbs/answers.def"
	};
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *to = c->out;
	bool sound;

	if (json_array_size(list) == 0) {
		message_print(c->out, c->lang, M_HISTORY_NONE);
		return status;
	}
	c->out = open_memstream(&text, &size);
	if (c->out != NULL) {
		answer_print(c, rows, answer);
		sound = fclose(c->out) == 0;
		c->out = to;
		rest = sound ? text : NULL;
		for (size_t i = 0; rest != NULL && (line = strsep(&rest, "\n")) != NULL && rest != NULL; i++) {
			fprintf(c->out, "%s\n", line);
			if (i > 0)
				particulars(c, json_array_get(list, i - 1));
		}
		free(text);
	}
	c->out = to;
	return status;
}

int verb_history(struct cli *c, const struct cli_args *a)
{
	return box_tell(c, &(struct msg_body){ .type = MSG_HISTORY }, print);
}
