/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of the operator's text: UTF-8 decoded strictly, how many terminal cells a character
 * takes, and which characters reorder or hide text. Pure; owns nothing.
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
/* Direction overrides, isolates and marks, which make text appear in another order than it has. */
bool utf8_is_bidi(uint32_t cp);
/* Control characters (C0 and C1), line separators, and characters that change the direction of
 * writing or are invisible. */
bool utf8_is_steering(uint32_t cp);
/*
 * Whether a text may be shown to others within a line: valid UTF-8 without steering characters.
 * Every text that people type is checked by this function: comments, reasons, names, notes, labels.
 */
bool utf8_is_plain(struct bytes text);
bool text_is_plain(const char *text, size_t most); /* as utf8_is_plain, and at most `most` bytes */
/* Whether the text, of at most `most` bytes up to a NUL, shows nothing: only blanks of any width
 * and invisible characters. Every word that a person has to give is checked by this function. */
bool text_is_blank(const void *text, size_t most);
/* Copies whole characters as far as they fit `size` bytes with the NUL, with '?' for steering
 * characters and invalid UTF-8. */
void utf8_plain(const char *text, char *out, size_t size);
/* Space-like or invisible characters that are no ASCII white space (U+3000 included). */
bool utf8_is_odd_space(uint32_t cp);
/* The ASCII character for a full-width or typographic one, or 0. */
char utf8_ascii_for(uint32_t cp);

/* The character that begins with `first`, a byte already read that is not ASCII. */
struct utf8_char utf8_wide(struct bytes *b, uint8_t first);

/* Inline, because nearly all of a text is ASCII. */
static inline bool utf8_next(struct bytes *b, struct utf8_char *ret)
{
	uint8_t first;

	if (b->left == 0 || !bytes_u8(b, &first))
		return false;
	*ret = first < 0x80 ? (struct utf8_char){ .cp = first, .size = 1, .valid = true } : utf8_wide(b, first);
	return true;
}

#endif
