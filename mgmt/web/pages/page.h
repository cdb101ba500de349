/* SPDX-License-Identifier: Apache-2.0 */
/* The one page for a browser: what this is, and where the API is. Static text: no script, nothing from elsewhere. */
#ifndef SEKISHO_MGMT_WEB_PAGES_PAGE_H
#define SEKISHO_MGMT_WEB_PAGES_PAGE_H

#include <stddef.h>

#define PAGE_POLICY 256

extern const char page_html[];
extern const size_t page_html_size;
/* The content security policy that lets exactly this page's style through. 0, or a negative code of GnuTLS. */
int page_policy(char out[PAGE_POLICY]);

#endif
