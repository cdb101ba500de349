/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/named.h"

#include <fnmatch.h>
#include <string.h>

const char *named_host(const struct model *m, const char *zone, const struct addr *host)
{
	for (size_t i = 0; m != NULL && i < m->n_assets; i++) {
		const struct model_asset *a = &m->assets[i];

		if (a->n_ranges == 1 && addr_cmp(&a->ranges[0].lo, host) == 0 &&
		    addr_cmp(&a->ranges[0].hi, host) == 0 && strcmp(a->zone->name, zone) == 0)
			return a->name;
	}
	return NULL;
}

/* The policy was checked: groups are not circular, and only '*' is special in a pattern. */
static bool holds(const struct ast_node *groups, const struct ast_node *group, const char *asset)
{
	for (const struct ast_node *word = group->child; word != NULL; word = word->next) {
		const struct ast_node *inner = groups->child;

		while (inner != NULL && strcmp(inner->name, word->string) != 0)
			inner = inner->next;
		if (inner != NULL ? holds(groups, inner, asset) : fnmatch(word->string, asset, 0) == 0)
			return true;
	}
	return false;
}

const char *named_group(const struct model *m, const struct ast_node *groups, const char *const *assets, size_t n)
{
	for (const struct ast_node *g = groups != NULL ? groups->child : NULL; g != NULL; g = g->next) {
		size_t all = 0, meant = 0;

		for (size_t i = 0; i < n && meant == i; i++)
			meant += holds(groups, g, assets[i]);
		for (size_t i = 0; meant == n && i < m->n_assets; i++)
			all += holds(groups, g, m->assets[i].name);
		if (meant == n && all == n)
			return g->name;
	}
	return NULL;
}
