/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page as one file: without scripts or anything to load, and with a policy that forbids loading.
 * It prints on A4 with the fonts of the reader's machine. All texts are escaped, and characters
 * that change the writing direction are removed.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"
#include "mgmt/report/page.h"
#include "mgmt/state/read.h"

static const char style[] =
	"@page{size:A4;margin:16mm 14mm}"
	"body{font:10pt/1.5 \"Noto Sans CJK JP\",\"Noto Sans JP\",\"Hiragino Sans\",\"Yu "
	"Gothic\",\"IPAexGothic\",sans-serif;color:#111;margin:0 auto;"
	"max-width:182mm;padding:4mm}"
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
	"@media print{body{padding:0;max-width:none}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

static bool escaped(FILE *to, const char *text)
{
	char *safe = text_safe(text);

	if (safe == NULL)
		return false;
	for (const char *s = safe; *s != '\0'; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '&':
			fputs("&amp;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			putc(*s, to);
		}
	}
	free(safe);
	return true;
}

static bool within(FILE *to, const char *before, const char *text, const char *after)
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
		if (strcmp(js(v, "mark"), marks[i]) == 0) {
			fprintf(to, "<td class=\"%s\">", marks[i]);
			return within(to, "", js(v, "text"), "</td>");
		}
	return within(to, "<td>", js(v, "text"), "</td>");
}

static bool rows(FILE *to, const json_t *part)
{
	const json_t *head = ja(part, "head"), *cells = ja(part, "cells"), *v;
	size_t n = json_array_size(head), i;
	bool ok = n > 0;

	fputs("<table><thead><tr>", to);
	json_array_foreach(head, i, v) ok = within(to, "<th scope=\"col\">", json_string_value(v), "</th>") && ok;
	fputs("</tr></thead><tbody>\n", to);
	json_array_foreach(cells, i, v)
	{
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
	const json_t *part;
	size_t i;

	if (p == NULL)
		return false;
	fprintf(to,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		"'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>",
		lang_name(p->lang));
	ok = within(to, "", p->title, "</title><style>") && ok;
	fprintf(to, "%s</style></head><body>\n", style);
	ok = within(to, "<h1>", p->title, "</h1>\n") && ok;
	json_array_foreach(p->parts, i, part)
	{
		const char *kind = js(part, "kind");

		if (strcmp(kind, "table") == 0)
			ok = rows(to, part) && ok;
		else if (strcmp(kind, "section") == 0)
			ok = within(to, "<h2>", js(part, "text"), "</h2>\n") && ok;
		else if (strcmp(kind, "blank") == 0)
			ok = within(to, "<p class=\"blank\">", js(part, "text"), ": <span>&nbsp;</span></p>\n") && ok;
		else
			ok = within(to, "<p>", js(part, "text"), "</p>\n") && ok;
	}
	fputs("</body></html>\n", to);
	return ok && ferror(to) == 0;
}
