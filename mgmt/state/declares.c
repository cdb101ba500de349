/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/declares.h"

#include <string.h>

static bool has_names(const json_t *grant)
{
	return json_array_size(ja(grant, "names")) > 0;
}

bool declares_servers(const json_t *permit, const json_t *grant)
{
	const json_t *g;
	size_t i;

	if (!json_is_string(json_object_get(permit, "lane")) || jb(grant, "shadow") || !has_names(grant))
		return false;
	json_array_foreach(ja(permit, "grants"), i, g)
	{
		if (strcmp(js(g, "protocol"), "tls") == 0 && !jb(g, "shadow") && !has_names(g))
			return false;
	}
	return true;
}
