/* SPDX-License-Identifier: Apache-2.0 */
/* A limit as JSON: key "limit" of events and of replay, docs/json.md. */
#ifndef SEKISHO_WIRE_LIMIT_JSON_H
#define SEKISHO_WIRE_LIMIT_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/vocabulary.h"

/* In the words of `v`, which may be NULL, about an operation on this space. JSON null for LIMIT_NONE. */
json_t *limit_json(const struct limit *l, const struct vocabulary *v, uint8_t space);

#endif
