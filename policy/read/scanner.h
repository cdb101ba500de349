/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locating scanner: reads policy text before libconfig does, because libconfig has no columns
 * and stops at its first syntax error. It expands `@include`, gives every setting and value its
 * place, recovers from errors and reports several in one run, and recognises the usual mistakes
 * (wrong encoding, full-width signs, trailing comma, forgotten bracket).
 *
 * Runs in the CLI and in the compile role, on whatever bytes the operator has. Everything is in the
 * arena given; files are read through the loader only. It never interprets keys and never
 * calls libconfig. Internal to policy/read.
 */
#ifndef SEKISHO_POLICY_READ_SCANNER_H
#define SEKISHO_POLICY_READ_SCANNER_H

#include "appliance/base/bytes.h"
#include "policy/read/read.h"

#define SCAN_DEPTH_MAX 24u	   /* nested brackets */
#define SCAN_INCLUDE_MAX 8u	   /* files inside files */
#define SCAN_TOTAL_MAX (16u << 20) /* bytes with all includes expanded */

/* A piece of the expanded text. It tells the file and line that a line of the expanded text comes
 * from. */
struct scan_chunk {
	const char *text;
	size_t size;
	uint32_t file;
	uint32_t line; /* of its first byte */
};

struct scan_result {
	struct ast_node *root; /* group of the top-level settings; values are not filled in */
	struct scan_chunk *chunks;
	size_t n_chunks;
};

/*
 * Scans the text `name` and what it includes. New texts are appended to c->sources. False when
 * errors were found (they are in c->diags) or memory is out. The tree is complete only when true.
 */
bool scan_policy(struct compilation *c, const struct policy_loader *l, const char *name, struct scan_result *ret);

/* ---- the smallest pieces of the language (lex.c) --------------------------------------------- */

/*
 * A cursor over one text always knows its line and column. A full-width sign is reported once and
 * then treated as the ASCII one, so that one mistake does not hide the next.
 */

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
 * resolved, as it stands in the source. */
struct bytes scan_string(struct scan *s, uint32_t *ret_width);
/* A value without quotes: a number, a truth value, or another word, which is reported. False when
 * there is no value here, or memory is out. */
bool scan_scalar(struct scan *s, struct ast_node *node);
bool scan_is_name(const char *word);

/* ---- nodes and closing brackets (bracket.c) -------------------------------------------------- */

/* The last child of a node that is being read. */
struct scan_tail {
	struct ast_node *last;
};

/* A new node, or NULL with s->stopped set when there are too many. */
struct ast_node *scan_node(struct scan *s);
void scan_append(struct ast_node *parent, struct scan_tail *t, struct ast_node *n);
struct scan_tail scan_tail_of(const struct ast_node *parent);

/* Whether an open value of the same text waits for this closing bracket. */
bool scan_awaited(const struct scan *s, char c);
/*
 * Whether the text closes as many brackets as it opens, which helps to interpret errors. The text
 * is searched for this once, at the first error.
 */
enum balance scan_balance(struct scan *s);
void scan_report_unclosed(struct scan *s, struct srcpos at, char closer, struct srcpos opener);
/* Skips a surplus sign. */
void scan_extra_sign(struct scan *s);
void scan_report_unexpected(struct scan *s, struct srcpos at, enum message hint);
/*
 * After a wrong bracket: whether a setting of the outermost level begins here. In an indented text,
 * one begins where "name =" starts in column 1. It ends everything that is open, and errors after
 * it are reported again.
 */
bool scan_resumes(struct scan *s);
/*
 * Deals with the end of the text and with closing brackets of any kind. True when the settings or
 * elements that wait for `closer` (0 = the end of the text) are over.
 */
bool scan_at_end(struct scan *s, char closer, struct srcpos opener);

/* ---- texts (include.c) ----------------------------------------------------------------------- */

/*
 * Texts of the scanner: loads them, keeps includes inside the policy folder, and passes the
 * expanded text to libconfig piece by piece, each piece with its file and line.
 */

/* Reads the present text to its end and appends its contents to `into`. */
typedef void (*scan_content)(struct scan *s, struct ast_node *into);

/* At '@'. True when a text was read into `into`. */
bool scan_include(struct scan *s, struct ast_node *into, scan_content content);
/* Scans the main text. */
void scan_main(struct scan *s, const char *name, struct ast_node *into, scan_content content);

#endif
