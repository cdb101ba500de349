/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of the operator's text: UTF-8 decoded strictly, how many terminal cells a character takes, which ones
 * reorder or hide text. Pure; owns nothing.
 */
#ifndef SEKISHO_BASE_UTF8_H
#define SEKISHO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

struct utf8_char {
	uint32_t cp;  /* the byte itself when it is not valid */
	uint8_t size; /* bytes taken: 1 to 4; 1 when not valid */
	bool valid;   /* no overlong form, no surrogate, at most U+10FFFF */
};

/* The next character; false at the end. A byte that starts no valid character is taken alone. */
static inline bool utf8_next(struct bytes *b, struct utf8_char *ret);
/* 0 (combining), 1, or 2 (full width). */
unsigned utf8_cells(uint32_t cp);
/* Direction overrides, isolates and marks: they make text read other than it is. */
bool utf8_is_bidi(uint32_t cp);
/* Controls of both blocks, line separators, what turns the direction of writing or is not seen at all. */
bool utf8_is_steering(uint32_t cp);
/*
 * Whether text of people may stand in a line that others read: UTF-8, and nothing in it steers. Every
 * text of people is judged by this: comments, reasons, names, notes, labels, over whatever way it came.
 */
bool utf8_is_plain(struct bytes text);
bool text_is_plain(const char *text, size_t most); /* ... of at most `most` bytes */
/* The same as far as it fits `size` bytes with its NUL, whole characters; '?' for what steers or is no UTF-8. */
void utf8_plain(const char *text, char *out, size_t size);
/* Space-like or invisible characters that are no ASCII white space (U+3000 included). */
bool utf8_is_odd_space(uint32_t cp);
/* The ASCII sign that a full-width or typographic one stands for, or 0. */
char utf8_ascii_for(uint32_t cp);

/* What begins with `first`, which was taken and is no ASCII. */
struct utf8_char utf8_wide(struct bytes *b, uint8_t first);

/* In place, as nearly all of a text is ASCII. */
static inline bool utf8_next(struct bytes *b, struct utf8_char *ret)
{
	uint8_t first;

	if (b->left == 0 || !bytes_u8(b, &first))
		return false;
	*ret = first < 0x80 ? (struct utf8_char){ .cp = first, .size = 1, .valid = true } : utf8_wide(b, first);
	return true;
}

#endif
