/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the scanner: a cursor over one text that always knows its line and column, and the smallest pieces of the
 * language (blanks, signs, strings, words). A full-width sign is reported where it is first looked at and then taken for
 * the ASCII one, so that one slip does not hide the next.
 */
#ifndef SEKISHO_POLICY_READ_LEX_H
#define SEKISHO_POLICY_READ_LEX_H

#include "policy/read/scan.h"

/* One text being read; `outer` is the text that includes it. The text is valid UTF-8 without NUL. */
struct scan_cursor {
	struct scan_cursor *outer;
	uint32_t file;
	const char *p, *end;
	struct srcpos at;     /* of p */
	const char *reported; /* full-width signs before this were reported */
	const char *chunk;    /* start of what was not yet handed on to libconfig */
	uint32_t chunk_line;
	uint32_t base_depth; /* brackets that were open when this text began */
	const char *begin;   /* of the text */
	enum balance { BALANCE_UNKNOWN, BALANCED, LACKS_CLOSER, LACKS_OPENER } balance;
	bool flat; /* settings inside of brackets begin in column 1: indentation tells nothing */
};

struct scan {
	struct compilation *c;
	const struct policy_loader *loader;
	struct scan_result *out;
	size_t chunk_room;
	size_t total; /* bytes handed on */
	uint32_t nodes;
	uint32_t includes;
	uint32_t depth; /* open brackets */
	char closers[SCAN_DEPTH_MAX];
	struct srcpos closed; /* the last bracket that ended what was open */
	struct srcpos last;   /* line of the last syntax error: one a line is enough */
	struct scan_cursor *cur;
	/* A bracket is missing or wrong: up to the next setting of the outermost level, what does not fit follows from it. */
	bool broken;
	bool braceless; /* settings stand among the elements of the list at hand */
	bool stopped;	/* a limit was met: everything returns */
};

/* True when no syntax error was reported on that line yet; then it counts as reported. */
bool scan_fresh(struct scan *s, struct srcpos at);
/* The same of what does not fit where it stands. False as well where it follows from a wrong bracket that was told. */
bool scan_misfit(struct scan *s, struct srcpos at);
/* The same of a bracket that is missing or wrong: what comes behind it may follow from it. */
bool scan_breaks(struct scan *s, struct srcpos at);
/* Goes on by one character. */
void scan_step(struct scan *s);
/* White space and comments. */
void scan_blank(struct scan *s);
/* The sign that begins here, full-width ones as their ASCII counterpart; 0 at the end, 1 for another non-ASCII one. */
char scan_sign(struct scan *s);
/* The sign here, without moving and without a report. */
char scan_peek(const struct scan *s);
/* Goes on to the next sign of `stops`, white space, or the end. Full-width letters are reported and translated into the
 * returned text (arena, NULL when memory is out). */
const char *scan_run(struct scan *s, const char *stops, uint32_t *ret_width);
/* From an opening quote to the closing one. The raw text between them without the escapes resolved (arena). */
const char *scan_string(struct scan *s, uint32_t *ret_width);
/* A scalar that is no string: number, truth value, or a reported accident. False when there is no value here. */
bool scan_scalar(struct scan *s, struct ast_node *node);
bool scan_is_name(const char *word);

#endif
