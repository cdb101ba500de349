/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/cells.h"

#define NAMED 5u /* conduits in the message that a policy is too large */

/* The conduits with the highest cost, highest first. Returns how many. */
static size_t costliest(const struct model *m, const uint64_t *cost, const struct model_conduit *ret[NAMED])
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_conduits; i++) {
		size_t at = n;

		if (cost[i] == 0)
			continue;
		while (at > 0 && cost[ret[at - 1]->index] < cost[i])
			at--;
		if (at == NAMED)
			continue;
		n += n < NAMED;
		for (size_t k = n - 1; k > at; k--)
			ret[k] = ret[k - 1];
		ret[at] = &m->conduits[i];
	}
	return n;
}

bool costs_report(struct diags *d, const char *code, const struct model *m, const uint64_t *cost, enum message text,
		  unsigned have, unsigned most, unsigned limit)
{
	const struct model_conduit *list[NAMED];
	size_t n = cost != NULL ? costliest(m, cost, list) : 0;
	const char *names = "";
	struct diag *g;

	if (cost == NULL)
		return false;
	g = diag_add(d, SEV_ERROR, code, n > 0 ? list[0]->at : (struct srcpos){ 0 }, text, have, most, limit);
	if (n > 1)
		g->also = list[1]->at;
	for (size_t i = 0; i < n && names != NULL; i++)
		names = arena_printf(d->arena, "%s%s%s (%s:%u)", names, i > 0 ? ", " : "", list[i]->name,
				     list[i]->at.file < m->n_sources ? m->sources[list[i]->at.file].name : "",
				     list[i]->at.line);
	if (n > 0 && names != NULL)
		diag_hint(d, g, M_COSTS_HINT, names);
	return false;
}
