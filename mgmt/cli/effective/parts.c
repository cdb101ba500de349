/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/effective/parts.h"

#include "mgmt/cli/words/render.h"

bool effective_parts_add(json_t *lists, const char *key, json_t *one)
{
	json_t *list = json_object_get(lists, key);

	if (key == NULL)
		return true;
	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(lists, key, list) != 0)
			return false;
	}
	return json_array_append(list, one) == 0;
}

static bool add_cell(struct effective_parts *p, json_t *cell)
{
	const json_t *names = ja(cell, "conduits");
	bool good = json_array_size(names) > 0 || json_array_append(p->strays, cell) == 0;

	for (size_t i = 0; i < json_array_size(names) && good; i++)
		good = effective_parts_add(p->cells, json_string_value(json_array_get(names, i)), cell);
	return good;
}

static bool add_grants(struct effective_parts *p, json_t *permit)
{
	const json_t *grants = ja(permit, "grants");
	bool good = true;

	for (size_t i = 0; i < json_array_size(grants) && good; i++) {
		json_t *grant = json_array_get(grants, i);
		json_t *one = json_pack("{s:O, s:O}", "permit", permit, "grant", grant);

		good = one != NULL && effective_parts_add(p->grants, js(grant, "conduit"), one);
		json_decref(one);
	}
	return good;
}

bool effective_parts_make(const json_t *effective, struct effective_parts *ret)
{
	const json_t *cells = ja(effective, "cells"), *permits = ja(effective, "permits");
	bool good;

	*ret = (struct effective_parts){ json_object(), json_object(), json_array() };
	good = ret->cells != NULL && ret->grants != NULL && ret->strays != NULL;
	for (size_t i = 0; i < json_array_size(cells) && good; i++)
		good = add_cell(ret, json_array_get(cells, i));
	for (size_t i = 0; i < json_array_size(permits) && good; i++)
		good = add_grants(ret, json_array_get(permits, i));
	return good;
}

void effective_parts_free(struct effective_parts *p)
{
	json_decref(p->cells);
	json_decref(p->grants);
	json_decref(p->strays);
}
