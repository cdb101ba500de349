/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

static void add(struct page *p, const char *kind, const char *text)
{
	if (p == NULL)
		return;
	p->failed |= json_array_append_new(p->parts, json_pack("{s:s,s:o}", "kind", kind, "text", json_text(text))) < 0;
}

void page_section_text(struct page *p, const char *text)
{
	add(p, "section", text);
}

void page_section(struct page *p, enum message m)
{
	add(p, "section", message_format(m, page_lang(p)));
}

void page_say(struct page *p, enum message m, ...)
{
	char text[SENTENCE];
	va_list ap;

	va_start(ap, m);
	(void)message_vtext(text, sizeof(text), page_lang(p), m, ap);
	va_end(ap);
	add(p, "text", text);
}

void page_blank(struct page *p, enum message label)
{
	add(p, "blank", message_format(label, page_lang(p)));
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
