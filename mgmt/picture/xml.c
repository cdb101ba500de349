/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/picture/xml.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/width.h"

void xml_text(FILE *to, const char *text)
{
	char *safe = text_safe(text);

	for (const char *at = safe; at != NULL && *at != '\0'; at++) {
		/* U+FFFE and U+FFFF are in no XML. */
		if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) {
			fputc('?', to);
			at += 2;
		} else if (*at == '&') {
			fputs("&amp;", to);
		} else if (*at == '<') {
			fputs("&lt;", to);
		} else if (*at == '>') {
			fputs("&gt;", to);
		} else if (*at == '"') {
			fputs("&quot;", to);
		} else {
			fputc(*at, to);
		}
	}
	free(safe);
}
