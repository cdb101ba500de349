/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho history`: the box's policies, the newest first, as the box sends them. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define BELOW 4u /* indentation of the details */

/* "4 (confirmed, in force)" */
static void generation_cell(struct cli *c, struct table *t, const json_t *g)
{
	char text[RENDER_TEXT];

	render_generation(g, c->lang, text);
	if (jb(g, "in_force"))
		message_text(text, sizeof(text), c->lang, M_GENERATION_IN_FORCE, ju(g, "number"),
			     word_text("generation", js(g, "state"), c->lang));
	table_cell(t, text);
}

static struct table *rows(struct cli *c, const json_t *list)
{
	static const enum message heads[] = { M_COL_GENERATION, M_COL_APPLIED, M_COL_BY, M_COL_DIGEST };
	struct table *t = table_headed(4, 0, c->lang, heads);

	json_each(g, list) {
		char digest[RENDER_TEXT];

		render_digest(js(g, "digest"), digest);
		generation_cell(c, t, g);
		table_time(t, js(g, "applied"), "");
		table_cell(t, js(g, "by"));
		table_cell(t, digest);
	}
	return t;
}

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
	struct table *t;
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *to;

	if (json_array_size(list) == 0) {
		message_print(c->out, c->lang, M_HISTORY_NONE);
		return status;
	}
	t = rows(c, list);
	to = open_memstream(&text, &size);
	if (to != NULL) {
		table_print(t, to, c->color);
		if (fclose(to) == 0) {
			rest = text;
			for (size_t i = 0; (line = strsep(&rest, "\n")) != NULL && rest != NULL; i++) {
				fprintf(c->out, "%s\n", line);
				if (i > 0)
					particulars(c, json_array_get(list, i - 1));
			}
		}
		free(text);
	}
	table_free(t);
	return status;
}

int verb_history(struct cli *c, const struct cli_args *a)
{
	return box_tell(c, &(struct msg_body){ .type = MSG_HISTORY }, print);
}
