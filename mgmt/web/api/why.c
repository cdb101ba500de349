/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/why: the events of /api/v1/events, each with its sentence in both languages. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/web/api/routes.h"
#include "mgmt/words/sentence.h"

static bool tell(json_t *event, const char *key, enum lang l)
{
	char *sentence = event_sentence(event, l);
	int r = sentence != NULL ? json_object_set_new(event, key, json_text(sentence)) : -1;

	free(sentence);
	return r == 0;
}

static char *in_words(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *all = json_loadb(json, n, 0, NULL), *list = json_object_get(all, "events"), *event;
	bool whole = json_is_array(list);
	char *text = NULL;
	size_t i;

	(void)t;
	json_array_foreach(list, i, event)
	{
		whole = whole && tell(event, "en", LANG_EN) && tell(event, "ja", LANG_JA);
	}
	if (whole)
		text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text != NULL)
		*ret_n = strlen(text);
	return text;
}

const struct route route_why = { "/api/v1/why", MSG_EVENTS, events_ask,
				 &(const struct route_form){ "application/json", in_words, NULL }, RIGHT_READ_EVENTS };
