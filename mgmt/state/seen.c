/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/seen.h"

void seen_free(struct seen *s)
{
	json_decref(s->moments);
	s->moments = NULL;
}

void seen_note(struct seen *s, json_t *alarms, uint64_t wall_ns)
{
	json_t *still = json_object(), *alarm;
	size_t i;

	json_array_foreach(alarms, i, alarm)
	{
		const char *key = json_string_value(json_object_get(alarm, "key"));
		json_t *moment = json_object_get(s->moments, key);

		if (moment != NULL)
			json_incref(moment);
		else
			moment = s->moments != NULL ? json_time(wall_ns) : json_null();
		(void)json_object_set(alarm, "seen", moment);
		(void)json_object_set_new(still, key, moment);
	}
	json_decref(s->moments);
	s->moments = still;
}
