/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/eve/answer.h"

#include <stdlib.h>

#include "appliance/base/json.h"
#include "mgmt/words/eve.h"

/* The record in EVE's form, owned by the caller; NULL: the line is no record, or there is no
 * memory. */
static char *as_eve(const char *line, size_t n)
{
	json_t *record = json_loadb(line, n, 0, NULL), *eve = NULL;
	char *text = NULL;

	if (json_is_integer(json_object_get(record, "seq")))
		eve = event_eve(record);
	if (eve != NULL)
		text = json_dumps(eve, JSON_COMPACT);
	json_decref(eve);
	json_decref(record);
	return text;
}

void eve_answer(const char *line, size_t n, FILE *to)
{
	char *text = as_eve(line, n);
	json_t *reply = text != NULL ? json_pack("{s:s}", "msg", text) : NULL;

	if (reply != NULL)
		json_line(to, reply);
	else
		fputs("{}\n", to);
	free(text);
}
