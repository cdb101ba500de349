/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics about an object of the policy, in both languages. All memory is in the arena of the
 * compile run.
 */
#ifndef SEKISHO_POLICY_CHECK_SAY_H
#define SEKISHO_POLICY_CHECK_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/read/ast.h"

struct check;
struct diag;

/* A part of a sentence in both languages. */
struct both {
	const char *text[2];
};

/* The object of a diagnostic. `noun` is a catalogue text with the object's name in it
 * ("conduit \"%s\""). */
struct object {
	enum message noun;
	const char *name;
};

/* A diagnostic about an object; `x` and `y` are the words that its sentence has after the object; a
 * word that it does not have is "". */
struct diag *check_say(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
		       enum message m, struct object o, const char *x, const char *y);
/* The same with words that differ by language. */
struct diag *check_both(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
			enum message m, struct object o, struct both x, struct both y);
/* A diagnostic at a node's value about object `o`, with one word; check_hinted adds a hint that
 * needs no word. */
struct diag *check_value(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			 enum message m, struct object o, const char *word);
struct diag *check_hinted(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			  enum message m, struct object o, const char *word, enum message hint);
/* Reports a list without elements; `list` may be NULL. */
#define NO_HINT MESSAGE_COUNT
void check_not_empty(struct check *k, const struct ast_node *list, struct object o, enum message hint);
/* Reports a list of more than `most` elements, and then returns false; `list` may be NULL. */
bool check_fits(struct check *k, const struct ast_node *list, size_t most, struct object o);
/* Adds "did you mean" if a known word is similar, and then returns true. Skipped once many
 * diagnostics were kept, because it is slow. */
bool check_near(struct check *k, struct diag *g, const char *word, const char *const *known, size_t n);

#endif
