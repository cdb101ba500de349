/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/model.h"

#include <errno.h>
#include <string.h>

#include "mgmt/state/read.h"
#include "policy/check/model.h"
#include "policy/compile/compile.h"
#include "policy/read/load.h"
#include "policy/space/prove.h"

#define WAY "policy.outside_reaches_unpatchable"

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const json_t *sources = ctx, *v;
	size_t i;

	json_array_foreach(sources, i, v)
	{
		const json_t *text = json_object_get(v, "text");
		char *copy;

		if (strcmp(js(v, "name"), name) != 0)
			continue;
		copy = arena_strndup(a, json_string_value(text), json_string_length(text));
		if (copy == NULL)
			return -ENOMEM;
		*ret = (struct source_text){ arena_strndup(a, name, strlen(name)), copy, json_string_length(text) };
		return ret->name != NULL ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

/* How many statements do not hold, or hold only as long as somebody inspects. */
static size_t failing(const struct model *m, struct arena *a, bool unattended)
{
	struct counterexample *list = NULL;
	size_t n = prove_nevers(m, a, &list), failing = 0;

	for (size_t i = 0; i < m->n_nevers; i++) {
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found |= list[k].never == &m->nevers[i] && (list[k].unattended != ATTENDED) == unattended;
		failing += found;
	}
	return failing;
}

static json_t *told(const struct compilation *c, struct arena *a)
{
	const struct model *m = c->model;
	json_t *zones = json_array();
	size_t ways = 0;

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
			ways += strcmp(m->conduits[i].accepts[k].warning, WAY) == 0;
	return json_pack("{s:I,s:I,s:I,s:I,s:o}", "nevers", (json_int_t)m->n_nevers, "broken",
			 (json_int_t)failing(m, a, false), "unattended", (json_int_t)failing(m, a, true), "ways",
			 (json_int_t)ways, "zones", zones);
}

json_t *model_of(const json_t *sources)
{
	const char *main_name = js(json_array_get(sources, 0), "name");
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct compilation c = { .arena = a };
	struct policy_loader loader = { (void *)(uintptr_t)sources, load };
	json_t *ret = NULL;

	if (a != NULL && *main_name != '\0' && policy_check(&c, &loader, main_name) && policy_lower_unproved(&c))
		ret = told(&c, a);
	if (a != NULL && arena_failed(a)) { /* what was counted then is not all */
		json_decref(ret);
		ret = NULL;
	}
	arena_free(a);
	return ret;
}
