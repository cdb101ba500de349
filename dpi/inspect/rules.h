/* SPDX-License-Identifier: Apache-2.0 */
/* The command tables of an inspector: the one in force, room for the next, and from which
 * generation each permit comes. */
#ifndef SEKISHO_DPI_INSPECT_RULES_H
#define SEKISHO_DPI_INSPECT_RULES_H

#include "appliance/base/bytes.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/event.h"

struct rules;

struct rules *rules_new(uint32_t table_bytes); /* NULL when memory is out */
void rules_free(struct rules *r);
/* The table in force. Its address never changes. */
const struct command_table *rules_table(const struct rules *r);
uint32_t rules_turn(const struct rules *r); /* increases with every table */
/* Implement inspector_table, inspector_generations and inspector_try_table. */
bool rules_load(struct rules *r, struct bytes image);
void rules_note_generations(struct rules *r, struct event_generation now, struct bytes of_permits);
bool rules_try(struct rules *r, struct bytes image, struct command_table *ret);
/* The generation that a permit of the table in force comes from; for NULL, the newest. */
struct event_generation rules_generation(const struct rules *r, const struct command_permit *permit);

/* The grant for protocol p; NULL when there is none. Shadow grants are never returned. */
const struct command_grant *grant_of(const struct command_table *t, const struct command_permit *permit,
				     enum protocol p);
/* Whether some grant allows any protocol over this transport. */
bool promises_any(const struct command_table *t, const struct command_permit *permit, uint8_t l4proto);

#endif
