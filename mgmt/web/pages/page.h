/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser gets without a login: the pages' frame, script and style, which have no data of
 * the box, and the description of the API. A fixed list of exact paths; no path of a request leads
 * to a file.
 */
#ifndef SEKISHO_MGMT_WEB_PAGES_PAGE_H
#define SEKISHO_MGMT_WEB_PAGES_PAGE_H

#include <stddef.h>

struct page {
	const char *path, *type; /* `type`: media type */
	const void *bytes;	 /* valid as long as the program */
	const size_t *size;
	const char *policy; /* the content security policy */
};

/* All pages, for the test that compares them with the API's document. */
size_t page_count(void);
const struct page *page_at(size_t i);
/* The page with exactly this path, or NULL. */
const struct page *page_find(const char *path);

/* The files for browsers as bytes in this program, made from mgmt/ui and docs/openapi.json at build
 * time (build/ui/files.c), so nothing is read at run time. */
extern const unsigned char ui_page[], ui_help[], ui_script[], ui_style[], ui_icon[], ui_openapi[];
extern const size_t ui_page_size, ui_help_size, ui_script_size, ui_style_size, ui_icon_size, ui_openapi_size;

#endif
