/* SPDX-License-Identifier: Apache-2.0 */
/* The list of routes, the simple questions of some of them, and how answers are changed. */
#include "mgmt/web/api/routes.h"

#include <stdlib.h>
#include <string.h>

/* ---- questions without a parameter, or with one ---------------------------------------------- */

/* Alarms of attacks, and who has acknowledged them. An acknowledgement is an order of
 * /api/v1/records. */
static bool ask_attacks(const struct target *t, struct msg_body *question)
{
	question->attacks = (struct msg_attacks){ .order = ATTACKS_LIST, .reason = "" };
	return t->n_parameters == 0;
}

/* The register of devices: those heard beside the box, and who has accepted them
 * (/api/v1/records). */
static bool ask_devices(const struct target *t, struct msg_body *question)
{
	question->devices = (struct msg_devices){ .order = DEVICES_LIST, .reason = "" };
	return t->n_parameters == 0;
}

/* Parses "-18000". */
static bool seconds_east(const char *text, int64_t *ret)
{
	bool west = *text == '-';
	size_t n = strspn(text + west, "0123456789");

	if (n == 0 || n > 5 || text[west + n] != 0)
		return false;
	*ret = strtol(text, NULL, 10);
	return *ret >= -(int64_t)TRENDS_EAST && *ret <= (int64_t)TRENDS_EAST;
}

/* by=hour: the last two weeks; by=day: 400 days, each from midnight at `east` seconds east of
 * Greenwich. */
static bool ask_trends(const struct target *t, struct msg_body *question)
{
	const struct target_parameter *by = target_find(t, "by"), *east = target_find(t, "east");
	bool days = by != NULL && strcmp(by->text, "day") == 0;
	int64_t seconds = 0;

	if (by == NULL || (!days && strcmp(by->text, "hour") != 0) || t->n_parameters != 1u + (east != NULL) ||
	    (east != NULL && !seconds_east(east->text, &seconds)))
		return false;
	question->trends = (struct msg_trends){ .days = days, .east_s = (uint32_t)(seconds + TRENDS_EAST) };
	return true;
}

static bool ask_tokens(const struct target *t, struct msg_body *question)
{
	question->reg.tokens = 1;
	return t->n_parameters == 0;
}

/* texts=0: the state alone, for repeated questions. */
static bool ask_draft(const struct target *t, struct msg_body *question)
{
	uint64_t texts = 1;

	if (t->n_parameters > 1 || (t->n_parameters == 1 && (!target_number(t, "texts", &texts) || texts > 1)))
		return false;
	question->draft.texts = (uint8_t)texts;
	return true;
}

/* Without a number: the policy in force. */
static bool ask_policy(const struct target *t, struct msg_body *question)
{
	return t->n_parameters == 0 ||
	       (t->n_parameters == 1 && target_number(t, "generation", &question->show.number) &&
		question->show.number <= INT64_MAX);
}

/* Updates while the page is open; flow=1: also the rules' counters. mgmt/web/live.c asks the box
 * for them. */
static bool ask_live(const struct target *t, struct msg_body *question)
{
	uint64_t flow = 1;

	return t->n_parameters == 0 || (t->n_parameters == 1 && target_number(t, "flow", &flow) && flow == 1);
}

/* of=controls|self-check, form=json|html|csv, lang=ja|en. The question is the first of several. */
static bool ask_report(const struct target *t, struct msg_body *question)
{
	static const char *const of[] = { "controls", "self-check", NULL },
				 *const forms[] = { "json", "html", "csv", NULL },
				 *const langs[] = { "ja", "en", NULL };
	size_t n = 0;

	return target_is_one_of(t, "of", of, &n) && n == 1 && target_is_one_of(t, "form", forms, &n) &&
	       target_is_one_of(t, "lang", langs, &n) && t->n_parameters == n;
}

/* For routes without parameters, and without further fields in the question. */
static bool ask_plain(const struct target *t, struct msg_body *question)
{
	return t->n_parameters == 0;
}

/* ---- the list -------------------------------------------------------------------------------- */

static const struct route routes[] = {
	{ "/api/v1/status", MSG_STATUS, ask_plain, RIGHT_READ_STATE, NULL, ROUTE_ANSWER },
	{ "/api/v1/state", MSG_STATUS, ask_plain, RIGHT_READ_STATE, &form_state, ROUTE_ANSWER },
	{ "/metrics", MSG_STATUS, ask_plain, RIGHT_READ_STATE, &form_metrics, ROUTE_ANSWER },
	{ "/api/v1/live", MSG_STATUS, ask_live, RIGHT_READ_STATE, NULL, ROUTE_STREAM },
	{ "/api/v1/display", MSG_STATUS, ask_plain, RIGHT_WATCH, NULL, ROUTE_STREAM },
	{ "/api/v1/trends", MSG_TRENDS, ask_trends, RIGHT_READ_STATE, NULL, ROUTE_ANSWER },
	{ "/api/v1/effective", MSG_EFFECTIVE, ask_rules, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
	{ "/api/v1/rules", MSG_EFFECTIVE, ask_rules, RIGHT_READ_RULES, &form_rules, ROUTE_ANSWER },
	{ "/api/v1/picture", MSG_EFFECTIVE, ask_picture, RIGHT_READ_RULES, &form_picture, ROUTE_ANSWER },
	{ GET_ASK, MSG_ASK, ask_ask, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
	{ "/api/v1/report", MSG_STATUS, ask_report, RIGHT_READ_RULES, NULL, ROUTE_REPORT },
	{ "/api/v1/events", MSG_EVENTS, ask_events, RIGHT_READ_EVENTS, NULL, ROUTE_ANSWER },
	{ "/api/v1/why", MSG_EVENTS, ask_events, RIGHT_READ_EVENTS, &form_why, ROUTE_ANSWER },
	{ "/api/v1/night", MSG_EVENTS, ask_night, RIGHT_ISOLATE, &form_why, ROUTE_ANSWER },
	{ "/api/v1/reviews", MSG_EVENTS, ask_reviews, RIGHT_READ_EVENTS, &form_reviews, ROUTE_ANSWER },
	{ "/api/v1/tally", MSG_EVENTS, ask_tally, RIGHT_READ_EVENTS, &form_tally, ROUTE_ANSWER },
	{ "/api/v1/holds", MSG_HOLD, ask_holds, RIGHT_READ_EVENTS, &form_holds, ROUTE_ANSWER },
	{ "/api/v1/attacks", MSG_ATTACKS, ask_attacks, RIGHT_READ_EVENTS, NULL, ROUTE_ANSWER },
	{ "/api/v1/devices", MSG_DEVICES, ask_devices, RIGHT_READ_EVENTS, NULL, ROUTE_ANSWER },
	{ "/api/v1/flows", MSG_FLOWS, ask_flows, RIGHT_READ_EVENTS, &form_flows, ROUTE_ANSWER },
	/* What an auditor asks beside the rules themselves: whether the kernel has them, and who
	 * has an account or a token. */
	{ "/api/v1/verify", MSG_VERIFY, ask_plain, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
	{ "/api/v1/accounts", MSG_REGISTER, ask_plain, RIGHT_READ_ACCOUNTS, NULL, ROUTE_ANSWER },
	{ "/api/v1/tokens", MSG_REGISTER, ask_tokens, RIGHT_READ_ACCOUNTS, NULL, ROUTE_ANSWER },
	/* The policy over time: the draft, the stored generations, and the texts of one. */
	{ "/api/v1/draft", MSG_DRAFT, ask_draft, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
	{ "/api/v1/history", MSG_HISTORY, ask_plain, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
	{ "/api/v1/policy", MSG_SHOW, ask_policy, RIGHT_READ_RULES, NULL, ROUTE_ANSWER },
};

static const char *const posted[] = { POST_LOGIN,   POST_LOGOUT,  POST_CHANGE,	  POST_KEY,
				      POST_RECORDS, POST_ACCOUNT, POST_PASSPHRASE };

const struct route *route_at(size_t i)
{
	return i < sizeof(routes) / sizeof(routes[0]) ? &routes[i] : NULL;
}

const char *route_posted_at(size_t i)
{
	return i < sizeof(posted) / sizeof(posted[0]) ? posted[i] : NULL;
}

bool route_is_posted(const char *path)
{
	for (size_t i = 0; i < sizeof(posted) / sizeof(posted[0]); i++)
		if (strcmp(posted[i], path) == 0)
			return true;
	return false;
}

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

/* ---- answers --------------------------------------------------------------------------------- */

char *route_text(const struct route_form *form, const struct asked *a, const char *json, size_t n, size_t *ret_n)
{
	json_t *answer = form->most == 0 || n <= form->most ? json_loadb(json, n, 0, NULL) : NULL, *made = NULL;
	char *text = NULL;

	if (json_is_object(answer) && form->text != NULL)
		text = form->text(a, answer);
	else if (json_is_object(answer))
		made = form->json(a, answer);
	if (made != NULL)
		text = json_dumps(made, JSON_COMPACT);
	json_decref(made);
	json_decref(answer);
	if (text != NULL)
		*ret_n = strlen(text);
	return text;
}
