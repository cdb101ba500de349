/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser may have without showing who it is: the pages' frame, script and style, which hold
 * nothing of the box, and what the API is. A fixed list of exact paths; no path of a request
 * reaches a file.
 */
#ifndef SEKISHO_MGMT_WEB_PAGES_PAGE_H
#define SEKISHO_MGMT_WEB_PAGES_PAGE_H

#include <stddef.h>

#define PAGE_POLICY 256

struct page {
	const char *path, *type; /* the type as HTTP names it */
	const void *bytes;	 /* they live as long as the program */
	const size_t *size;
	/* The content security policy; NULL: the one that page_policy makes. */
	const char *policy;
};

/* All of them, for whoever holds the list against the API's document. */
size_t page_count(void);
const struct page *page_at(size_t i);
/* NULL when there is none with exactly this path. */
const struct page *page_find(const char *path);
/* The policy that it goes out with. 0, or a negative code of GnuTLS. */
int page_policy(const struct page *p, char out[PAGE_POLICY]);

#endif
