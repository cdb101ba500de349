/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the history as people read it (docs/json.md). */
#ifndef SEKISHO_STORE_PAST_JSON_H
#define SEKISHO_STORE_PAST_JSON_H

#include "appliance/base/json.h"
#include "appliance/store/generation.h"

/* `in_force`: the number of the generation in force. */
json_t *json_record(const struct generation_record *g, uint64_t in_force);

#endif
