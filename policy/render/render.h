/* SPDX-License-Identifier: Apache-2.0 */
/* Renderings of the rule IR, and of the policy that it was made from, for people and programs. */
#ifndef SEKISHO_POLICY_RENDER_RENDER_H
#define SEKISHO_POLICY_RENDER_RENDER_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "policy/ir/ir.h"
#include "policy/read/ast.h"
#include "policy/read/compilation.h"

/* Writes the rules to `to` as an nft ruleset with the same effect, for people. What nft cannot say
 * is in comments. */
void render_nft(FILE *to, const struct ir *ir);
/* The policy itself, one object a line: what the compiler took from the text, groups and their like
 * written out. */
void render_text(FILE *to, const struct ast_node *policy);
json_t *render_json(const struct ir *ir);

/*
 * The difference in effect of two policies, in sentences. Only this module makes them: for `diff`,
 * a dry run, the approver, history and record. See policy/space/differ.h. Pure.
 */

/*
 * An array of sentences, as docs/json.md has it under diff; empty: the two have the same effect
 * from `now` on. A new reference; NULL: the difference is not known, because memory ran out (also
 * in the arena of `after`), or the policies are too large to compare.
 */
json_t *means_json(const struct compilation *before, const struct compilation *after, uint64_t now);
/* The same, shortened to be stored and sent: at most MEANS_MOST sentences with MEANS_PLACES places
 * each; *ret_more: how many are left out. Takes over the reference `sentences`. */
json_t *means_bounded(json_t *sentences, size_t *ret_more);
#define MEANS_MOST 200u
#define MEANS_PLACES 20u

/* A sentence without its places, as one line; `folder`: prefix of the file's name ("old/"). */
#define MEANS_LINE 1200u
void means_line(const json_t *l, enum lang lang, const char *folder, char *out, size_t size);

#endif
