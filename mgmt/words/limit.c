/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/limit.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/state/read.h"

/* "0 to 1, 5 and 3 more", or "none". */
static void allowed_text(FILE *to, const json_t *limit, enum lang l)
{
	const json_t *list = json_object_get(limit, "allowed"), *range;
	unsigned long long more = ju(limit, "more");
	size_t i;

	if (json_array_size(list) == 0)
		message_print(to, l, M_LIMIT_NOTHING);
	json_array_foreach(list, i, range)
	{
		const char *text = json_string_value(range), *dash = text != NULL ? strchr(text, '-') : NULL;

		if (i > 0)
			message_print(to, l, M_LIMIT_COMMA);
		if (dash != NULL && strpbrk(text, ".,") == NULL) /* a path stays as a policy writes it */
			message_print(to, l, M_LIMIT_RANGE, (int)(dash - text), text, dash + 1);
		else
			fputs(text != NULL ? text : "?", to);
	}
	if (more > 0)
		message_print(to, l, M_LIMIT_MORE, more);
}

/* "units" of its word in JSON, "unit". */
static const char *targets_word(const struct vocabulary *v, const char *what, enum lang l)
{
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++)
		if (strcmp(v->targets[i].one, what) == 0)
			return l == LANG_JA ? v->targets[i].ja : v->targets[i].key;
	return NULL;
}

bool limit_text(FILE *to, const json_t *limit, const struct vocabulary *v, const char *space, enum lang l)
{
	const char *what = json_is_object(limit) ? js(limit, "what") : "";
	char *allowed = NULL;
	size_t size;
	FILE *list;

	if (*what == '\0' || (list = open_memstream(&allowed, &size)) == NULL)
		return false;
	allowed_text(list, limit, l);
	if (fclose(list) == 0) {
		if (strcmp(what, "value") == 0)
			message_print(to, l, M_LIMIT_VALUE, ju(limit, "wrote"), space, js(limit, "place"), allowed);
		else if (strcmp(what, "value_untold") == 0)
			message_print(to, l, M_LIMIT_VALUE_UNTOLD, allowed);
		else if (strcmp(what, "address") == 0)
			message_print(to, l, M_LIMIT_ADDRESS, space, js(limit, "place"), allowed);
		else if (strcmp(what, "address_untold") == 0)
			message_print(to, l, M_LIMIT_ADDRESS_UNTOLD);
		else if (targets_word(v, what, l) != NULL)
			message_print(to, l, M_LIMIT_TARGET, targets_word(v, what, l), allowed);
	}
	free(allowed);
	return true;
}
