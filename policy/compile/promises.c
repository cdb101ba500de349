/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/compile.h"

#include <errno.h>
#include <string.h>

#include "policy/space/prove.h"

#define WAY "policy.outside_reaches_unpatchable"

struct texts {
	const struct source_text *list;
	size_t n;
};

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct texts *t = ctx;

	for (size_t i = 0; i < t->n; i++) {
		const struct source_text *one = &t->list[i];

		if (one->text == NULL || strcmp(one->name, name) != 0)
			continue;
		*ret = (struct source_text){ arena_strndup(a, name, strlen(name)),
					     arena_strndup(a, one->text, one->size), one->size };
		return ret->name != NULL && ret->text != NULL ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

/* Numbers of statements that do not hold, and that hold only while an inspector runs. */
struct failing {
	size_t broken, unattended;
};

static struct failing failing(const struct model *m, struct arena *a)
{
	struct counterexample *list = NULL;
	size_t n = prove_nevers(m, a, &list);
	struct failing ret = { 0 };

	for (size_t i = 0; i < m->n_nevers; i++) {
		bool broken = false, unattended = false;

		for (size_t k = 0; k < n; k++)
			if (list[k].never == &m->nevers[i])
				*(list[k].unattended == ATTENDED ? &broken : &unattended) = true;
		ret.broken += broken;
		ret.unattended += unattended;
	}
	return ret;
}

static json_t *told(const struct compilation *c, struct arena *a)
{
	const struct model *m = c->model;
	struct failing f = failing(m, a);
	json_t *zones = json_array();
	size_t ways = 0, accepted = 0, direct = 0;

	for (size_t i = 0; i < c->diags.n; i++)
		ways += strcmp(c->diags.list[i]->code, WAY) == 0;
	for (size_t i = 0; i < m->n_zones; i++)
		if (!m->zones[i].self)
			(void)json_array_append_new(
				zones, json_pack("{s:o,s:o,s:o,s:b}", "name", json_text(m->zones[i].name), "label",
						 json_text(m->zones[i].label), "owner", json_text(m->zones[i].owner),
						 "patchable", m->zones[i].patchable));
	for (size_t i = 0; i < m->n_conduits; i++)
		for (size_t k = 0; k < m->conduits[i].n_accepts; k++)
			if (strcmp(m->conduits[i].accepts[k].warning, WAY) == 0) {
				accepted++;
				direct += m->conduits[i].from->class == CLASS_EXTERNAL;
			}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "nevers", (json_int_t)m->n_nevers, "broken",
			 (json_int_t)f.broken, "unattended", (json_int_t)f.unattended, "ways",
			 (json_int_t)ways + (json_int_t)accepted, "accepted", (json_int_t)accepted, "direct",
			 (json_int_t)direct, "zones", zones);
}

json_t *promises_json(const struct source_text *texts, size_t n)
{
	struct texts t = { texts, n };
	struct policy_loader loader = { &t, load };
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct compilation c = { .arena = a };
	json_t *ret = NULL;

	if (a != NULL && n > 0 && policy_check(&c, &loader, texts[0].name) && policy_lower_unproved(&c))
		ret = told(&c, a);
	if (a != NULL && arena_failed(a)) { /* the counts are incomplete */
		json_decref(ret);
		ret = NULL;
	}
	arena_free(a);
	return ret;
}
