/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/shut_out.h"

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

json_t *shut_out_json(const struct ir *now, const struct ir *next)
{
	bool others = !names_any(now);
	json_t *list;

	if (!names_any(next))
		return NULL;
	list = json_array();
	for (uint32_t i = 0; i < now->n_peers; i++) {
		char text[ADDR_TEXT];

		if (now->peers[i].use != PEER_TERMINAL || names(next, &now->peers[i].address))
			continue;
		addr_text(&now->peers[i].address, text);
		json_array_append_new(list, json_string(text));
	}
	if (others || json_array_size(list) > 0)
		return json_pack("{s:o, s:b}", "terminals", list, "others", (int)others);
	json_decref(list);
	return NULL;
}
