/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to the scanner: nodes and closing brackets (read/bracket.c), which the grammar
 * (read/scan.c) uses. All nodes live in the arena of the compile run.
 */
#ifndef SEKISHO_POLICY_READ_PARTS_H
#define SEKISHO_POLICY_READ_PARTS_H

#include "policy/read/lex.h"

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
 * After a wrong bracket: whether a setting of the outermost level begins here, which ends
 * everything that is open. It does where a line of an indented text begins with "name =". From
 * there on, errors are reported again.
 */
bool scan_resumes(struct scan *s);
/*
 * Deals with the end of the text and with closing brackets of any kind. True when the settings or
 * elements that wait for `closer` (0 = the end of the text) are over.
 */
bool scan_at_end(struct scan *s, char closer, struct srcpos opener);

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
