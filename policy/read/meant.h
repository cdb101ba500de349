/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text was meant to be that stands as people write it elsewhere: in spreadsheets, in the manuals of controllers, in other
 * products' lists. The rows of meant.def take a notation to the language's own, with the value that was written. Only for hints:
 * nothing that is read here is ever taken for what it might have meant. Pure; all texts are in the arena.
 */
#ifndef SEKISHO_POLICY_READ_MEANT_H
#define SEKISHO_POLICY_READ_MEANT_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/arena.h"

enum meant {
	MEANT_ADDRESS,
	MEANT_PORT,
	MEANT_DATE,    /* the day alone; what follows it is the hour and the offset */
	MEANT_WEEKDAY, /* behind it, which says nothing new */
	MEANT_HOUR,
	MEANT_OFFSET,
	MEANT_SPAN,	/* of time */
	MEANT_NUMBER,	/* or a range of them */
	MEANT_PLACE,	/* an address in a controller; `of` names the protocol and the key */
	MEANT_FUNCTION, /* the number of one */
	MEANT_COMMAND,
};

/* A notation in other words: `text` as a row has it, `of` that row's place. */
struct meant_word {
	const char *text, *of;
	size_t next; /* 0 at first: where the search goes on */
};

/*
 * Half-width digits and signs, ordinary blanks and only between words, '-' for every dash and wave: whatever input methods and
 * spreadsheets make of a text. NULL when memory is out.
 */
const char *meant_plain(struct arena *a, const char *text);
/* The next row that takes the whole of `plain`. False: there is none. */
bool meant_next(struct arena *a, enum meant kind, const char *plain, struct meant_word *w);
/* "any", "all", "*", 「すべて」: everything, in other languages. */
bool meant_everything(const char *plain);

/* Says whether the language takes `text`: what to write then, `text` itself or the same in its usual form. Otherwise NULL. */
struct meant_reader {
	const char *(*read)(void *ctx, const char *text);
	void *ctx;
};
/*
 * What to write instead, in quotes: "10.30.1.10", or of several in one text ["10.30.1.10", "10.30.1.11"] (*ret_several), all of which
 * the reader takes. NULL: nothing that it takes is meant.
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

#endif
