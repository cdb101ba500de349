/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/diag_json.h"

static json_t *place_file(const struct srcpos *at, const struct source_text *s, size_t n)
{
	return json_text(at->file < n ? s[at->file].name : NULL);
}

static json_t *also_json(const struct diag *g, const struct source_text *s, size_t n)
{
	if (g->also.line == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:I}", "file", place_file(&g->also, s, n), "line", (json_int_t)g->also.line,
			 "column", (json_int_t)g->also.column);
}

static json_t *one_json(const struct diag *g, const struct source_text *s, size_t n, enum lang l)
{
	return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "severity",
			 g->severity == SEV_ERROR ? "error" : "warning", "code", g->code, "file",
			 place_file(&g->at, s, n), "line", (json_int_t)g->at.line, "column", (json_int_t)g->at.column,
			 "width", (json_int_t)g->width, "message", json_text(g->text[l]), "hint", json_text(g->hint[l]),
			 "also", also_json(g, s, n));
}

void diags_words(json_t *list, const struct diags *d)
{
	for (size_t i = 0; i < d->n && i < json_array_size(list); i++)
		json_object_set_new(json_array_get(list, i), "words",
				    json_pack("{s:{s:o, s:o}, s:{s:o, s:o}}", lang_name(LANG_EN), "message",
					      json_text(d->list[i]->text[LANG_EN]), "hint",
					      json_text(d->list[i]->hint[LANG_EN]), lang_name(LANG_JA), "message",
					      json_text(d->list[i]->text[LANG_JA]), "hint",
					      json_text(d->list[i]->hint[LANG_JA])));
}

json_t *diags_json(struct diags *d, const struct source_text *s, size_t n, enum lang lang)
{
	json_t *list = json_array();

	diags_sort(d);
	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(list, one_json(d->list[i], s, n, lang));
	return json_pack("{s:o, s:I, s:I}", "diagnostics", list, "errors", (json_int_t)d->errors, "warnings",
			 (json_int_t)d->warnings);
}
