/* SPDX-License-Identifier: Apache-2.0 */
/* What command rows allow, as JSON: `sekisho compile` and `sekisho effective`, docs/json.md. */
#ifndef SEKISHO_WIRE_COMMANDS_JSON_H
#define SEKISHO_WIRE_COMMANDS_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/notation.h"
#include "appliance/wire/vocabulary.h"

/* The names of servers that a grant declares; NULL: none. */
json_t *names_json(const struct command_table *t, const struct command_grant *g);
/* "0-99,400" as a policy writes them; "any" without restriction, "" for nothing. The caller owns
 * the reference. */
json_t *numbers_json(const struct command_table *t, const struct number_set *s, struct notation n);
/* Codes one by one; more than 256 in a row are a text, "4096-12287". */
void codes_json(json_t *list, struct number_range codes);
/* The addresses of each space, one key a space. */
void spaces_json(json_t *o, const struct command_table *t, const struct command_row *r, const struct vocabulary *v);
/* The targets of an operation, one key for each target of the protocol: "unit": 1. */
void targets_json(json_t *o, const uint32_t targets[TARGET_MAX], const struct vocabulary *v);
/* "400-401", as a policy writes it; null where there is no such space. A range that goes beyond the
 * space is cut at its end. */
json_t *place_json(const struct vocabulary *v, uint8_t space, uint64_t first, uint64_t count);

/* A limit as JSON: key "limit" of events and of replay, docs/json.md. */

/* The limit of an operation on this space, with the words of `v` (which may be NULL). JSON null for
 * LIMIT_NONE. */
json_t *limit_json(const struct limit *l, const struct vocabulary *v, uint8_t space);

#endif
