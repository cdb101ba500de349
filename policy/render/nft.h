/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One symbolic rule in the words of nft. Used by render_nft alone; the rule's kernel form is made
 * by enforce.
 */
#ifndef SEKISHO_POLICY_RENDER_NFT_H
#define SEKISHO_POLICY_RENDER_NFT_H

#include <stdint.h>
#include <stdio.h>

#include "policy/ir/ir.h"
#include "policy/ir/rules.h"

/* Writes the rule as one line, or several if it makes a record or matches several kinds of headers;
 * as a comment where nft has no words for it. */
void render_nft_rule(FILE *to, const struct ir_rule *r, uint64_t lanes);

#endif
