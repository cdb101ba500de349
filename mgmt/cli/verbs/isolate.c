/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho isolate`, `sekisho rejoin`, `sekisho isolations`: cuts traffic, whatever the policy
 * allows, until a person ends the isolation. Root gives these orders as root, everybody else in the
 * name of his account.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/base/utf8.h"
#include "appliance/wire/orders.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/alarms.h"

static const struct answer_row listed[] = {
#define ROWS_ISOLATIONS
#include "mgmt/cli/verbs/answers.def"
};

/* Prints what a person has to check before traffic continues. */
static void checked(struct cli *c, const json_t *j)
{
	struct box_answer answer;
	json_t *alarms = NULL;
	int status;

	if (json_is_integer(json_object_get(j, "verified_s")))
		render_line(c, M_REJOIN_VERIFIED, ju(j, "verified_s"));
	else
		render_line(c, M_REJOIN_UNVERIFIED);
	if (!box_status(c, &answer, &status))
		return;
	if (!box_answer_done(c, &answer, &status))
		alarms = alarms_find(answer.json);
	render_line(c, M_REJOIN_ALARMS, json_array_size(alarms));
	for (size_t i = 0; i < json_array_size(alarms); i++)
		render_line(c, M_REJOIN_ALARM, js(json_array_get(alarms, i), c->lang == LANG_JA ? "ja" : "en"));
	json_decref(alarms);
	box_answer_free(&answer);
}

static void conduits_print(struct cli *c, const json_t *j, const json_t *row)
{
	json_each(name, ja(j, "conduits"))
		render_line(c, M_ISOLATE_CONDUIT, json_string_value(name),
			    ju(json_object_get(j, "by_conduit"), json_string_value(name)));
}

static const struct answer_row touched[] = {
#define ROWS_ISOLATION_TOUCHED
#include "mgmt/cli/verbs/answers.def"
};

static void tell(struct cli *c, uint8_t order, const json_t *j)
{
	if (order != CHANGE_ISOLATE)
		checked(c, j);
	render_line(c,
		    jb(j, "rehearsed")	      ? M_ISOLATE_REHEARSED
		    : order == CHANGE_ISOLATE ? M_ISOLATE_DONE
		    : order == CHANGE_REJOIN  ? M_ISOLATE_REJOINED
					      : M_REJOIN_READS,
		    js(j, "what"));
	if (order != CHANGE_REJOIN || jb(j, "rehearsed"))
		answer_print(c, touched, j);
	if (json_is_false(json_object_get(j, "saved")))
		render_line(c, M_ISOLATE_UNSAVED);
	answer_print(c, listed, j);
}

static int ask(struct cli *c, uint8_t order, uint8_t flags, const char *object, const char *comment)
{
	struct msg_change o = { .order = order, .flags = flags, .comment = comment };
	struct box_answer answer;
	struct msg_body m;
	int status;

	memcpy(o.object, object, strlen(object));
	m = box_change(&o);
	if (!box_ask(c, &m, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status) && jb(answer.json, "done"))
		tell(c, order, answer.json);
	box_answer_free(&answer);
	return status;
}

/* Joins the words: "asset rtg07". */
static bool object_of(const struct cli_args *a, char out[ISOLATE_OBJECT])
{
	size_t at = 0;

	for (size_t i = 0; i < a->n_operands; i++) {
		size_t n = strlen(a->operands[i]);

		if (n == 0 || n + (i > 0) >= ISOLATE_OBJECT - at)
			return false;
		if (i > 0)
			out[at++] = ' ';
		memcpy(out + at, a->operands[i], n);
		at += n;
	}
	out[at] = '\0';
	/* labels and other systems write a MAC address in capitals, or with hyphens */
	for (size_t i = strncmp(out, "mac ", 4) == 0 ? 4 : at; i < at; i++)
		out[i] = out[i] == '-' ? ':' : out[i] >= 'A' && out[i] <= 'F' ? (char)(out[i] + 'a' - 'A') : out[i];
	return at > 0 && utf8_is_plain(bytes_of((const uint8_t *)out, at));
}

static int ordered(struct cli *c, const struct cli_args *a, uint8_t order)
{
	const char *reason = a->values[OPT_ISOLATE_REASON] != NULL ? a->values[OPT_ISOLATE_REASON] : "";
	char object[ISOLATE_OBJECT];
	int status = CLI_INVALID;

	if (!object_of(a, object))
		return cli_fail(c, CLI_INVALID, M_ISOLATE_WORDS);
	if (!apply_comment_good(c, reason, &status))
		return status;
	return ask(c, order, a->values[OPT_ISOLATE_REHEARSE] != NULL ? APPLY_DRY_RUN : 0, object, reason);
}

int verb_isolate(struct cli *c, const struct cli_args *a)
{
	return ordered(c, a, CHANGE_ISOLATE);
}

int verb_rejoin(struct cli *c, const struct cli_args *a)
{
	const char *stage = a->values[OPT_REJOIN_STAGE];

	if (stage != NULL && strcmp(stage, "reads") != 0)
		return cli_fail(c, CLI_INVALID, M_REJOIN_STAGE_WORD);
	return ordered(c, a, stage != NULL ? CHANGE_REJOIN_READS : CHANGE_REJOIN);
}

/* As for `status`: everybody who may see the state of the box may ask this. */
int verb_isolations(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	int status;

	if (!box_status(c, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status))
		answer_print(c, listed, answer.json);
	if (status != CLI_CANNOT)
		status = json_array_size(ja(answer.json, "isolations")) == 0 ? CLI_YES : CLI_NO;
	box_answer_free(&answer);
	return status;
}
