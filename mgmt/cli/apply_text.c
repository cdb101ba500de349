/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/apply_text.h"

#include <string.h>

#include "mgmt/cli/render.h"
#include "mgmt/cli/table.h"

static void sessions(struct cli *c, const json_t *cut, bool dry_run)
{
	struct table *t;

	if (json_array_size(cut) == 0) {
		message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_CUT_NONE : M_APPLY_CUT_NONE);
		return;
	}
	message_print(c->out, c->lang, dry_run ? M_APPLY_WOULD_CUT : M_APPLY_CUT, json_array_size(cut));
	t = table_new(5, 2);
	table_cell(t, message_format(M_COL_CLIENT, c->lang));
	table_cell(t, message_format(M_COL_SERVER, c->lang));
	table_cell(t, message_format(M_COL_TRANSPORT, c->lang));
	table_cell(t, message_format(M_COL_CONDUIT, c->lang));
	table_cell(t, message_format(M_COL_REASON, c->lang));
	table_head_done(t);
	for (size_t i = 0; i < json_array_size(cut); i++) {
		const json_t *s = json_array_get(cut, i);

		table_cell(t, js(s, "client"));
		table_cell(t, js(s, "server"));
		table_cell(t, js(s, "transport"));
		table_cell(t, js(s, "conduit"));
		table_cell(t, render_reason(js(s, "reason"), c->lang));
	}
	table_print(t, c->out, c->color);
	table_free(t);
}

int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status)
{
	static const enum message done[] = {
		[APPLY_KIND_APPLY] = M_APPLY_DONE,
		[APPLY_KIND_DRY_RUN] = M_APPLY_DRY_RUN,
		[APPLY_KIND_CONFIRM] = M_CONFIRM_DONE,
		[APPLY_KIND_ROLLBACK] = M_ROLLBACK_DONE,
	};
	const json_t *g = json_object_get(answer, "generation");
	const char *notice = js(json_object_get(answer, "notice"), lang_name(c->lang));
	char generation[RENDER_TEXT], digest[RENDER_TEXT], until[RENDER_TEXT];

	if (status != CLI_YES)
		return status;
	if (kind != APPLY_KIND_CONFIRM)
		sessions(c, json_object_get(answer, "cut"), kind == APPLY_KIND_DRY_RUN);
	if (kind == APPLY_KIND_CONFIRM || kind == APPLY_KIND_ROLLBACK) /* the sentence says its state */
		snprintf(generation, sizeof(generation), "%llu", ju(g, "number"));
	else
		render_generation(g, c->lang, generation);
	render_digest(js(g, "digest"), digest);
	render_line(c, done[kind], generation, digest);
	if (*notice != '\0')
		render_line(c, M_STATUS_NOTICE, notice);
	if (kind == APPLY_KIND_APPLY && strcmp(js(g, "state"), "waiting") == 0) {
		render_time(js(g, "confirm_by"), until);
		render_line(c, M_APPLY_CONFIRM_HOW, until);
	}
	return status;
}
