/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From text to AST: the scanner gives shape and places, libconfig, the reader of record, gives the values, and both must
 * have seen the same tree. parse.c is the only module that includes libconfig. It never opens files: includes are
 * expanded by the scanner before libconfig sees the text.
 */
#ifndef SEKISHO_POLICY_READ_PARSE_H
#define SEKISHO_POLICY_READ_PARSE_H

#include "policy/read/ast.h"
#include "policy/read/compilation.h"
#include "policy/read/load.h"

/* The settings of the text `name` with all includes, as one group in c->arena. NULL when there were errors; they are in
 * c->diags. Texts are appended to c->sources. */
const struct ast_node *parse_policy(struct compilation *c, const struct policy_loader *l, const char *name);

#endif
