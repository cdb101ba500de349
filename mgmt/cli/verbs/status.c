/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho status`: the first line tells whether the box enforces and, if not fully, what is wrong.
 * The rest gives details: a line for each subject, or with --all a list. The exit status follows
 * the first line.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/verbs/overview.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/stand.h"

#define ANSWERS_SHOWN 4u /* ranges of an interface; `effective` shows all */

/* Packets, and how many of them were lost. */
static void counter_cell(struct table *t, const json_t *counters)
{
	unsigned long long bad = ju(counters, "errors") + ju(counters, "dropped");

	if (counters == NULL)
		table_cell(t, "-");
	else if (bad > 0)
		table_cellf(t, "%llu (-%llu)", ju(counters, "packets"), bad);
	else
		table_cellf(t, "%llu", ju(counters, "packets"));
}

/* Printed below the zone, because that column has room. */
static void address_rows(struct table *t, const json_t *addresses, size_t columns)
{
	for (size_t k = 0; k < json_array_size(addresses); k++) {
		for (size_t column = 0; column < columns; column++)
			table_cell(t, column == 2 ? json_string_value(json_array_get(addresses, k)) : "");
	}
}

static void interfaces(struct cli *c, const json_t *status, const json_t *row)
{
	const json_t *list = ja(status, "interfaces");
	static const enum message heads[] = { M_COL_INTERFACE, M_COL_DEVICE,   M_COL_ZONE,
					      M_COL_LINK,      M_COL_RECEIVED, M_COL_SENT };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 2, c->lang, heads);

	table_wrap(t);
	table_right(t, 4);
	table_right(t, 5);
	json_each(x, list) {
		const json_t *addresses = ja(x, "addresses");
		char zones[RENDER_TEXT];

		faults_zones(x, c->lang, zones, sizeof(zones));
		table_cell(t, js(x, "name"));
		table_cell(t, js(x, "device"));
		table_cell(t, zones);
		table_cell(t, word_text("link", js(x, "link"), c->lang));
		counter_cell(t, ja(x, "rx"));
		counter_cell(t, ja(x, "tx"));
		address_rows(t, addresses, sizeof(heads) / sizeof(heads[0]));
	}
	if (table_rows(t) > 0)
		message_print(c->out, c->lang, M_STATUS_INTERFACES);
	(void)table_end(t, c->out, c->color);
	answers_print(c, list, "name", ANSWERS_SHOWN);
	reach_line(c, json_object_get(status, "reach"));
}

static void drops(struct cli *c, const json_t *status, const json_t *row)
{
	static const struct answer_row rows[] = {
#define ROWS_STATUS_DROPS
#include "mgmt/cli/verbs/status.def"
	};
	json_t *reasons =
		json_pack("{s:o, s:o}", "refused", refused_list(status, false), "unjudged", refused_list(status, true));

	answer_print(c, rows, reasons);
	json_decref(reasons);
}

/* A row for each certificate; the file's state is in the first one. */
static void certificate_rows(struct cli *c, struct table *t, const json_t *file)
{
	const json_t *list = ja(file, "list");
	char state[CERTIFICATE_TEXT];

	for (size_t i = 0; i == 0 || i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		table_cell(t, i == 0 ? word_text("certificate_use", js(file, "use"), c->lang) : "");
		table_cell(t, x != NULL ? js(x, "subject") : "-");
		table_time(t, js(x, "until"), x != NULL ? "" : "-");
		table_cell(t, i == 0 ? certificate_state(file, c->lang, state) : "");
	}
}

static void certificates(struct cli *c, const json_t *status, const json_t *row)
{
	const json_t *list = ja(status, "certificates");
	static const enum message heads[] = { M_COL_CERTIFICATE_USE, M_COL_CERTIFICATE_SUBJECT, M_COL_CERTIFICATE_UNTIL,
					      M_COL_STATE };
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 2, c->lang, heads);

	table_wrap(t);
	for (size_t i = 0; i < json_array_size(list); i++)
		certificate_rows(c, t, json_array_get(list, i));
	if (table_rows(t) > 0)
		message_print(c->out, c->lang, M_STATUS_CERTIFICATES);
	(void)table_end(t, c->out, c->color);
}

/* A cache that could be used, and for what: only workers of commands lend. */
static void cache_line(struct cli *c, const json_t *status, const json_t *row)
{
	if (json_find(ja(status, "workers"), "kind", lane_kind_words[LANE_COMMANDS]) != NULL)
		render_line(c, M_STATUS_CACHE_WORKERS);
}

static const struct answer_row all[] = {
#define ROWS_STATUS_ALL
#include "mgmt/cli/verbs/status.def"
};

/* The state without a daemon. The box then never counts as enforcing properly. */
static int standing(struct cli *c)
{
	struct box_answer answer;
	int status;

	if (!alone_request(c, "status", &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		alone_headline(c, answer.json);
		interfaces(c, answer.json, answer.json);
		if (json_object_get(answer.json, "kernel") != NULL)
			drops(c, answer.json, answer.json);
	}
	box_answer_free(&answer);
	return status;
}

int verb_status(struct cli *c, const struct cli_args *a)
{
	struct box_answer answer;
	json_t *faults, *alarms;
	enum stand stand;
	int status;

	if (alone_wanted(c))
		return standing(c);
	if (!box_status(c, &answer, &status))
		return status;
	faults = faults_find(answer.json, c->lang);
	alarms = alarms_find(answer.json);
	stand = stand_of(answer.json, faults, alarms);
	if (!box_answer_done(c, &answer, &status)) {
		if (a->values[OPT_STATUS_ALL] == NULL) {
			overview_screen(c, answer.json, faults, alarms, stand);
		} else {
			overview_headline(c, answer.json, faults, alarms, stand);
			overview_file(c);
			answer_print(c, all, answer.json);
		}
	}
	if (status == CLI_YES && stand < STAND_WAITING)
		status = CLI_NO;
	json_decref(alarms);
	json_decref(faults);
	box_answer_free(&answer);
	return status;
}
