/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/words/command.h"

#define LINES_MOST 40u /* lines of a difference; of more only the number is told */

/* "write_single_register, unit 1, holding 400, wrote 0-9". Owned by the caller; NULL: no memory. */
static char *request_text(const json_t *r, enum lang l)
{
	const struct vocabulary *v = command_words(r);
	const char *comma = message_format(M_IMPACT_COMMA, l);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	command_function(to, r, v, l);
	command_targets(to, r, v, comma, l);
	if (json_object_get(r, "space") != NULL)
		fprintf(to, "%s%s %s", comma, js(r, "space"), js(r, "place"));
	if (json_object_get(r, "low") != NULL && ju(r, "low") == ju(r, "high"))
		message_print(to, l, M_IMPACT_WROTE, ju(r, "low"));
	else if (json_object_get(r, "low") != NULL)
		message_print(to, l, M_IMPACT_WROTE_RANGE, ju(r, "low"), ju(r, "high"));
	return text_closed(to, &text);
}

/* A session's requests that will be refused, below the session's line. */
static void narrowed_requests(struct cli *c, const json_t *answer, const json_t *s)
{
	const json_t *commands = json_object_get(s, "commands");
	struct table *t = table_new(3, 4);
	char *text;

	table_right(t, 0);
	table_wrap(t);
	json_each(r, commands) {
		text = request_text(r, c->lang);
		table_cellf(t, "%llux", ju(r, "count"));
		table_cell(t, text != NULL ? text : "?");
		free(text);
		table_cell(t, render_reason(js(r, "reason"), c->lang));
	}
	if (ju(s, "forgotten") > 0) {
		table_cellf(t, "%llux", ju(s, "forgotten"));
		table_cell(t, message_format(M_IMPACT_FORGOTTEN, c->lang));
		table_cell(t, "");
	}
	(void)table_end(t, c->out, c->color);
}

static void lines_print(struct cli *c, const json_t *answer, const json_t *row)
{
	difference_print(c, json_object_get(answer, "difference"), LINES_MOST);
}

bool apply_comment_good(struct cli *c, const char *text, int *ret_status)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (text != NULL && !text_is_plain(text, n)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_APPLY_COMMENT_LINE);
		return false;
	}
	if (n <= COMMENT_MOST)
		return true;
	*ret_status = cli_fail(c, CLI_INVALID, M_APPLY_COMMENT_LONG, COMMENT_MOST, n);
	return false;
}

int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status)
{
	static const enum message done[] = {
		[APPLY_KIND_APPLY] = M_APPLY_DONE,
		[APPLY_KIND_DRY_RUN] = M_APPLY_DRY_RUN,
		[APPLY_KIND_CONFIRM] = M_CONFIRM_DONE,
		[APPLY_KIND_ROLLBACK] = M_ROLLBACK_DONE,
		[APPLY_KIND_ROLLBACK_DRY_RUN] = M_APPLY_DRY_RUN,
	};
	static const struct answer_row target[] = {
#define ROWS_ROLLED_TO
#include "mgmt/cli/words/answers.def"
	};
	static const struct answer_row cut[] = {
#define ROWS_CUT
#include "mgmt/cli/words/answers.def"
	};
	bool dry_run = kind == APPLY_KIND_DRY_RUN || kind == APPLY_KIND_ROLLBACK_DRY_RUN;
	const json_t *g = json_object_get(answer, "generation");
	const char *notice = js(json_object_get(answer, "notice"), lang_name(c->lang));
	json_t *told;
	char generation[RENDER_TEXT], digest[RENDER_TEXT], until[RENDER_TEXT];

	if (status != CLI_YES)
		return status;
	told = json_copy((json_t *)(uintptr_t)answer);
	(void)json_object_set_new(told, "would", json_boolean(dry_run));
	(void)json_object_set_new(
		told, "ended", json_integer((json_int_t)(json_array_size(ja(answer, "cut")) + ju(answer, "cut_more"))));
	answer_print(c, target, told);
	if (kind != APPLY_KIND_CONFIRM)
		answer_print(c, cut, told);
	json_decref(told);
	/* the sentence tells the generation's state */
	if (kind == APPLY_KIND_CONFIRM || kind == APPLY_KIND_ROLLBACK)
		snprintf(generation, sizeof(generation), "%llu", ju(g, "number"));
	else
		render_generation(g, c->lang, generation);
	render_digest(js(g, "digest"), digest);
	render_line(c, done[kind], generation, digest);
	clock_waits_print(c, ja(answer, "clock"));
	given_back_print(c, ja(answer, "given_back"));
	if (*notice != '\0')
		render_line(c, M_STATUS_NOTICE, notice);
	if (kind == APPLY_KIND_APPLY && js_is(g, "state", "waiting")) {
		render_time(js(g, "confirm_by"), until);
		render_line(c, M_APPLY_CONFIRM_HOW, ju(g, "number"), until);
	}
	return status;
}

void given_back_print(struct cli *c, const json_t *reports)
{
	static const struct answer_row rows[] = {
#define ROWS_GIVEN_BACK
#include "mgmt/cli/words/answers.def"
	};

	answer_print(c, rows, reports);
}
