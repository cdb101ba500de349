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
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/alarms.h"

enum { OPT_REHEARSE, OPT_REASON, OPT_ISOLATE_N, OPT_STAGE = OPT_ISOLATE_N, OPT_N };

#define COMMON_OPTIONS                                                                                                 \
	[OPT_REHEARSE] = { "--rehearse", 0, NULL, M_ISOLATE_OPT_REHEARSE }, [OPT_REASON] = { "--reason", 0, "TEXT",    \
											     M_ISOLATE_OPT_REASON }

const struct cli_option options_isolate[OPT_ISOLATE_N + 1] = { COMMON_OPTIONS };
const struct cli_option options_rejoin[OPT_N + 1] = {
	COMMON_OPTIONS,
	[OPT_STAGE] = { "--stage", 0, "reads", M_REJOIN_OPT_STAGE },
};

/* "what reads, plc-read": as many conduits as there is room for. */
static void goes_on(struct cli *c, const json_t *o, char *out, size_t size)
{
	const json_t *keep = ja(o, "keep");
	size_t at = 0;

	out[0] = '\0';
	if (js(o, "stage")[0] != '\0')
		at = (size_t)snprintf(out, size, "%s", message_format(M_ISOLATE_STAGE_READS, c->lang));
	for (size_t i = 0; i < json_array_size(keep) && at + 1 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "",
				       json_string_value(json_array_get(keep, i)));
	if (at >= size)
		memcpy(out + size - 4, "...", 4);
}

static void list(struct cli *c, const json_t *isolations)
{
	static const enum message heads[] = { M_ISOLATE_COL_WHAT, M_ISOLATE_COL_SINCE, M_ISOLATE_COL_BY,
					      M_ISOLATE_COL_STAGE, M_ISOLATE_COL_REASON };
	struct table *t = table_headed(5, 0, c->lang, heads);

	table_wrap(t);
	json_each(o, isolations) {
		char on[RENDER_TEXT];

		table_cell(t, js(o, "what"));
		table_time(t, js(o, "since"), "");
		table_cell(t, js(o, "by"));
		goes_on(c, o, on, sizeof(on));
		table_cell(t, on);
		table_cell(t, js(o, "reason"));
	}
	if (!table_end(t, c->out, c->color))
		message_print(c->out, c->lang, M_ISOLATE_NONE);
}

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

static void tell_touched(struct cli *c, const json_t *j)
{
	const json_t *conduits = ja(j, "conduits"), *assets = ja(j, "assets"), *breaks = ja(j, "breaks");

	render_line(c, M_ISOLATE_SESSIONS, ju(j, "sessions"));
	for (size_t i = 0; i < json_array_size(conduits); i++) {
		const char *name = json_string_value(json_array_get(conduits, i));

		render_line(c, M_ISOLATE_CONDUIT, name, ju(json_object_get(j, "by_conduit"), name));
	}
	for (size_t i = 0; i < json_array_size(assets); i++)
		render_line(c, M_ISOLATE_ASSET, js(json_array_get(assets, i), "name"),
			    js(json_array_get(assets, i), "label"));
	for (size_t i = 0; i < json_array_size(breaks); i++)
		render_line(c, M_ISOLATE_BREAKS, json_string_value(json_array_get(breaks, i)));
}

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
		tell_touched(c, j);
	if (json_is_false(json_object_get(j, "saved")))
		render_line(c, M_ISOLATE_UNSAVED);
	list(c, ja(j, "isolations"));
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
	return at > 0 && utf8_is_plain(bytes_of((const uint8_t *)out, at));
}

static int ordered(struct cli *c, const struct cli_args *a, uint8_t order)
{
	const char *reason = a->values[OPT_REASON] != NULL ? a->values[OPT_REASON] : "";
	char object[ISOLATE_OBJECT];
	int status = CLI_INVALID;

	if (!object_of(a, object))
		return cli_fail(c, CLI_INVALID, M_ISOLATE_WORDS);
	if (!apply_comment_good(c, reason, &status))
		return status;
	return ask(c, order, a->values[OPT_REHEARSE] != NULL ? APPLY_DRY_RUN : 0, object, reason);
}

int verb_isolate(struct cli *c, const struct cli_args *a)
{
	return ordered(c, a, CHANGE_ISOLATE);
}

int verb_rejoin(struct cli *c, const struct cli_args *a)
{
	const char *stage = a->values[OPT_STAGE];

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
		list(c, ja(answer.json, "isolations"));
	if (status != CLI_CANNOT)
		status = json_array_size(ja(answer.json, "isolations")) == 0 ? CLI_YES : CLI_NO;
	box_answer_free(&answer);
	return status;
}
