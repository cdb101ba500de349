/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of the rule IR to one packet, as the kernel's maps would give it: the highest layer
 * that has not ended, and in layer 0 an exact cell before a range. */
#include <string.h>

#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"

static bool cell_holds(const struct ir *ir, const struct ir_cell *c, const struct question *q)
{
	if (c->l4proto != q->l4proto || q->port < c->lo || q->port > c->hi)
		return false;
	if (!addr_in(&q->source, &c->src) || !addr_in(&q->destination, &c->dst))
		return false;
	return (q->iif == NULL || strcmp(ir->interfaces[c->iif].name, q->iif) == 0) &&
	       (q->oif == NULL || strcmp(ir->interfaces[c->oif].name, q->oif) == 0);
}

const struct ir_cell *evaluate_ir(const struct ir *ir, const struct question *q)
{
	const struct ir_cell *best = NULL;

	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i];

		if ((best != NULL && c->layer <= best->layer && !(best->layer == 0 && ir_cell_exact(c))) ||
		    !cell_holds(ir, c, q))
			continue;
		if (c->layer == 0 || q->now < ir->permits[c->permit].until)
			best = c; /* opened by hours, as ir_at() has set it */
	}
	return best;
}
