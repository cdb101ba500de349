/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/ending.h"
#include "policy/ir/ir.h"

#include <stdlib.h>
#include <string.h>

uint64_t ending_near(uint64_t since, uint64_t until)
{
	uint64_t tenth = since < until ? (until - since) / 10 : 0;

	if (tenth > ENDING_MOST_S)
		tenth = ENDING_MOST_S;
	if (tenth < ENDING_LEAST_S)
		tenth = ENDING_LEAST_S;
	return until > tenth ? until - tenth : 0;
}

/* The search starts where the last one ended: policies change little and keep their order. */
static struct ending *ending_find(const struct endings *e, const struct ir_conduit *c, size_t *at)
{
	for (size_t k = 0; k < e->n; k++) {
		size_t i = (*at + k) % e->n;

		if (e->list[i].until == c->until && strcmp(e->list[i].name, c->name) == 0) {
			*at = i + 1;
			return &e->list[i];
		}
	}
	return NULL;
}

void endings_free(struct endings *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->list[i].name);
	free(e->list);
	*e = (struct endings){ 0 };
}

bool endings_take(struct endings *e, const struct ir *ir, uint64_t since)
{
	struct endings next = { calloc(ir->n_conduits + 1u, sizeof(*next.list)), 0 };
	size_t at = 0;

	for (uint32_t i = 0; next.list != NULL && i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];
		const struct ending *was = ending_find(e, c, &at);
		struct ending *x = &next.list[next.n];

		if (c->until == 0)
			continue;
		*x = (struct ending){ .name = strdup(c->name),
				      .until = c->until,
				      .since = was != NULL ? was->since : since,
				      .said = was != NULL && was->said };
		if (x->name == NULL) {
			endings_free(&next);
			return false;
		}
		next.n++;
	}
	if (next.list == NULL)
		return false;
	endings_free(e);
	*e = next;
	return true;
}

size_t endings_older(struct endings *e, const struct ir *before, uint64_t since)
{
	size_t n = 0, at = 0;

	for (uint32_t i = 0; i < before->n_conduits; i++) {
		struct ending *x = before->conduits[i].until != 0 ? ending_find(e, &before->conduits[i], &at) : NULL;

		if (x == NULL)
			continue;
		n++;
		if (since < x->since)
			x->since = since;
	}
	return n;
}
