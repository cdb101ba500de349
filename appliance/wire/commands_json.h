/* SPDX-License-Identifier: Apache-2.0 */
/* What command rows allow, as JSON: `sekisho compile` and `sekisho effective`, docs/json.md. */
#ifndef SEKISHO_WIRE_COMMANDS_JSON_H
#define SEKISHO_WIRE_COMMANDS_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/notation.h"

/* "0-99,400" as a policy writes them; "any" without restriction, "" for nothing. Caller owns the reference. */
/* The names of servers that a grant declares; NULL: none. */
json_t *names_json(const struct command_table *t, const struct command_grant *g);
json_t *numbers_json(const struct command_table *t, const struct number_set *s, struct notation n);
/* Codes one by one; more than 256 in a row are a text, "4096-12287". */
void codes_json(json_t *list, struct number_range codes);
/* The addresses of each space, one key a space. */
void spaces_json(json_t *o, const struct command_table *t, const struct command_row *r, const struct vocabulary *v);
/* Whom an operation is for: "unit": 1, one key a target of the protocol. */
void targets_json(json_t *o, const uint32_t targets[TARGET_MAX], const struct vocabulary *v);
/* "400-401", as a policy writes it; null where there is no such space. A range that reaches too high ends with the space. */
json_t *place_json(const struct vocabulary *v, uint8_t space, uint64_t first, uint64_t count);

#endif
