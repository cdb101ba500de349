/* SPDX-License-Identifier: Apache-2.0 */
/* The list of routes, and the simple ones that only ask the box one question. */
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

	(void)question;
	return t->n_parameters == 0 || (t->n_parameters == 1 && target_number(t, "flow", &flow) && flow == 1);
}

static bool is_said(const struct target *t, const char *key, const char *const words[], size_t *n)
{
	const struct target_parameter *p = target_find(t, key);

	*n += p != NULL;
	while (p != NULL && *words != NULL && strcmp(*words, p->text) != 0)
		words++;
	return p == NULL || *words != NULL;
}

/* of=controls|self-check, form=json|html|csv, lang=ja|en. The question is the first of several. */
static bool ask_report(const struct target *t, struct msg_body *question)
{
	static const char *const of[] = { "controls", "self-check", NULL },
				 *const forms[] = { "json", "html", "csv", NULL },
				 *const langs[] = { "ja", "en", NULL };
	size_t n = 0;

	(void)question;
	return is_said(t, "of", of, &n) && n == 1 && is_said(t, "form", forms, &n) && is_said(t, "lang", langs, &n) &&
	       t->n_parameters == n;
}

static const struct route route_status = { "/api/v1/status", MSG_STATUS, ask_plain, NULL, RIGHT_READ_STATE };
static const struct route route_attacks = { "/api/v1/attacks", MSG_ATTACKS, ask_attacks, NULL, RIGHT_READ_EVENTS };
static const struct route route_devices = { "/api/v1/devices", MSG_DEVICES, ask_devices, NULL, RIGHT_READ_EVENTS };
static const struct route route_trends = { "/api/v1/trends", MSG_TRENDS, ask_trends, NULL, RIGHT_READ_STATE };
const struct route route_live = { "/api/v1/live", MSG_STATUS, ask_live, NULL, RIGHT_READ_STATE };
const struct route route_report = { "/api/v1/report", MSG_STATUS, ask_report, NULL, RIGHT_READ_RULES };
/* What an auditor asks beside the rules themselves: whether the kernel has them, and who has an
 * account or a token. */
static const struct route route_verify = { "/api/v1/verify", MSG_VERIFY, ask_plain, NULL, RIGHT_READ_RULES };
static const struct route route_accounts = { "/api/v1/accounts", MSG_REGISTER, ask_plain, NULL, RIGHT_READ_ACCOUNTS };
static const struct route route_tokens = { "/api/v1/tokens", MSG_REGISTER, ask_tokens, NULL, RIGHT_READ_ACCOUNTS };
/* The policy over time: the draft, the stored generations, and the texts of one. */
static const struct route route_draft = { "/api/v1/draft", MSG_DRAFT, ask_draft, NULL, RIGHT_READ_RULES };
static const struct route route_history = { "/api/v1/history", MSG_HISTORY, ask_plain, NULL, RIGHT_READ_RULES };
static const struct route route_policy = { "/api/v1/policy", MSG_SHOW, ask_policy, NULL, RIGHT_READ_RULES };

/* ---- the list -------------------------------------------------------------------------------- */

static const struct route *const routes[] = {
	&route_status,	&route_state, &route_effective, &route_events,	&route_why,    &route_nearest,	&route_picture,
	&route_metrics, &route_draft, &route_history,	&route_policy,	&route_verify, &route_accounts, &route_tokens,
	&route_live,	&route_rules, &route_holds,	&route_reviews, &route_tally,  &route_devices,	&route_attacks,
	&route_flows,	&route_ask,   &route_trends,	&route_report
};

static const char *const posted[] = { POST_LOGIN,   POST_LOGOUT,  POST_CHANGE,	  POST_KEY,
				      POST_RECORDS, POST_ACCOUNT, POST_PASSPHRASE };

const struct route *route_at(size_t i)
{
	return i < sizeof(routes) / sizeof(routes[0]) ? routes[i] : NULL;
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
		if (strcmp(routes[i]->path, path) == 0)
			return routes[i];
	return NULL;
}
