/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permits of two generations are the same, so that sessions may keep the permit's id.
 */
#ifndef SEKISHO_POLICY_IR_IDENTITY_H
#define SEKISHO_POLICY_IR_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/commands.h"

struct arena;
struct ir;

/* Identifies the part of packet space that a permit covers: SHA-256 of its cells with the names of
 * their interfaces. */
struct ir_place {
	uint8_t digest[32];
};

/* *ret: the place of each permit, by index. Taken from ir_places_keep if that was called, otherwise
 * computed in the arena. False when memory is out. */
bool ir_places(const struct ir *ir, struct arena *a, const struct ir_place **ret);
/* Computes the places and keeps them for later calls of ir_places. `a` must live as long as
 * `ir`. */
bool ir_places_keep(struct ir *ir, struct arena *a);
/*
 * For each permit of `next` the permit of `now` that it continues, or UINT32_MAX. The two have the
 * same meaning, and `next` allows at least as much everywhere in the part of packet space that the
 * old permit covers. So sessions may keep the permit's id. At most one permit continues each old
 * one. False when memory is out.
 */
bool ir_carry_on(const struct ir *now, const struct ir *next, struct arena *a, uint32_t *ret);

/* Whether sets and rows of two tables are the same. */
bool ir_same_numbers(const struct command_table *ta, const struct number_set *a, const struct command_table *tb,
		     const struct number_set *b);
bool ir_same_row(const struct command_table *ta, const struct command_row *a, const struct command_table *tb,
		 const struct command_row *b);

#endif
