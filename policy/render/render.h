/* SPDX-License-Identifier: Apache-2.0 */
/* Renderings of the rule IR, and of the policy that it was made from, for people and programs. */
#ifndef SEKISHO_POLICY_RENDER_RENDER_H
#define SEKISHO_POLICY_RENDER_RENDER_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "policy/ir/ir.h"
#include "policy/read/ast.h"

/* Writes the rules to `to` as an nft ruleset with the same effect, for people. What nft cannot say
 * is in comments. */
void render_nft(FILE *to, const struct ir *ir);
/* The policy itself, one object a line: what the compiler took from the text, groups and their like
 * written out. */
void render_text(FILE *to, const struct ast_node *policy);
json_t *render_json(const struct ir *ir);

#endif
