/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a generation as JSON: its rows of objects.def that have a key, the same in `compile`
 * and in `effective` (docs/json.md). */
#ifndef SEKISHO_POLICY_IR_OBJECTS_JSON_H
#define SEKISHO_POLICY_IR_OBJECTS_JSON_H

#include "appliance/base/json.h"
#include "policy/ir/objects.h"

/* Adds the fields to `o`, which stays the caller's. */
void ir_fields_json(json_t *o, const struct ir *ir, const struct ir_object *object, const void *p);
/* A list of the generation by its JSON key, for instance "zones". */
json_t *ir_list_json(const struct ir *ir, const char *key);
json_t *ir_until_json(uint64_t seconds);
/* [{"name","label","cut","keep"}]: `cut` in the words of `sekisho isolate`, `keep` as names of
 * conduits. */
json_t *ir_isolations_json(const struct ir *ir);

#endif
