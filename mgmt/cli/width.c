/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/width.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/utf8.h"

/* Controls of both blocks, line separators, what turns the direction of writing or is not seen at all. */
static bool steers(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0xad || cp == 0x2028 || cp == 0x2029 ||
	       utf8_is_bidi(cp) || (cp >= 0x200b && cp <= 0x200d) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xe0000 && cp <= 0xe007f);
}

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
		if (!ch.valid || steers(ch.cp)) {
			*o++ = '?';
		} else {
			memcpy(o, at, ch.size);
			o += ch.size;
		}
	}
	*o = '\0';
	return out;
}
