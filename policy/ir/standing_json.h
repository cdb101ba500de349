/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what under a generation, as JSON: the parts of `effective` that need no
 * kernel (docs/json.md). */
#ifndef SEKISHO_POLICY_IR_STANDING_JSON_H
#define SEKISHO_POLICY_IR_STANDING_JSON_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/* What a permit grants: the protocols of its conduits, and the commands that their rows allow.
 * `made` (ir_grants_made) caches the object of each grant, because permits share grants. Nobody may
 * change these objects. */
json_t *ir_grants_json(const struct ir *ir, const struct command_permit *p, json_t *made);
/* An empty cache for ir_grants_json: an array with one null per grant, owned by the caller. */
json_t *ir_grants_made(const struct ir *ir);
/* All conduits; for each, whether it is open at that moment, until when, or from when on. */
json_t *ir_conduits_json(const struct ir *ir, uint64_t at_s);
/* All organisations, each with the names of the conduits from and to its zones. */
json_t *ir_organisations_json(const struct ir *ir);
/* Adds site, conduits, permits, assets, zones and organisations as of the moment `at_s`. Doors are
 * left out, because nobody knows any more which were open. */
void ir_standing_json(json_t *j, const struct ir *ir, uint64_t at_s);

#endif
