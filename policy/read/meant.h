/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text was probably meant to be, if it is in the notation of spreadsheets or of other
 * products. The rows of meant.def translate such a notation into the language's own, with the
 * written value. Only for hints: no value is ever accepted in such a notation. Pure; all texts are
 * in the arena.
 */
#ifndef SEKISHO_POLICY_READ_MEANT_H
#define SEKISHO_POLICY_READ_MEANT_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/arena.h"

enum meant {
	MEANT_ADDRESS,
	MEANT_PORT,
	MEANT_DATE,    /* a day, which may be followed by an hour and an offset */
	MEANT_WEEKDAY, /* a weekday or 「まで」 behind a date, which add no information */
	MEANT_HOUR,
	MEANT_OFFSET,
	MEANT_SPAN,   /* a span of time */
	MEANT_NUMBER, /* a range of numbers */
	MEANT_WORD,   /* a command or a function: only several in one text, no other notation */
};

/*
 * Undoes what input methods and spreadsheets make of a text: the result has half-width digits and
 * signs, ordinary blanks and only between words, and '-' for every dash and wave. NULL when memory
 * is out.
 */
const char *meant_plain(struct arena *a, const char *text);
/* Whether the text means everything: "any", "all", "*", 「すべて」. */
bool meant_everything(const char *plain);

/* If the language accepts `text`, returns what to write: `text` itself, or its usual form.
 * Otherwise NULL. */
struct meant_reader {
	const char *(*read)(void *ctx, const char *text);
	void *ctx;
};
/*
 * What to write instead, in quotes: "10.30.1.10". If the text means several values, a list of them:
 * ["10.30.1.10", "10.30.1.11"], and *ret_several is set. The reader accepts each of them. NULL: the
 * text means nothing that the reader accepts.
 */
const char *meant_value(struct arena *a, enum meant kind, const char *text, const struct meant_reader *r,
			bool *ret_several);

/* A point in time as the language has it. */
struct meant_time {
	const char *day;    /* "2026-12-01"; NULL: no date was read */
	const char *hour;   /* "T18:00:00", "" when none was written */
	const char *offset; /* "+09:00", "" when none was written */
};
struct meant_time meant_time(struct arena *a, const char *text);
/* The same as one text: the day alone, or with hour and offset (`whole`) if an hour was written. If
 * no offset was written, Japan's is taken. NULL: no date was read. */
const char *meant_when(struct arena *a, const char *text, bool whole);

#endif
