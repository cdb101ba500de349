/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of one kind of object, by which others refer to it. All memory is in the arena of the
 * compile run.
 */
#ifndef SEKISHO_POLICY_CHECK_NAMES_H
#define SEKISHO_POLICY_CHECK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/check/say.h"
#include "policy/read/ast.h"

struct check;
struct diag;

/* Names of one kind of object, sorted for search. */
struct names {
	const char **names; /* sorted */
	void **objects;	    /* in the same order */
	size_t n;	    /* 0 until names_build */
	size_t added;
};
/* names_new makes room for n names, names_put adds one, and names_build sorts them: only then they
 * can be found. False: no memory. */
bool names_new(struct check *k, struct names *t, size_t n);
void names_put(struct names *t, const char *name, void *object);
bool names_build(struct check *k, struct names *t);
void *names_find(const struct names *t, const char *name);
/* The label of what the table holds at `i`; "" if it has none. */
typedef const char *label_reader(const struct check *k, const struct names *t, size_t i);
/* Adds a hint for a word that names nothing in the table: the name of what is labelled so, or the
 * nearest name. False: no hint. */
bool names_hint(struct check *k, const struct names *t, struct diag *g, const char *word, label_reader *label);
/* Finds what the word of `node` names. If there is nothing of that name, reports `m`; its arguments
 * are the object `o` and the word. */
void *names_need(struct check *k, const struct names *t, const struct ast_node *node, enum message m, const char *code,
		 struct object o);

#endif
