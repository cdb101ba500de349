/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/shut_out_json.h"

#include "appliance/base/addr.h"
#include "appliance/wire/settings.h"

static bool names_any(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_TERMINAL)
			return true;
	return false;
}

static bool names(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_TERMINAL && addr_cmp(&ir->peers[i].address, a) == 0)
			return true;
	return false;
}

/* Whether the management is reached at the box's address `a`; NULL: at any address. */
static bool answers_at(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		for (uint32_t k = 0; ir->interfaces[i].admin && k < ir->interfaces[i].n_addresses; k++)
			if (a == NULL || addr_cmp(&ir->interfaces[i].addresses[k], a) == 0)
				return true;
	return false;
}

static void add(json_t *list, const struct addr *a)
{
	char text[ADDR_TEXT];

	addr_text(a, text);
	json_array_append_new(list, json_string(text));
}

json_t *ir_shut_out_json(const struct ir *now, const struct ir *next)
{
	bool reached = answers_at(now, NULL), nobody = reached && !answers_at(next, NULL);
	bool fewer = reached && (nobody || names_any(next)), others = fewer && !names_any(now);
	json_t *terminals = json_array(), *gone = json_array();

	for (uint32_t i = 0; fewer && i < now->n_peers; i++)
		if (now->peers[i].use == PEER_TERMINAL && (nobody || !names(next, &now->peers[i].address)))
			add(terminals, &now->peers[i].address);
	for (uint32_t i = 0; i < now->n_interfaces; i++)
		for (uint32_t k = 0; now->interfaces[i].admin && k < now->interfaces[i].n_addresses; k++)
			if (!answers_at(next, &now->interfaces[i].addresses[k]))
				add(gone, &now->interfaces[i].addresses[k]);
	if (others || json_array_size(terminals) > 0 || json_array_size(gone) > 0)
		return json_pack("{s:o, s:b, s:o, s:b}", "terminals", terminals, "others", (int)others, "addresses",
				 gone, "nobody", (int)nobody);
	json_decref(terminals);
	json_decref(gone);
	return NULL;
}
