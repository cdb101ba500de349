/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/deeds.h"

static bool same_deed(const struct deed *a, const struct deed *b)
{
	if (a->unit != b->unit || a->function != b->function || a->well_formed != b->well_formed ||
	    a->place_unknown != b->place_unknown || a->value_unknown != b->value_unknown ||
	    a->n_touches != b->n_touches)
		return false;
	for (uint8_t i = 0; i < a->n_touches; i++)
		if (a->touches[i].space != b->touches[i].space || a->touches[i].first != b->touches[i].first ||
		    a->touches[i].n != b->touches[i].n)
			return false;
	return true;
}

void deed_remember(struct deeds *all, const struct enforcer *e, struct bytes pdu)
{
	struct deed d = { .function = 0 };

	if (e->note == NULL)
		return;
	e->note(pdu, &d);
	for (uint32_t k = 0; k < all->n; k++) {
		struct deed *known = &all->deeds[k];

		if (!same_deed(known, &d))
			continue;
		known->lo = d.lo < known->lo ? d.lo : known->lo;
		known->hi = d.hi > known->hi ? d.hi : known->hi;
		known->count++;
		return;
	}
	if (all->n == DEEDS_MAX) {
		all->more++;
		return;
	}
	d.count = 1;
	all->deeds[all->n++] = d;
}

void deeds_judge_again(const struct deeds *all, const struct enforcer *e, const struct command_table *t,
		       const struct command_permit *permit,
		       void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx)
{
	for (uint32_t k = 0; k < all->n && e->again != NULL; k++) {
		struct pdu u;

		e->again(&all->deeds[k], t, permit, &u);
		if (!u.allowed)
			each(ctx, &all->deeds[k], &u);
	}
}
