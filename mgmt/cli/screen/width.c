/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/screen/width.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"

size_t text_cells(const char *s)
{
	struct bytes b = bytes_of(s, strlen(s));
	struct utf8_char ch;
	size_t cells = 0;

	while (utf8_next(&b, &ch))
		cells += ch.valid ? utf8_cells(ch.cp) : 1u;
	return cells;
}

char *text_safe(const char *s)
{
	const char *text = s != NULL ? s : "";
	size_t size = strlen(text) + 1;
	char *out = malloc(size);

	if (out != NULL)
		utf8_plain(text, out, size);
	return out;
}
