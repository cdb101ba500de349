/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/found.h"

#include <stdio.h>
#include <string.h>

#define MORE_BYTES 24u /* for "; +18446744073709551615", NUL included */

json_t *found_new(void)
{
	return json_object();
}

void found_note(json_t *set, const char *text)
{
	json_t *key = json_text(text); /* as text that a key may be */

	if (key != NULL && json_object_size(set) < FOUND_MOST)
		(void)json_object_set_new(set, json_string_value(key), json_true());
	json_decref(key);
}

bool found_has(const json_t *set, const char *text)
{
	json_t *key = json_text(text);
	bool has = key != NULL && json_object_get(set, json_string_value(key)) != NULL;

	json_decref(key);
	return has;
}

size_t found_news(json_t *set, const json_t *before, char *out, size_t size)
{
	size_t n = 0, left = 0, at = 0, room = size - MORE_BYTES;
	const char *text;
	json_t *any;

	out[0] = '\0';
	json_object_foreach(set, text, any)
	{
		if (json_object_get(before, text) != NULL)
			continue;
		/* The first is told whatever its length, cut if need be. */
		if (n++ == 0 || at + strlen("; ") + strlen(text) < room)
			at += (size_t)snprintf(out + at, room - at, "%s%s", at > 0 ? "; " : "", text);
		else
			left++;
		if (at >= room)
			at = room - 1;
	}
	if (left > 0)
		snprintf(out + at, size - at, "; +%zu", left);
	return n;
}
