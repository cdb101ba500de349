/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/command.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/notation.h"
#include "mgmt/state/read.h"

const struct vocabulary *command_words(const json_t *o)
{
	return vocabulary_of(protocol_by_name(js(o, "protocol")));
}

unsigned command_targets(FILE *to, const json_t *o, const struct vocabulary *v, const char *before, enum lang l)
{
	unsigned n = 0;

	for (unsigned i = 0; v != NULL && i < v->n_targets; i++) {
		const struct target_info *t = &v->targets[i];
		struct notation form = notation_of_target(t);
		uint64_t number = ju(o, t->one);
		const struct target_word *word;
		char text[NOTATION_TEXT];

		if (json_object_get(o, t->one) == NULL || (t->usual_known && number == t->usual))
			continue;
		notation_text(&form, (struct number_range){ number, number }, text);
		fputs(before, to);
		word = target_word(t, number);
		message_print(to, l, M_COMMAND_TARGET, l == LANG_JA ? t->ja : t->one,
			      word == NULL   ? text
			      : l == LANG_JA ? word->ja
					     : word->text);
		n++;
	}
	return n;
}

void command_function(FILE *to, const json_t *o, const struct vocabulary *v, enum lang l)
{
	char code[CODE_TEXT];

	if (*js(o, "function_name") != '\0') {
		fputs(js(o, "function_name"), to);
		return;
	}
	code_text(v, ju(o, "function"), code);
	message_print(to, l, M_COMMAND_FUNCTION, code);
}

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
		/* a path stays as in a policy */
		if (dash != NULL && strpbrk(text, ".,") == NULL)
			message_print(to, l, M_LIMIT_RANGE, (int)(dash - text), text, dash + 1);
		else
			fputs(text != NULL ? text : "?", to);
	}
	if (more > 0)
		message_print(to, l, M_LIMIT_MORE, more);
}

/* "units" for its JSON word "unit". */
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
