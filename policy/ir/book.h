/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose address is it? Zones and assets of a generation by their addresses, to show records and
 * sessions to people: "RTG 4号機" says more than 10.30.1.13. An address book in the caller's arena;
 * it does not need the generation afterwards.
 */
#ifndef SEKISHO_POLICY_IR_BOOK_H
#define SEKISHO_POLICY_IR_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"

struct arena;
struct ir;

struct ir_book_line {
	struct addr_range range;
	uint32_t index; /* of the zone or asset */
};

/* Sorted by their first addresses. */
struct ir_book {
	struct ir_book_line *zones, *assets;
	uint32_t n_zones, n_assets;
};

/* False when memory is out. */
bool ir_book_make(const struct ir *ir, struct arena *a, struct ir_book *ret);
/* UINT32_MAX: nobody's. */
uint32_t ir_book_zone(const struct ir_book *p, const struct addr *a);
uint32_t ir_book_asset(const struct ir_book *p, const struct addr *a);

#endif
