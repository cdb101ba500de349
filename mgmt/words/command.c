/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/command.h"

#include <stdint.h>
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
	const json_t *list = json_object_get(limit, "allowed");
	unsigned long long more = ju(limit, "more");

	if (json_array_size(list) == 0)
		message_print(to, l, M_LIMIT_NOTHING);
	json_each_at(i, range, list) {
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

/* " units = [\"1\"];" */
static void needed_key(FILE *to, const char *key, const char *text)
{
	fprintf(to, " %s = [\"%s\"];", key, text);
}

char *row_needed(const json_t *e)
{
	const struct vocabulary *v = command_words(e);
	const json_t *limit = json_object_get(e, "limit");
	char *ret = NULL, code[CODE_TEXT];
	size_t size;
	FILE *to;

	/* A place that would end its quotes has no row. */
	if (v == NULL || json_object_get(e, "function") == NULL || strpbrk(js(e, "place"), "\"\\\n") != NULL ||
	    (to = open_memstream(&ret, &size)) == NULL)
		return NULL;
	code_text(v, ju(e, "function"), code);
	fputc('{', to);
	needed_key(to, "functions", *js(e, "function_name") != '\0' ? js(e, "function_name") : code);
	for (unsigned i = 0; i < v->n_targets; i++) {
		const struct target_info *t = &v->targets[i];
		struct notation form = notation_of_target(t);
		char text[NOTATION_TEXT];

		if (json_object_get(e, t->one) == NULL)
			continue;
		notation_text(&form, (struct number_range){ ju(e, t->one), ju(e, t->one) }, text);
		needed_key(to, t->key, text);
	}
	if (*js(e, "space") != '\0')
		needed_key(to, js(e, "space"), js(e, "place"));
	if (js_is(limit, "what", "value"))
		fprintf(to, " values = [\"%llu\"];", ju(limit, "wrote"));
	fputs(" }", to);
	return text_closed(to, &ret);
}

/* ---- rows of the effective rules ------------------------------------------------------------- */

#define FUNCTIONS 256u /* most functions of a vocabulary */

/* Whether the row allows anything of a function that it names. A function is left out if the row
 * refuses each of its addresses or values (docs/json.md). */
static bool row_fits(const json_t *row, const struct vocabulary *words, const struct function_info *f)
{
	bool limits = false, touches = f->spaces == 0;
	const char *values = js(row, "values");

	for (unsigned i = 0; i < words->n_spaces; i++) {
		const char *text = js(row, words->spaces[i].key);

		limits = limits || strcmp(text, "any") != 0;
		touches = touches || (*text != '\0' && (f->spaces >> i & 1u) != 0);
	}
	if ((limits && (f->untold & UNTOLD_PLACE) != 0) ||
	    (*values != '\0' && strcmp(values, "any") != 0 && (f->untold & UNTOLD_VALUE) != 0))
		return false;
	return touches;
}

/* Whether the function belongs to this word of a policy: all its classes are wanted, and all
 * servers frame it alike (policy/check/allow.c). */
static bool is_of(const struct function_info *f, unsigned classes)
{
	return (f->classes & ~classes) == 0 && f->framing != FRAMING_APART;
}

/* Reads one entry of a row's functions: a number, or a range such as "404750336-404815871". */
static bool codes(const json_t *one, uint64_t *lo, uint64_t *hi)
{
	const char *text = json_string_value(one);
	char *end;

	*lo = *hi = (uint64_t)json_integer_value(one);
	if (text == NULL)
		return json_is_integer(one) && json_integer_value(one) >= 0;
	*lo = strtoull(text, &end, 10);
	if (end == text || *end != '-')
		return false;
	text = end + 1;
	*hi = strtoull(text, &end, 10);
	return end != text && *end == '\0' && *hi >= *lo;
}

/* The function of all these codes; NULL: they belong to none, or to several. */
static const struct function_info *function_of(const struct vocabulary *words, const json_t *one)
{
	const struct function_info *f;
	uint64_t lo, hi;

	if (words == NULL || !codes(one, &lo, &hi) || hi > UINT32_MAX)
		return NULL;
	f = function_by_code(words, (uint32_t)lo);
	return f != NULL && hi <= f->last ? f : NULL;
}

/* The number of codes of this function that the row has. */
static uint64_t codes_of(const json_t *list, const struct function_info *f)
{
	uint64_t n = 0, lo, hi;

	json_each(one, list) {
		if (!codes(one, &lo, &hi) || hi < f->code || lo > f->last)
			continue;
		n += (hi < f->last ? hi : f->last) - (lo > f->code ? lo : f->code) + 1u;
	}
	return n;
}

/* The words (bits of classes) whose functions are all in the row, and that cover most of its
 * functions. 0 = listing the functions one by one is as short. */
static unsigned group_of(const json_t *row, const struct vocabulary *words)
{
	const json_t *list = ja(row, "functions");
	bool wanted[FUNCTIONS], has[FUNCTIONS];
	unsigned ret = 0;
	size_t most = 1;

	if (words->n_functions > FUNCTIONS)
		return 0;
	for (unsigned i = 0; i < words->n_functions; i++) {
		const struct function_info *f = &words->functions[i];

		has[i] = codes_of(list, f) == (uint64_t)f->last - f->code + 1u;
		wanted[i] = row_fits(row, words, f);
	}
	for (unsigned classes = 1; classes <= CLASS_ALL; classes++) {
		bool all = true;
		size_t n = 0;

		for (unsigned i = 0; i < words->n_functions; i++) {
			if (!is_of(&words->functions[i], classes))
				continue;
			all = all && (has[i] || !wanted[i]);
			n += has[i] && words->functions[i].classes != 0;
		}
		if (all && n > most) {
			most = n;
			ret = classes;
		}
	}
	return ret;
}

/* "all read/write commands" */
static void group_text(FILE *to, unsigned classes, enum lang l)
{
	static const enum message names[] = { M_FLOW_READ, M_FLOW_WRITE, M_FLOW_CONTROL, M_FLOW_PROGRAM,
					      M_FLOW_DIAGNOSE };
	char text[128] = "";
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((classes >> i & 1u) != 0 && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
					      n > 0 ? message_format(M_ROW_AND, l) : "", message_format(names[i], l));
	message_print(to, l, M_ROW_GROUP, text);
}

static bool is_any(const json_t *list, const struct vocabulary *words)
{
	return words != NULL && json_array_size(list) >= words->code_last - words->code_first + 1u;
}

/* "read_coils (1), 90" of a row's function codes. */
static void functions(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l)
{
	const json_t *list = ja(row, "functions");

	if (is_any(list, words)) {
		fputs(message_format(M_EFFECTIVE_ANY_FUNCTION, l), to);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const struct function_info *f = json_is_integer(one) ? function_of(words, one) : NULL;
		char text[CODE_TEXT];

		code_text(words, (uint64_t)json_integer_value(one), text);
		fputs(i > 0 ? ", " : "", to);
		if (json_is_string(one))
			fputs(json_string_value(one), to);
		else if (f != NULL)
			fprintf(to, "%s (%s)", f->name, text);
		else
			fputs(text, to);
	}
}

/* "all read commands, remote_run, 0x09990000" */
static void groups(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l)
{
	const struct function_info *before = NULL, *f;
	unsigned group = words != NULL ? group_of(row, words) : 0;
	const json_t *list = ja(row, "functions");
	bool first = group == 0;
	uint64_t lo, hi;

	if (words == NULL || is_any(list, words)) {
		functions(to, row, words, l);
		return;
	}
	if (group != 0)
		group_text(to, group, l);
	json_each(one, list) {
		char text[CODE_TEXT] = "";

		f = function_of(words, one);
		if (f != NULL && ((group != 0 && is_of(f, group)) || f == before))
			continue;
		before = f;
		fputs(first ? "" : ", ", to);
		first = false;
		if (codes(one, &lo, &hi))
			code_text(words, lo, text);
		if (f == NULL)
			fputs(text, to);
		else if (words->codes_hex)
			fputs(f->name, to);
		else
			fprintf(to, "%s (%s)", f->name, text);
		if (f == NULL && lo < hi) {
			code_text(words, hi, text);
			fprintf(to, "-%s", text);
		}
	}
}

/* Prints "; holding 0-99, no other address". The last words are there because readers need not know
 * that all other addresses are refused. */
static void put_addresses(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l)
{
	unsigned any = 0, named = 0;

	for (unsigned i = 0; i < words->n_spaces; i++)
		any += js_is(row, words->spaces[i].key, "any");
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
static bool row_writes(const json_t *row, const struct vocabulary *words)
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

/* Prints "; units 1-5". Where any value is allowed, a target with a usual number is not printed,
 * because requests mostly mean the connected device itself. */
static void target_text(FILE *to, const json_t *row, const struct target_info *t, enum lang l)
{
	const char *text = js(row, t->key);
	bool any = strcmp(text, "any") == 0;

	if (*text != '\0' && !(any && t->usual_known))
		message_print(to, l, M_EFFECTIVE_TARGET, l == LANG_JA ? t->ja : t->key,
			      any ? message_format(M_EFFECTIVE_ANY, l) : text);
}

static void put_row(FILE *to, const json_t *row, enum protocol p, enum lang l,
		    void (*commands)(FILE *to, const json_t *row, const struct vocabulary *words, enum lang l))
{
	const struct vocabulary *words = vocabulary_of(p);
	bool any;

	commands(to, row, words, l);
	if (words != NULL)
		put_addresses(to, row, words, l);
	for (unsigned i = 0; words != NULL && i < words->n_targets; i++)
		target_text(to, row, &words->targets[i], l);
	any = js_is(row, "values", "any");
	if (*js(row, "values") != '\0' && (!any || row_writes(row, words)))
		message_print(to, l, M_EFFECTIVE_VALUES, any ? message_format(M_EFFECTIVE_ANY, l) : js(row, "values"));
}

void row_text(FILE *to, const json_t *row, enum protocol p, enum lang l)
{
	put_row(to, row, p, l, functions);
}

void row_groups(FILE *to, const json_t *row, enum protocol p, enum lang l)
{
	put_row(to, row, p, l, groups);
}

/* The classes of all functions of the row; a function without a name counts for all classes. */
static unsigned classes_of(const json_t *row, const struct vocabulary *words)
{
	unsigned ret = 0;

	json_each(code, ja(row, "functions")) {
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
	json_t *list;

	if (words == NULL && p != PROTO_ICMP)
		return json_null();
	list = json_array();
	if (words == NULL)
		return list;
	json_each(row, ja(grant, "rows"))
		classes |= classes_of(row, words);
	for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE; bit <<= 1)
		if ((classes & bit) != 0)
			json_array_append_new(list, json_string(command_class_name(bit)));
	return list;
}
