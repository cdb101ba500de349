/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report before it has a form: headings, sentences and tables in one language, which is then
 * shown at a terminal, as one file of HTML that prints on A4, or its tables as CSV. Owns copies of
 * its texts. Labels and names in it came from a policy or from strangers' packets: each form makes
 * them harmless in its own way. Memory that runs out leaves a page that says less, and every form
 * of it fails.
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
/* For a person to write on: the label, and a line. */
void page_blank(struct page *p, enum message label);
/* A table; then its cells, row by row. NULL is "". */
void page_table(struct page *p, const enum message *heads, size_t n);
void page_cell(struct page *p, const char *text);
void page_cellf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A cell of a fixed word that forms may show in a colour: "met", "partly", "not". */
void page_cell_mark(struct page *p, enum message m, const char *mark);

/* False: not all of it could be written. At a terminal the command line shows it by itself. */
bool page_html(const struct page *p, FILE *to);
bool page_csv(const struct page *p, FILE *to);

/* Inside of a page, for its forms alone. */

/*
 * `parts`, in their order: {"kind":"section|text|blank","text"}
 * and {"kind":"table","head":[texts],"cells":[{"text","mark"?}]}.
 */
struct page {
	enum lang lang;
	const char *title; /* of the catalogue */
	json_t *parts;
	json_t *cells; /* borrowed: of the table that is being filled, NULL = none */
	bool failed;
};

#endif
