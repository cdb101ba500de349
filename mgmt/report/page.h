/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a report, independent of its form: headings, sentences and tables in one
 * language. It can be printed as text for a terminal, as one HTML file for A4, or as CSV of its
 * tables. Owns copies of its texts. Labels and names in it come from a policy or from foreign
 * packets; each form makes them harmless in its own way. Without memory the page is incomplete, and
 * every form of it fails.
 */
#ifndef SEKISHO_MGMT_REPORT_PAGE_H
#define SEKISHO_MGMT_REPORT_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

struct page;

struct page *page_new(enum lang l, enum message title);
void page_free(struct page *p);
enum lang page_lang(const struct page *p);

void page_section(struct page *p, enum message m);
void page_section_text(struct page *p, const char *text);
void page_say(struct page *p, enum message m, ...);
/* Adds a label and an empty line for a person to write on. */
void page_blank(struct page *p, enum message label);
/* Begins a table, whose cells follow row by row. NULL counts as "". */
void page_table(struct page *p, const enum message *heads, size_t n);
void page_cell(struct page *p, const char *text);
void page_cellf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a cell with a fixed word that forms may colour: "met", "partly", "not". */
void page_cell_mark(struct page *p, enum message m, const char *mark);

/* Write the page as HTML or CSV. False: not all of it could be written. The form for terminals is
 * in the command line. */
bool page_html(const struct page *p, FILE *to);
bool page_csv(const struct page *p, FILE *to);

/* The members of a page, for the files of its forms only. */

/*
 * `parts`, in order: {"kind":"section|text|blank","text"} and
 * {"kind":"table","head":[texts],"cells":[{"text","mark"?}]}.
 */
struct page {
	enum lang lang;
	const char *title; /* of the catalogue */
	json_t *parts;
	json_t *cells; /* borrowed: cells of the table that is being filled; NULL = none */
	bool failed;
};

#endif
