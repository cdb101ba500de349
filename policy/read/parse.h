/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From text to AST. libconfig decides: the values that it reads from the operator's own bytes are
 * used. The scanner goes first, because libconfig stops at its first error and has no columns: it
 * reports mistakes and gives each setting its place. A text without mistakes is then read by
 * libconfig. Both must have seen the same tree, with the same names, kinds and numbers of members
 * in the same order; otherwise the policy is refused.
 *
 * parse.c is the only module that includes libconfig. Nothing here opens files: libconfig is given
 * the included texts in the place of `@include`, so that it never follows one itself.
 */
#ifndef SEKISHO_POLICY_READ_PARSE_H
#define SEKISHO_POLICY_READ_PARSE_H

#include "policy/read/ast.h"
#include "policy/read/compilation.h"
#include "policy/read/load.h"

/* The settings of the text `name` with all includes, as one group in c->arena. NULL when there were
 * errors; they are in c->diags. Texts are appended to c->sources. */
const struct ast_node *parse_policy(struct compilation *c, const struct policy_loader *l, const char *name);

#endif
