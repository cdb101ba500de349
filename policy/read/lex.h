/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to the scanner: a cursor over one text that always knows its line and column, and the
 * smallest pieces of the language (blanks, signs, strings, words). A full-width sign is reported
 * once and then treated as the ASCII one, so that one mistake does not hide the next.
 */
#ifndef SEKISHO_POLICY_READ_LEX_H
#define SEKISHO_POLICY_READ_LEX_H

#include "policy/read/scan.h"

/* One text being read; `outer` is the text that includes it. The text is valid UTF-8
 * without NUL. */
struct scan_cursor {
	struct scan_cursor *outer;
	uint32_t file;
	const char *p, *end;
	struct srcpos at;     /* of p */
	const char *reported; /* full-width signs before this were reported */
	const char *chunk;    /* start of the text that was not yet passed to libconfig */
	uint32_t chunk_line;
	uint32_t base_depth; /* brackets that were open when this text began */
	const char *begin;   /* of the text */
	enum balance { BALANCE_UNKNOWN, BALANCED, LACKS_CLOSER, LACKS_OPENER } balance;
	bool flat; /* settings inside brackets begin in column 1, so indentation has no meaning */
};

struct scan {
	struct compilation *c;
	const struct policy_loader *loader;
	struct scan_result *out;
	size_t chunk_room;
	size_t total; /* bytes passed to libconfig */
	uint32_t nodes;
	uint32_t includes;
	uint32_t depth; /* open brackets */
	char closers[SCAN_DEPTH_MAX];
	struct srcpos closed; /* the last closing bracket that matched */
	struct srcpos last;   /* line of the last syntax error: one a line is enough */
	struct scan_cursor *cur;
	/* A bracket is missing or wrong. Errors up to the next setting of the outermost level
	 * follow from it, and are not reported. */
	bool broken;
	bool braceless; /* the present list has settings among its elements */
	bool stopped;	/* a limit was met: everything returns */
};

/* True when no syntax error was reported on that line yet; then it counts as reported. */
bool scan_fresh(struct scan *s, struct srcpos at);
/* As scan_fresh, for something at a wrong position. False also if it follows from a wrong bracket
 * that was reported. */
bool scan_misfit(struct scan *s, struct srcpos at);
/* As scan_fresh, for a missing or wrong bracket; later errors may follow from it. */
bool scan_breaks(struct scan *s, struct srcpos at);
/* Moves on by one character. */
void scan_step(struct scan *s);
/* Skips white space and comments. */
void scan_blank(struct scan *s);
/* The character at the cursor; full-width signs as their ASCII counterpart; 0 at the end, 1 for
 * another non-ASCII character. */
char scan_sign(struct scan *s);
/* The same without moving and without a report. */
char scan_peek(const struct scan *s);
/* Goes on to the next sign of `stops`, white space, or the end. Full-width letters are reported and
 * translated into the returned text (arena, NULL when memory is out). */
const char *scan_run(struct scan *s, const char *stops, uint32_t *ret_width);
/* From an opening quote to the closing one. The raw text between them without the escapes
 * resolved (arena). */
const char *scan_string(struct scan *s, uint32_t *ret_width);
/* A value without quotes: a number, a truth value, or another word, which is reported. False when
 * there is no value here, or memory is out. */
bool scan_scalar(struct scan *s, struct ast_node *node);
bool scan_is_name(const char *word);

#endif
