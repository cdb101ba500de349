/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which conduits wait for a clock that is trusted: those with an end that lies ahead, by the clock as it is. Supervisor only; whether the
 * clock is trusted is for the caller to say.
 */
#ifndef SEKISHO_STORE_WAITING_H
#define SEKISHO_STORE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/* `now`: seconds since 1970, as everywhere here. */
uint32_t waiting_count(const struct ir *ir, uint64_t now);
/* An array of their names; owned by the caller. */
json_t *waiting_names(const struct ir *ir, uint64_t now);
/* "waits" of every conduit in `list`, objects with a "name"; without `waits` none does. Takes time in proportion to how many they are. */
void waiting_mark(const struct ir *ir, uint64_t now, bool waits, json_t *list);

#endif
