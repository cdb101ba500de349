/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/flows: the present sessions of connection tracking, as in `sekisho flows`. limit (100, at
 * most 1,000), conduit, zone, asset and host are optional. Sorted by conduit and ends; `left_off`:
 * the number of further matches.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/state/read.h"
#include "mgmt/web/api/routes.h"

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX 1000u

static bool take(const struct target_parameter *p, struct msg_flows *m)
{
	static const struct {
		const char *key;
		enum event_filter_key filter;
	} keys[] = {
		{ "conduit", FILTER_CONDUIT },
		{ "zone", FILTER_ZONE },
		{ "asset", FILTER_ASSET },
		{ "host", FILTER_HOST },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(p->key, keys[i].key) == 0)
			return event_filter_set(&m->filter, keys[i].filter, p->text);
	return strcmp(p->key, "limit") == 0 && p->number;
}

static bool ask(const struct target *t, struct msg_body *question)
{
	const struct target_parameter *host = target_find(t, "host");
	struct msg_flows *m = &question->flows;
	uint64_t limit = LIMIT_DEFAULT;
	struct addr_range r;
	bool stray;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (!take(&t->parameters[i], m))
			return false;
	target_number(t, "limit", &limit);
	if (limit == 0 || limit > LIMIT_MAX)
		return false;
	m->most = (uint32_t)limit;
	return host == NULL || prefix_parse(host->text, &r, &stray) || stray;
}

static int by_conduit(const void *pa, const void *pb)
{
	static const char *const keys[] = { "conduit", "server", "client" };
	const json_t *a = *(const json_t *const *)pa, *b = *(const json_t *const *)pb;
	int c = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && c == 0; i++)
		c = strcmp(js(a, keys[i]), js(b, keys[i]));
	return c;
}

static char *sorted(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *all = json_loadb(json, n, 0, NULL), *list = json_object_get(all, "flows"), *inorder = json_array();
	size_t rows = json_array_size(list);
	json_t **row = json_is_array(list) ? calloc(rows + 1, sizeof(json_t *)) : NULL;
	unsigned long long matching = ju(all, "matching");
	char *text = NULL;

	(void)t;
	if (row != NULL) {
		for (size_t i = 0; i < rows; i++)
			row[i] = json_array_get(list, i);
		qsort(row, rows, sizeof(json_t *), by_conduit);
		for (size_t i = 0; i < rows; i++)
			json_array_append(inorder, row[i]);
		json_object_set(all, "flows", inorder);
		json_object_set_new(all, "left_off", json_integer((json_int_t)(matching > rows ? matching - rows : 0)));
		text = json_dumps(all, JSON_COMPACT);
	}
	if (text != NULL)
		*ret_n = strlen(text);
	free(row);
	json_decref(inorder);
	json_decref(all);
	return text;
}

const struct route route_flows = { "/api/v1/flows", MSG_FLOWS, ask,
				   &(const struct route_form){ "application/json", sorted, NULL }, RIGHT_READ_EVENTS };
