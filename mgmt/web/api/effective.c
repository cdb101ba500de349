/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/effective: the rules as they were read back, or as they were (at=SECONDS since 1970).
 * /api/v1/rules: the same, and for each row of commands its words in both languages (in full, and
 * short as in maps), and for each grant the classes of its commands. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/web/api/routes.h"
#include "mgmt/words/row.h"

/* Largest effective rules in bytes. Parsed, they take several times as much memory, and this
 * process is kept small. */
#define EFFECTIVE_MOST (8u << 20)

bool effective_at(const struct target *t, struct msg_body *question)
{
	return target_find(t, "at") == NULL ||
	       (target_number(t, "at", &question->effective.at) && question->effective.at > 0);
}

static bool ask(const struct target *t, struct msg_body *question)
{
	return t->n_parameters == (target_find(t, "at") != NULL) && effective_at(t, question);
}

typedef void words_of(FILE *to, const json_t *row, enum protocol p, enum lang l);

static bool say(json_t *row, const char *key, words_of *words, enum protocol p, enum lang l)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool said = false;

	if (to != NULL) {
		words(to, row, p, l);
		said = fclose(to) == 0 && json_object_set_new(row, key, json_text(text)) == 0;
	}
	free(text);
	return said;
}

static bool say_rows(const json_t *permit)
{
	json_t *grant, *row;
	size_t i, k;
	bool whole = true;

	json_array_foreach(json_object_get(permit, "grants"), i, grant)
	{
		const char *name = json_string_value(json_object_get(grant, "protocol"));
		enum protocol p = protocol_by_name(name != NULL ? name : "");

		whole = whole && json_object_set_new(grant, "commands", grant_commands(grant)) == 0;
		json_array_foreach(json_object_get(grant, "rows"), k, row)
		{
			whole = whole && say(row, "en", row_text, p, LANG_EN) && say(row, "ja", row_text, p, LANG_JA) &&
				say(row, "short_en", row_groups, p, LANG_EN) &&
				say(row, "short_ja", row_groups, p, LANG_JA);
		}
	}
	return whole;
}

static char *in_words(const struct target *t, const char *json, size_t n, size_t *ret_n)
{
	json_t *effective = n <= EFFECTIVE_MOST ? json_loadb(json, n, 0, NULL) : NULL;
	const json_t *permit;
	bool whole = json_is_object(effective);
	char *text = NULL;
	size_t i;

	(void)t;
	json_array_foreach(json_object_get(effective, "permits"), i, permit)
	{
		whole = whole && say_rows(permit);
	}
	if (whole)
		text = json_dumps(effective, JSON_COMPACT);
	json_decref(effective);
	if (text != NULL)
		*ret_n = strlen(text);
	return text;
}

const struct route route_rules = { "/api/v1/rules", MSG_EFFECTIVE, ask,
				   &(const struct route_form){ "application/json", in_words, NULL }, RIGHT_READ_RULES };
const struct route route_effective = { "/api/v1/effective", MSG_EFFECTIVE, ask, NULL, RIGHT_READ_RULES };
