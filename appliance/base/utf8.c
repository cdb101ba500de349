/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/utf8.h"

#include <string.h>

#define BRAILLE_BLANK 0x2800u /* a sign without dots */

struct utf8_char utf8_wide(struct bytes *b, uint8_t first)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const struct utf8_char invalid = { .cp = first, .size = 1, .valid = false };
	struct bytes rest = *b;
	uint8_t byte;
	uint32_t cp;
	unsigned n;

	if (first < 0xc2 || first > 0xf4)
		return invalid;
	n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	cp = first & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if (!bytes_u8(&rest, &byte) || (byte & 0xc0) != 0x80)
			return invalid;
		cp = cp << 6 | (byte & 0x3fu);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return invalid;
	*b = rest;
	return (struct utf8_char){ .cp = cp, .size = (uint8_t)n, .valid = true };
}

struct span {
	uint32_t lo, hi;
};

static bool in_spans(const struct span *s, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= s[i].lo && cp <= s[i].hi)
			return true;
	return false;
}

/* Unicode's East Asian Width W and F, in the coarse blocks that matter for a caret. */
unsigned utf8_cells(uint32_t cp)
{
	static const struct span wide[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff }, { 0x3400, 0x4dbf },
		{ 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },   { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
		{ 0xfe30, 0xfe6f },   { 0xff01, 0xff60 },   { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
		{ 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};
	static const struct span none[] = {
		{ 0x300, 0x36f },   { 0x200b, 0x200f }, { 0x20d0, 0x20ff },   { 0x3099, 0x309a },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
	};

	if (cp < 0x300)
		return 1;
	if (in_spans(none, sizeof(none) / sizeof(none[0]), cp))
		return 0;
	return in_spans(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
}

bool utf8_is_bidi(uint32_t cp)
{
	static const struct span bidi[] = {
		{ 0x61c, 0x61c },
		{ 0x200e, 0x200f },
		{ 0x202a, 0x202e },
		{ 0x2066, 0x2069 },
	};

	return in_spans(bidi, sizeof(bidi) / sizeof(bidi[0]), cp);
}

bool utf8_is_steering(uint32_t cp)
{
	static const struct span unseen[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	    { 0x34f, 0x34f },	  { 0x115f, 0x1160 },
		{ 0x180e, 0x180e }, { 0x200b, 0x200d }, { 0x2028, 0x2029 }, { 0x2060, 0x206f },	  { 0x3164, 0x3164 },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	return utf8_is_bidi(cp) || in_spans(unseen, sizeof(unseen) / sizeof(unseen[0]), cp);
}

bool utf8_is_plain(struct bytes text)
{
	struct utf8_char c;

	while (utf8_next(&text, &c))
		if (!c.valid || utf8_is_steering(c.cp))
			return false;
	return true;
}

bool text_is_plain(const char *text, size_t most)
{
	size_t n = strlen(text);

	return n <= most && utf8_is_plain(bytes_of(text, n));
}

void utf8_plain(const char *text, char *out, size_t size)
{
	struct bytes b = bytes_of(text, strlen(text));
	struct utf8_char c;
	size_t n = 0;

	for (const uint8_t *at = b.p; utf8_next(&b, &c); at = b.p) {
		bool shown = c.valid && !utf8_is_steering(c.cp);
		size_t more = shown ? c.size : 1;

		if (more >= size - n)
			break;
		memcpy(out + n, shown ? at : (const uint8_t *)"?", more);
		n += more;
	}
	out[n] = '\0';
}

bool utf8_is_odd_space(uint32_t cp)
{
	static const struct span odd[] = {
		{ 0xa0, 0xa0 },	    { 0xad, 0xad },	{ 0x1680, 0x1680 }, { 0x2000, 0x200d }, { 0x2028, 0x2029 },
		{ 0x202f, 0x202f }, { 0x205f, 0x2060 }, { 0x3000, 0x3000 }, { 0xfeff, 0xfeff },
	};

	return in_spans(odd, sizeof(odd) / sizeof(odd[0]), cp);
}

bool text_is_blank(const void *text, size_t most)
{
	struct bytes b = bytes_of(text, strnlen(text, most));
	struct utf8_char c;

	while (utf8_next(&b, &c))
		if (!c.valid || (c.cp != ' ' && c.cp != BRAILLE_BLANK && utf8_cells(c.cp) > 0 &&
				 !utf8_is_steering(c.cp) && !utf8_is_odd_space(c.cp)))
			return false;
	return true;
}

char utf8_ascii_for(uint32_t cp)
{
	static const struct {
		uint32_t cp;
		char ascii;
	} signs[] = {
		{ 0x2018, '"' }, { 0x2019, '"' }, { 0x201c, '"' }, { 0x201d, '"' }, { 0x201e, '"' }, { 0x300c, '"' },
		{ 0x300d, '"' }, { 0x300e, '"' }, { 0x300f, '"' }, { 0x301d, '"' }, { 0x301f, '"' }, { 0xff02, '"' },
		{ 0xff07, '"' }, { 0x3001, ',' }, { 0xff64, ',' }, { 0x2010, '-' }, { 0x2011, '-' }, { 0x2012, '-' },
		{ 0x2013, '-' }, { 0x2014, '-' }, { 0x2015, '-' }, { 0x2212, '-' }, { 0x3010, '[' }, { 0x3011, ']' },
		{ 0x3014, '[' }, { 0x3015, ']' }, { 0xfe50, ',' }, { 0xab, '"' },   { 0xbb, '"' },   { 0x2039, '"' },
		{ 0x203a, '"' }, { 0x2033, '"' }, { 0x2036, '"' },
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i].cp == cp)
			return signs[i].ascii;
	if (utf8_is_odd_space(cp))
		return ' ';
	if (cp >= 0xff01 && cp <= 0xff5e)
		return (char)(cp - 0xff01 + 0x21);
	return 0;
}
