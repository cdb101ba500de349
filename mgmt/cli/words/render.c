/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/reason.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"

const char *render_reason(const char *word, enum lang l)
{
	enum reason r = reason_by_word(word);

	return r == REASON_COUNT ? word : reason_text(r, lang_name(l));
}

void table_time(struct table *t, const char *rfc3339, const char *none)
{
	char when[RENDER_TEXT];

	render_time(rfc3339, when);
	table_cell(t, *when != '\0' ? when : none);
}

void render_digest(const char *hex, char out[RENDER_TEXT])
{
	snprintf(out, RENDER_TEXT, "%.12s", hex);
}

const char *render_later_comment(const json_t *g)
{
	return js_is(g, "why", "apply") ? "" : js(g, "changed_comment");
}

void render_why(const json_t *g, enum lang l, char out[WHY_TEXT])
{
	const enum message *why = word_message("why", js(g, "why"));
	bool confirmed = js_is(g, "state", "confirmed");
	char when[RENDER_TEXT];

	out[0] = '\0';
	render_time(js(g, "changed"), when);
	if (js_is(g, "why", "rollback")) {
		message_text(out, WHY_TEXT, l, confirmed ? M_WHY_ROLLED_TO : M_WHY_ROLLED_FROM, when,
			     js(g, "changed_by"), ju(g, "other"));
		return;
	}
	if (why != NULL)
		message_text(out, WHY_TEXT, l, *why, when, js(g, "changed_by"), ju(g, "other"));
}

void render_generation(const json_t *g, enum lang l, char out[RENDER_TEXT])
{
	message_text(out, RENDER_TEXT, l, M_GENERATION_STATE, ju(g, "number"),
		     word_text("generation", js(g, "state"), l));
}

size_t render_diagnostics(struct cli *c, const json_t *diagnostics)
{
	size_t i, n = json_array_size(diagnostics);

	for (i = 0; i < n; i++) {
		const json_t *d = json_array_get(diagnostics, i);
		bool warning = js_is(d, "severity", "warning");
		char *message = text_safe(js(d, "message")), *hint = text_safe(js(d, "hint")),
		     *file = text_safe(js(d, "file"));

		if (*js(d, "file") != '\0')
			fprintf(c->err, "%s:%llu:%llu: ", file != NULL ? file : "", ju(d, "line"), ju(d, "column"));
		fprintf(c->err, "%s: %s\n", message_format(warning ? M_DIAG_IS_WARNING : M_DIAG_IS_ERROR, c->lang),
			message != NULL ? message : "");
		if (hint != NULL && *hint != '\0')
			message_print(c->err, c->lang, M_DIAG_HINT_LINE, hint);
		free(message);
		free(hint);
		free(file);
	}
	return n;
}

void render_said(struct cli *c, enum message m, char *text)
{
	size_t before = strspn(message_format(m, c->lang), "\n"), n = strlen(text);
	char *safe;

	/* Line ends of the catalogue around the text stay; everything from arguments is made
	 * safe. */
	if (n > before && text[n - 1] == '\n')
		text[n - 1] = '\0';
	safe = text_safe(text + before);
	fprintf(c->out, "%.*s", (int)before, text);
	if (safe != NULL)
		text_wrap(c->out, safe, 0, text_hang(safe));
	fputc('\n', c->out);
	free(safe);
}

void render_line(struct cli *c, enum message m, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, m);
	(void)message_vtext(text, sizeof(text), c->lang, m, ap);
	va_end(ap);
	render_said(c, m, text);
}
