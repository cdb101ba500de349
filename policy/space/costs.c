/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/costs.h"

#define NAMED 5u

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

void costs_report(struct diags *d, const char *code, const struct model *m, const uint64_t *cost, struct arena *a,
		  const char *en, const char *ja)
{
	const struct model_conduit *most[NAMED];
	size_t n = costliest(m, cost, most);
	struct srcpos nowhere = { 0, 0, 0 };
	struct diag *g = diag_add_texts(d, SEV_ERROR, code, n > 0 ? most[0]->at : nowhere, en, ja);
	const char *names = "";

	if (n > 1)
		g->also = most[1]->at;
	for (size_t i = 0; i < n && names != NULL; i++)
		names = arena_printf(a, "%s%s%s (%s:%u)", names, i > 0 ? ", " : "", most[i]->name,
				     most[i]->at.file < m->n_sources ? m->sources[most[i]->at.file].name : "",
				     most[i]->at.line);
	if (n > 0 && names != NULL)
		diag_hint(d, g, M_COSTS_HINT, names);
}
