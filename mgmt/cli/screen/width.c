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
	const char *at = s != NULL ? s : "";
	struct bytes b = bytes_of(at, strlen(at));
	struct utf8_char ch;
	char *out = malloc(b.left + 1), *o = out;

	if (out == NULL)
		return NULL;
	for (; utf8_next(&b, &ch); at += ch.size) {
		if (!ch.valid || utf8_is_steering(ch.cp)) {
			*o++ = '?';
		} else {
			memcpy(o, at, ch.size);
			o += ch.size;
		}
	}
	*o = '\0';
	return out;
}
