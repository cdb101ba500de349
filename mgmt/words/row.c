/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/row.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "mgmt/state/read.h"

/* "read_coils (1), 90" for a row's function codes. */
static void functions(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l)
{
	const json_t *list = ja(row, "functions");

	if (words != NULL && json_array_size(list) >= words->code_last - words->code_first + 1u) {
		fputs(message_format(M_EFFECTIVE_ANY_FUNCTION, l), to);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		long long code = (long long)json_integer_value(one);
		const struct function_info *f = words != NULL && json_is_integer(one) && code >= 0
							? function_by_code(words, (uint32_t)code)
							: NULL;
		char text[CODE_TEXT];

		code_text(words, (uint64_t)code, text);
		fputs(i > 0 ? ", " : "", to);
		if (json_is_string(one))
			fputs(json_string_value(one), to);
		else if (f != NULL)
			fprintf(to, "%s (%s)", f->name, text);
		else
			fputs(text, to);
	}
}

/* "; holding 0-99, no other address": a space that is not named is closed, which a reader need not
 * know. */
static void addresses(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l)
{
	unsigned any = 0, named = 0;

	for (unsigned i = 0; i < words->n_spaces; i++)
		any += strcmp(js(row, words->spaces[i].key), "any") == 0;
	if (words->n_spaces == 0)
		return;
	if (any == words->n_spaces) {
		fputs(message_format(M_EFFECTIVE_ANY_ADDRESS, l), to);
		return;
	}
	for (unsigned i = 0; i < words->n_spaces; i++)
		if (*js(row, words->spaces[i].key) != '\0')
			fprintf(to, "%s %s %s", named++ > 0 ? "," : ";", words->spaces[i].key,
				js(row, words->spaces[i].key));
	fputs(message_format(M_EFFECTIVE_NO_OTHER, l), to);
}

/* For a row that only reads, "any value" would be meaningless. */
static bool writes(const json_t *row, const struct vocabulary *words)
{
	const json_t *list = ja(row, "functions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		long long code = (long long)json_integer_value(json_array_get(list, i));
		const struct function_info *f =
			words != NULL && code >= 0 ? function_by_code(words, (uint32_t)code) : NULL;

		if (f == NULL || (f->classes & ~(unsigned)(CLASS_READ | CLASS_DIAGNOSE)) != 0)
			return true;
	}
	return false;
}

/* "; units 1-5": an unnamed target means any, which is left out where requests mostly have none. */
static void target_text(FILE *to, const json_t *row, const struct target_info *t, enum lang l)
{
	const char *text = js(row, t->key);
	bool any = strcmp(text, "any") == 0;

	if (*text != '\0' && !(any && t->usual_known))
		message_print(to, l, M_EFFECTIVE_TARGET, l == LANG_JA ? t->ja : t->key,
			      any ? message_format(M_EFFECTIVE_ANY, l) : text);
}

void row_text(FILE *to, const json_t *row, enum protocol p, enum lang l)
{
	const struct vocabulary *words = vocabulary_of(p);
	bool any;

	functions(to, row, words, l);
	if (words != NULL)
		addresses(to, row, words, l);
	for (unsigned i = 0; words != NULL && i < words->n_targets; i++)
		target_text(to, row, &words->targets[i], l);
	any = strcmp(js(row, "values"), "any") == 0;
	if (*js(row, "values") != '\0' && (!any || writes(row, words)))
		message_print(to, l, M_EFFECTIVE_VALUES, any ? message_format(M_EFFECTIVE_ANY, l) : js(row, "values"));
}

/* A code without a name may be anything. */
static unsigned classes_of(const json_t *row, const struct vocabulary *words)
{
	const json_t *code;
	unsigned ret = 0;
	size_t i;

	json_array_foreach(ja(row, "functions"), i, code)
	{
		json_int_t n = json_integer_value(code);
		const struct function_info *f =
			json_is_integer(code) && n >= 0 ? function_by_code(words, (uint32_t)n) : NULL;

		ret |= f != NULL ? f->classes : CLASS_ALL;
	}
	return ret;
}

json_t *grant_commands(const json_t *grant)
{
	enum protocol p = protocol_by_name(js(grant, "protocol"));
	const struct vocabulary *words = vocabulary_of(p);
	unsigned classes = jb(grant, "whole") ? CLASS_ALL : 0;
	const json_t *row;
	json_t *list;
	size_t i;

	if (words == NULL && p != PROTO_ICMP)
		return json_null();
	list = json_array();
	if (words == NULL)
		return list;
	json_array_foreach(ja(grant, "rows"), i, row)
	{
		classes |= classes_of(row, words);
	}
	for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((classes & bit) != 0)
			json_array_append_new(list, json_string(command_class_name(bit)));
	return list;
}
