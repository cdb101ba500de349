/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/pages/page.h"

#include <string.h>

/* Allows only our own script and style, and requests to this box, so that text that was smuggled
 * into the page cannot run as a script. */
#define UI_POLICY                                                                                                      \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri " \
	"'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
/* The help has no script. */
#define HELP_POLICY                                                                                                    \
	"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "  \
	"'none'"
#define NOTHING "default-src 'none'; frame-ancestors 'none'"

static const struct page pages[] = {
	{ "/", "text/html; charset=utf-8", ui_page, &ui_page_size, UI_POLICY },
	{ "/ui/script", "text/javascript; charset=utf-8", ui_script, &ui_script_size, NOTHING },
	{ "/ui/style", "text/css; charset=utf-8", ui_style, &ui_style_size, NOTHING },
	{ "/ui/icon", "image/svg+xml", ui_icon, &ui_icon_size, NOTHING },
	{ "/api/v1/openapi.json", "application/json", ui_openapi, &ui_openapi_size, NOTHING },
	{ "/api/help", "text/html; charset=utf-8", ui_help, &ui_help_size, HELP_POLICY },
};

size_t page_count(void)
{
	return sizeof(pages) / sizeof(pages[0]);
}

const struct page *page_at(size_t i)
{
	return &pages[i];
}

const struct page *page_find(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}
