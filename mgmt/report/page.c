/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"

#define SENTENCE 2048u

struct page *page_new(enum lang l, enum message title)
{
	struct page *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->lang = l;
		p->title = message_format(title, l);
		p->parts = json_array();
	}
	return p;
}

void page_free(struct page *p)
{
	if (p != NULL)
		json_decref(p->parts);
	free(p);
}

enum lang page_lang(const struct page *p)
{
	return p != NULL ? p->lang : LANG_EN;
}

static void page_part(struct page *p, const char *kind, const char *text)
{
	if (p == NULL)
		return;
	p->failed |= json_array_append_new(p->parts, json_pack("{s:s,s:o}", "kind", kind, "text", json_text(text))) < 0;
}

void page_section_text(struct page *p, const char *text)
{
	page_part(p, "section", text);
}

void page_section(struct page *p, enum message m)
{
	page_part(p, "section", message_format(m, page_lang(p)));
}

void page_say(struct page *p, enum message m, ...)
{
	char text[SENTENCE];
	va_list ap;

	va_start(ap, m);
	(void)message_vtext(text, sizeof(text), page_lang(p), m, ap);
	va_end(ap);
	page_part(p, "text", text);
}

void page_blank(struct page *p, enum message label)
{
	page_part(p, "blank", message_format(label, page_lang(p)));
}

void page_table(struct page *p, const enum message *heads, size_t n)
{
	json_t *head = json_array();

	if (p == NULL) {
		json_decref(head);
		return;
	}
	for (size_t i = 0; i < n; i++)
		p->failed |= json_array_append_new(head, json_string(message_format(heads[i], p->lang))) < 0;
	p->cells = json_array();
	p->failed |= json_array_append_new(p->parts, json_pack("{s:s,s:o,s:o}", "kind", "table", "head", head, "cells",
							       p->cells)) < 0;
	if (p->failed)
		p->cells = NULL;
}

static void cell(struct page *p, json_t *made)
{
	if (p == NULL || p->cells == NULL)
		json_decref(made);
	else
		p->failed |= json_array_append_new(p->cells, made) < 0;
}

void page_cell(struct page *p, const char *text)
{
	cell(p, json_pack("{s:o}", "text", json_text(text != NULL ? text : "")));
}

void page_cellf(struct page *p, const char *fmt, ...)
{
	char text[SENTENCE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_cell(p, text);
}

void page_cell_mark(struct page *p, enum message m, const char *mark)
{
	cell(p, json_pack("{s:s,s:s}", "text", message_format(m, page_lang(p)), "mark", mark));
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static bool write_row(FILE *to, const json_t *list, size_t from, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, from + i);

		ok = csv_cell(to, json_is_string(v) ? json_string_value(v) : js(v, "text"), i == n - 1) && ok;
	}
	return ok;
}

/* The tables; a section's heading is a row of its own before its table. */
bool page_csv(const struct page *p, FILE *to)
{
	bool ok = p != NULL && !p->failed;
	const char *section = "";

	if (p == NULL)
		return false;
	fputs(CSV_MARK, to);
	json_each(part, p->parts) {
		const json_t *head = ja(part, "head"), *cells = ja(part, "cells");
		size_t n = json_array_size(head);

		if (js_is(part, "kind", "section"))
			section = js(part, "text");
		if (n == 0)
			continue;
		ok = csv_cell(to, section, true) && ok;
		ok = write_row(to, head, 0, n) && ok;
		for (size_t k = 0; k + n <= json_array_size(cells); k += n)
			ok = write_row(to, cells, k, n) && ok;
	}
	return ok && ferror(to) == 0;
}

/* ---- HTML ------------------------------------------------------------------------------------ */

/*
 * A page as one file: without scripts or anything to load, and with a policy that forbids loading.
 * It prints on A4 with the fonts of the reader's machine, on its side, so that each column of a
 * table has room for twelve Japanese characters. All texts are escaped, and characters that change
 * the writing direction are removed.
 */
static const char style[] =
	"@page{size:A4 landscape;margin:16mm 14mm}"
	"body{font:10pt/1.5 \"Noto Sans CJK JP\",\"Noto Sans JP\",\"Hiragino Sans\",\"Yu "
	"Gothic\",\"IPAexGothic\",sans-serif;color:#111;margin:0 auto;"
	"max-width:269mm;padding:4mm}"
	"h1{font-size:16pt;border-bottom:2pt solid #111;margin:0 0 4mm}"
	"h2{font-size:12pt;margin:7mm 0 2mm;break-after:avoid}"
	"p{margin:1mm 0}"
	"table{border-collapse:collapse;width:100%;font-size:8.5pt;margin:2mm 0}"
	"thead{display:table-header-group}tr{break-inside:avoid}"
	"th,td{border:.4pt solid #777;padding:1mm 1.5mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
	"td:first-child{overflow-wrap:normal;word-break:keep-all}th{background:#eee;white-space:nowrap}"
	".met{background:#dff0df}.partly{background:#fff3cf}.not{background:#f8d9d6}.ask{background:#e6e9f2}"
	".blank{margin-top:8mm;break-before:avoid}.blank span{display:inline-block;min-width:80mm;border-bottom:.6pt "
	"solid #111}"
	"@media print{body{padding:0;max-width:none}"
	"tr:not(:has(td:nth-child(8)))>td:not(:first-child){min-width:12em}*{print-color-adjust:exact;-webkit-print-"
	"color-adjust:exact}}";

static bool escaped(FILE *to, const char *text)
{
	static const char signs[] = "<>&\"'";
	static const char *const entities[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&#39;" };
	char *safe = text_safe(text);

	if (safe == NULL)
		return false;
	for (const char *s = safe; *s != '\0'; s++) {
		const char *sign = strchr(signs, *s);

		if (sign != NULL)
			fputs(entities[sign - signs], to);
		else
			putc(*s, to);
	}
	free(safe);
	return true;
}

static bool write_within(FILE *to, const char *before, const char *text, const char *after)
{
	bool ok;

	fputs(before, to);
	ok = escaped(to, text);
	fputs(after, to);
	return ok;
}

/* Marks are the program's own words, never those of others. */
static bool one_cell(FILE *to, const json_t *v)
{
	static const char *const marks[] = { "met", "partly", "not", "ask" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (js_is(v, "mark", marks[i])) {
			fprintf(to, "<td class=\"%s\">", marks[i]);
			return write_within(to, "", js(v, "text"), "</td>");
		}
	return write_within(to, "<td>", js(v, "text"), "</td>");
}

static bool write_rows(FILE *to, const json_t *part)
{
	const json_t *head = ja(part, "head"), *cells = ja(part, "cells");
	size_t n = json_array_size(head);
	bool ok = n > 0;

	fputs("<table><thead><tr>", to);
	json_each(v, head)
		ok = write_within(to, "<th scope=\"col\">", json_string_value(v), "</th>") && ok;
	fputs("</tr></thead><tbody>\n", to);
	json_each_at(i, v, cells) {
		if (n > 0 && i % n == 0)
			fputs("<tr>", to);
		ok = one_cell(to, v) && ok;
		if (n > 0 && i % n == n - 1)
			fputs("</tr>\n", to);
	}
	fputs("</tbody></table>\n", to);
	return ok;
}

bool page_html(const struct page *p, FILE *to)
{
	bool ok = p != NULL && !p->failed;

	if (p == NULL)
		return false;
	fprintf(to,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		"'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>",
		lang_name(p->lang));
	ok = write_within(to, "", p->title, "</title><style>") && ok;
	fprintf(to, "%s</style></head><body>\n", style);
	ok = write_within(to, "<h1>", p->title, "</h1>\n") && ok;
	json_each(part, p->parts) {
		const char *kind = js(part, "kind");

		if (strcmp(kind, "table") == 0)
			ok = write_rows(to, part) && ok;
		else if (strcmp(kind, "section") == 0)
			ok = write_within(to, "<h2>", js(part, "text"), "</h2>\n") && ok;
		else if (strcmp(kind, "blank") == 0)
			ok = write_within(to, "<p class=\"blank\">", js(part, "text"), ": <span>&nbsp;</span></p>\n") &&
			     ok;
		else
			ok = write_within(to, "<p>", js(part, "text"), "</p>\n") && ok;
	}
	fputs("</body></html>\n", to);
	return ok && ferror(to) == 0;
}
