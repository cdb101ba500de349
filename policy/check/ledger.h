/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries that the registers need: by whom, why, when it has to be looked at again.
 */
#ifndef SEKISHO_POLICY_CHECK_LEDGER_H
#define SEKISHO_POLICY_CHECK_LEDGER_H

#include "policy/check/say.h"
#include "policy/read/ast.h"

struct check;
struct diag;

/* Adds a hint: the day or moment that was meant, or else the form that it should have. */
void hint_date(struct check *k, struct diag *g, const char *text, enum message form);
/* A date by which something has to be done, and the messages about it. */
struct due {
	const char *code;
	enum message past, hint;
};
extern const struct due due_review, due_support;
/* Reads the date; "" where there is none. A date that many objects take from one place of the text
 * is judged once. */
const char *ledger_day(struct check *k, const struct ast_node *node, const struct due *what, struct object o);
/* To be called after all objects: with site.ledger = "strict", reports objects that
 * lack entries. */
void check_ledger(struct check *k);

#endif
