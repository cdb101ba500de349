/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: errors and warnings about the operator's text, each with a position and a code. A
 * stage adds diagnostics and goes on; the caller prints all of them, with excerpt and caret, or as
 * JSON. Positions come from the locating scanner (policy/read/scanner.h).
 */
#ifndef SEKISHO_BASE_DIAG_H
#define SEKISHO_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/messages.h"

/* A place in the operator's text. `file` is an index into the source list; line and column count
 * from 1, the column in characters (not bytes), so that Japanese text counts as a person counts.
 * line 0 = no place. */
struct srcpos {
	uint32_t file;
	uint32_t line;
	uint32_t column;
};

enum severity { SEV_ERROR, SEV_WARNING };

struct diag {
	enum severity severity;
	const char *code; /* stable, e.g. "policy.unknown_key" */
	/* number of the message in the catalogue; equal warnings about many lines are printed
	 * once */
	unsigned sentence;
	struct srcpos at;    /* primary place */
	uint32_t width;	     /* characters to underline, at least 1 */
	struct srcpos also;  /* related place; line 0 = none */
	const char *text[2]; /* the message by enum lang; in the arena */
	const char *hint[2]; /* may be NULL */
};

#define DIAG_SHOWN 50	 /* errors that are printed for people; JSON has all that are kept */
#define DIAG_KEPT 20000u /* further ones are only counted */

struct diags {
	struct arena *arena; /* borrowed */
	/* the folder as typed, with its '/', or ""; it is put before file names for people */
	const char *folder;
	/* the diagnostics that are kept, in the order in which they were added; in the arena */
	struct diag **list;
	size_t n, room;
	/* reserved for the first error for which there is no memory; NULL = used */
	struct diag *spare;
	/* entries of the list from this index on are not searched for a warning to replace */
	size_t unsearched;
	size_t errors;	 /* all, kept or not */
	size_t warnings; /* all, kept or not */
};

void diags_init(struct diags *d, struct arena *a);
/* Adds one; the message's arguments follow in the order of the English format. Returns the entry,
 * in which the caller may set `also` and `width`. Never NULL: when DIAG_KEPT are kept or memory is
 * out, it is a scratch entry, which is counted but not kept. The first error is kept even without
 * memory; its text may then be the format without its arguments. */
struct diag *diag_add(struct diags *d, enum severity s, const char *code, struct srcpos at, enum message m, ...);
void diag_hint(struct diags *d, struct diag *g, enum message m, ...);
/* For diag_add_texts: of which message the texts are. Sets the hint that it always has. */
void diag_means(struct diags *d, struct diag *g, enum message m);
/* As diag_add, with both texts given (in the arena, or static), for sentences whose parts differ
 * by language. */
struct diag *diag_add_texts(struct diags *d, enum severity s, const char *code, struct srcpos at, const char *en,
			    const char *ja);
/* Sorts the kept diagnostics: first errors by place, then warnings by weight (warnings.def), with
 * equal warnings together and by place. */
void diags_sort(struct diags *d);

/* One text of the operator, as read. */
struct source_text {
	const char *name; /* as given, relative to the policy folder */
	const char *text; /* NUL-terminated, `size` bytes before the NUL */
	size_t size;
};

/* "site.cfg:12:7: error: ..." with excerpt, caret line, hint; full-width characters counted as two
 * cells. Of equal warnings about many lines the first is printed in full, the others as a count
 * with their places. Sorts. */
void diags_print(FILE *to, struct diags *d, const struct source_text *sources, size_t n_sources, enum lang l);
/* The closest of `n` known words within a small edit distance, or NULL. For "did you mean". */
const char *word_nearest(const char *word, const char *const *known, size_t n);

#endif
