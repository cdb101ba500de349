/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes about the rules.
 *
 * /api/v1/effective: the rules as they were read back, or as they were (at=SECONDS since 1970)
 *
 * /api/v1/rules: the same, and for each row of commands its words in both languages (in full, and
 * short as in maps), and for each grant the classes of its commands
 *
 * /api/v1/picture?lang=ja|en: the same, as drawn by `sekisho effective --picture`. With
 * flows=it|ot|all: data flows as in `sekisho register flows --to svg`.
 *
 * /api/v1/ask: the answer of `sekisho ask`, by the policy in force. Parameters: `from` and `to`
 * (zones, assets, labels, groups or addresses; with one of them the answer of `who-can` or
 * `reach`); `service`, `command`, `address` (KEY=ADDRESS) and `value` as in `sekisho ask`; `at`
 * (seconds since 1970; without it: now). A past moment is answered by the policy that was in
 * force then.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/picture/picture.h"
#include "mgmt/state/read.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/words/command.h"

#define AT_MOST (UINT64_MAX / 1000000000u)

/* ---- the rules, with the words of their rows ------------------------------------------------- */

/* Reads `at`, the moment whose rules are wanted. */
static bool effective_at(const struct target *t, struct msg_body *question)
{
	return target_find(t, "at") == NULL ||
	       (target_number(t, "at", &question->effective.at) && question->effective.at > 0);
}

bool ask_rules(const struct target *t, struct msg_body *question)
{
	return t->n_parameters == (target_find(t, "at") != NULL) && effective_at(t, question);
}

typedef void words_of(FILE *to, const json_t *row, enum protocol p, enum lang l);

static bool add_words(json_t *row, const char *key, words_of *words, enum protocol p, enum lang l)
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
	bool whole = true;

	json_each(grant, json_object_get(permit, "grants")) {
		enum protocol p = protocol_by_name(js(grant, "protocol"));

		whole = whole && json_object_set_new(grant, "commands", grant_commands(grant)) == 0;
		json_each(row, json_object_get(grant, "rows"))
			whole = whole && add_words(row, "en", row_text, p, LANG_EN) &&
				add_words(row, "ja", row_text, p, LANG_JA) &&
				add_words(row, "short_en", row_groups, p, LANG_EN) &&
				add_words(row, "short_ja", row_groups, p, LANG_JA);
	}
	return whole;
}

static json_t *with_words(const struct asked *a, json_t *effective)
{
	bool whole = true;

	json_each(permit, json_object_get(effective, "permits"))
		whole = whole && say_rows(permit);
	return whole ? json_incref(effective) : NULL;
}

const struct route_form form_rules = { "application/json", RULES_MOST, with_words, NULL };

/* ---- the picture ----------------------------------------------------------------------------- */

bool ask_picture(const struct target *t, struct msg_body *question)
{
	static const char *const langs[] = { "ja", "en", NULL }, *const flows[] = { "it", "ot", "all", NULL };
	size_t n = target_find(t, "at") != NULL;

	return target_is_one_of(t, "lang", langs, &n) && target_is_one_of(t, "flows", flows, &n) &&
	       t->n_parameters == n && effective_at(t, question);
}

static char *drawn_flows(const struct asked *a, json_t *effective)
{
	const char *flows = target_text(a->t, "flows");
	enum flow_part part = strcmp(flows, "it") == 0 ? FLOW_IT : strcmp(flows, "ot") == 0 ? FLOW_OT : FLOW_ALL;
	enum lang l = strcmp(target_text(a->t, "lang"), "en") == 0 ? LANG_EN : LANG_JA;

	return *flows != '\0' ? picture_flows(effective, part, l) : picture_svg(effective, l);
}

const struct route_form form_picture = { "image/svg+xml", RULES_MOST, NULL, drawn_flows };

/* ---- who may do what to whom ----------------------------------------------------------------- */

static bool take_parameter(const struct target_parameter *p, struct msg_ask *m)
{
	const struct {
		const char *key;
		uint8_t *to;
	} words[] = { { "from", m->from },	 { "to", m->whom },	    { "service", m->service },
		      { "command", m->command }, { "address", m->address }, { "value", m->value } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(p->key, words[i].key) == 0) {
			memcpy(words[i].to, p->text, strlen(p->text));
			return true;
		}
	m->at = p->value;
	return strcmp(p->key, "at") == 0 && p->number && p->value > 0 && p->value <= AT_MOST;
}

bool ask_ask(const struct target *t, struct msg_body *question)
{
	struct msg_ask *m = &question->ask;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (!take_parameter(&t->parameters[i], m))
			return false;
	return m->from[0] != 0 || m->whom[0] != 0;
}
