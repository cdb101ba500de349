/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the scanner: nodes and the ends of brackets (read/bracket.c), of which the grammar
 * (read/scan.c) is made. All nodes live in the arena of the compile run.
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

/* Is this closing bracket one that a value of the same text waits for? */
bool scan_awaited(const struct scan *s, char c);
/*
 * Does the text at hand close as many brackets as it opens? What is odd in it is read accordingly. The text is looked through for
 * this once, and only when something is.
 */
enum balance scan_balance(struct scan *s);
void scan_report_unclosed(struct scan *s, struct srcpos at, char closer, struct srcpos opener);
/* Over a sign that is one too many. */
void scan_extra_sign(struct scan *s);
void scan_report_unexpected(struct scan *s, struct srcpos at, enum message hint);
/*
 * Behind a wrong bracket: does a setting of the outermost level begin here, so that all that is open is over? It does where a line
 * begins with "name =" in a text that is indented. At that level itself this ends what follows from the bracket.
 */
bool scan_resumes(struct scan *s);
/*
 * Deals with the end of the text and with closing brackets of any kind. True when the settings or elements that wait
 * for `closer` (0 = the end of the text) are over.
 */
bool scan_at_end(struct scan *s, char closer, struct srcpos opener);

#endif
