/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conduits that wait for a trusted clock: those with an end in the future, by the present
 * clock, and those without an end that have a start or hours. Supervisor only. The caller decides
 * whether the clock is trusted.
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
/* Sets "waits" in every object of `list` by its "name"; without `waits` to false. Takes time in
 * proportion to their number. */
void waiting_mark(const struct ir *ir, uint64_t now, bool waits, json_t *list);

#endif
