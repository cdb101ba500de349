/* SPDX-License-Identifier: Apache-2.0 */
/* Renderings of the rule IR for people and programs. */
#ifndef SEKISHO_POLICY_RENDER_RENDER_H
#define SEKISHO_POLICY_RENDER_RENDER_H

#include <stdio.h>

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/* Renderings; text to `to`. nft: an equivalent ruleset for people, comments where nft cannot say it. */
void render_nft(FILE *to, const struct ir *ir);
json_t *render_json(const struct ir *ir);

#endif
