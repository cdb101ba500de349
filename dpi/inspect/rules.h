/* SPDX-License-Identifier: Apache-2.0 */
/* The command tables of an inspector: the one in force, room for the next, and from which generation each permit comes. */
#ifndef SEKISHO_DPI_INSPECT_RULES_H
#define SEKISHO_DPI_INSPECT_RULES_H

#include "appliance/base/bytes.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/event.h"

struct rules;

struct rules *rules_new(uint32_t table_bytes); /* NULL when memory is out */
void rules_free(struct rules *r);
/* The table in force; stays at its place. */
const struct command_table *rules_table(const struct rules *r);
uint32_t rules_turn(const struct rules *r); /* rises with every table */
/* As inspector_table, inspector_generations, inspector_try_table. */
bool rules_load(struct rules *r, struct bytes image);
void rules_note_generations(struct rules *r, struct event_generation now, struct bytes of_permits);
bool rules_try(struct rules *r, struct bytes image, struct command_table *ret);
/* By which generation a permit of the table in force is judged; the newest for NULL. */
struct event_generation rules_generation(const struct rules *r, const struct command_permit *permit);

/* Which grant speaks for protocol p; NULL when none does. Shadow grants never do. */
const struct command_grant *grant_of(const struct command_table *t, const struct command_permit *permit,
				     enum protocol p);
/* Whether a grant lets any protocol of this transport pass. */
bool promises_any(const struct command_table *t, const struct command_permit *permit, uint8_t l4proto);

#endif
