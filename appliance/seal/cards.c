/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/json_each.h"
#include "appliance/seal/file.h"

json_t *cards_of_box(const json_t *status)
{
	const json_t *interfaces = json_object_get(status, "interfaces");
	json_t *list = json_array(), *seen = json_object();

	json_each(i, interfaces) {
		const json_t *card = json_object_get(i, "card");
		const char *device = text_in(json_is_object(card) ? card : i, "device");

		if (json_object_get(seen, device) != NULL)
			continue;
		json_object_set_new(seen, device, json_true());
		json_array_append_new(
			list, json_pack("{s:o,s:o}", "device", json_text(device), "mac", json_text(text_in(i, "mac"))));
	}
	json_decref(seen);
	return list;
}
