/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho devices`: devices that were heard beside the box, and which ones a person has
 * accepted. */
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

enum { OPT_NEW, OPT_ACCEPT, OPT_FORGET, OPT_REASON, OPT_BY, OPT_CSV, OPT_N };

const struct cli_option options_devices[OPT_N + 1] = {
	[OPT_NEW] = { "--new", 0, NULL, M_DEVICES_OPT_NEW },
	[OPT_ACCEPT] = { "--accept", 0, "N|all", M_DEVICES_OPT_ACCEPT },
	[OPT_FORGET] = { "--forget", 0, "N|all", M_DEVICES_OPT_FORGET },
	[OPT_REASON] = { "--reason", 0, "TEXT", M_HOLD_OPT_REASON },
	[OPT_BY] = { "--by", 0, "NAME", M_HOLD_OPT_BY },
	[OPT_CSV] = { "--csv", 0, "FILE", M_DEVICES_OPT_CSV },
};

#define CELL 512

/* ---- output for people ----------------------------------------------------------------------- */

static void known_text(const json_t *d, char out[CELL])
{
	char when[RENDER_TEXT];

	snprintf(out, CELL, "-");
	if (*js(d, "reviewed") == '\0')
		return;
	render_time(js(d, "reviewed"), when);
	snprintf(out, CELL, "%s %s: %s", when, js(d, "person"), js(d, "reason"));
}

static void put_row(struct cli *c, struct table *t, const json_t *d)
{
	char text[CELL];

	table_cellf(t, "%llu", ju(d, "number"));
	table_cell(t, word_text("device", js(d, "state"), c->lang));
	if (jb(d, "mac_chosen")) {
		message_text(text, sizeof(text), c->lang, M_DEVICE_CHOSEN, js(d, "mac"));
		table_cell(t, text);
	} else {
		table_cell(t, js(d, "mac"));
	}
	json_joined(ja(d, "addresses"), " ", text, sizeof(text));
	table_cell(t, *text != '\0' ? text : "-");
	snprintf(text, sizeof(text), *js(d, "zone") != '\0' ? "%s (%s)" : "%s", js(d, "interface"), js(d, "zone"));
	table_cell(t, text);
	table_time(t, js(d, "first"), "-");
	table_time(t, js(d, "last"), "-");
	known_text(d, text);
	table_cell(t, text);
}

static bool is_new(const json_t *d)
{
	return !js_is(d, "state", "known");
}

static void print_list(struct cli *c, const json_t *answer, bool only_new)
{
	static const enum message heads[] = { M_COL_NUMBER, M_COL_STATE,       M_COL_MAC,	 M_COL_ADDRESSES,
					      M_COL_PLACE,  M_COL_HEARD_FIRST, M_COL_HEARD_LAST, M_COL_KNOWN_BY };
	const json_t *list = ja(answer, "devices");
	const enum message *anew = word_message("devices", js(answer, "anew"));
	struct table *t = table_headed(sizeof(heads) / sizeof(heads[0]), 0, c->lang, heads);

	table_right(t, 0);
	table_wrap(t);
	json_each(d, list)
		if (!only_new || is_new(d))
			put_row(c, t, d);
	if (!table_end(t, c->out, c->color))
		render_line(c, M_DEVICES_NONE);
	if (anew != NULL)
		render_line(c, *anew);
	if (jb(answer, "learning"))
		render_line(c, M_DEVICES_LEARNING);
	if (ju(answer, "beyond") > 0)
		render_line(c, M_DEVICES_BEYOND, ju(answer, "beyond"));
}

/* ---- output for spreadsheets ----------------------------------------------------------------- */

struct listed {
	struct cli *c;
	const json_t *list;
	bool only_new;
};

static bool csv_rows(FILE *to, void *ctx)
{
	const struct listed *l = ctx;
	static const enum message heads[] = { M_COL_NUMBER,	 M_COL_STATE,		M_COL_MAC,
					      M_COL_ADDRESSES,	 M_COL_INTERFACE_ALONE, M_COL_ZONE_ALONE,
					      M_COL_HEARD_FIRST, M_COL_HEARD_LAST,	M_COL_REVIEWED,
					      M_COL_HOLD_PERSON, M_COL_HOLD_BY,		M_COL_HOLD_REASON };
	static const char *const keys[] = { "mac",  NULL,	"interface", "zone", "first",
					    "last", "reviewed", "person",    "by",   "reason" };
	size_t n = sizeof(heads) / sizeof(heads[0]), i;
	bool sound = true;
	char text[CELL];

	for (i = 0; i < n; i++)
		sound = csv_cell(to, message_format(heads[i], l->c->lang), i == n - 1) && sound;
	json_each(d, l->list) {
		if (l->only_new && !is_new(d))
			continue;
		snprintf(text, sizeof(text), "%llu", ju(d, "number"));
		sound = csv_cell(to, text, false) &&
			csv_cell(to, word_text("device", js(d, "state"), l->c->lang), false) && sound;
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			json_joined(ja(d, "addresses"), " ", text, sizeof(text));
			sound = csv_cell(to, keys[k] != NULL ? js(d, keys[k]) : text,
					 k == sizeof(keys) / sizeof(keys[0]) - 1) &&
				sound;
		}
	}
	return sound;
}

static int write_csv(struct cli *c, const json_t *answer, const char *file, bool only_new)
{
	int code = csv_file(file, csv_rows, &(struct listed){ c, ja(answer, "devices"), only_new });

	return code == 0 ? CLI_YES : cli_fail(c, CLI_CANNOT, M_DEVICES_FILE, file, strerror(code));
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int show(struct cli *c, const struct cli_args *a, const json_t *answer)
{
	if (a->values[OPT_CSV] != NULL)
		return write_csv(c, answer, a->values[OPT_CSV], a->values[OPT_NEW] != NULL);
	print_list(c, answer, a->values[OPT_NEW] != NULL);
	return CLI_YES;
}

/* *ret: the box's answer, owned by the caller. False: the verb ends with *ret_status. */
static bool ask(struct cli *c, const struct msg_devices *order, struct box_answer *ret, int *ret_status)
{
	const struct msg_body question = { MSG_DEVICES, .devices = *order };

	return box_ask(c, &question, ret, ret_status);
}

/* "all" means the devices listed now: nobody has seen later ones. */
static int take_which(struct cli *c, const char *which, struct msg_devices *order)
{
	struct box_answer answer;
	unsigned long long number;
	int status = CLI_YES;

	if (strcmp(which, "all") != 0) {
		if (!cli_number(which, UINT32_MAX, &number) || number == 0)
			return cli_fail(c, CLI_INVALID, M_DEVICES_NUMBER, which);
		order->number = (uint32_t)number;
		return CLI_YES;
	}
	if (!ask(c, &(struct msg_devices){ .order = DEVICES_LIST, .reason = "" }, &answer, &status))
		return status;
	order->all = 1;
	order->number = (uint32_t)ju(answer.json, "last");
	box_answer_free(&answer);
	return CLI_YES;
}

int verb_devices(struct cli *c, const struct cli_args *a)
{
	const char *accept = a->values[OPT_ACCEPT], *forget = a->values[OPT_FORGET];
	struct msg_devices order = { .order = accept != NULL   ? DEVICES_ACCEPT
					      : forget != NULL ? DEVICES_FORGET
							       : DEVICES_LIST,
				     .reason = "" };
	struct box_answer answer;
	int status;

	if ((accept != NULL) + (forget != NULL) + (a->values[OPT_CSV] != NULL) > 1)
		return cli_fail(c, CLI_INVALID, M_DEVICES_ONE);
	if (order.order != DEVICES_LIST) {
		status = box_order_words(c, a->values[OPT_REASON], a->values[OPT_BY], &order.reason,
					 (char *)order.person);
		if (status == CLI_YES)
			status = take_which(c, accept != NULL ? accept : forget, &order);
		if (status != CLI_YES)
			return status;
	}
	if (!ask(c, &order, &answer, &status))
		return status;
	if (c->json && a->values[OPT_CSV] != NULL) {
		status = show(c, a, answer.json);
	} else if (!box_journal_done(c, &answer, &status)) {
		if (order.order != DEVICES_LIST)
			render_line(c, accept != NULL ? M_DEVICES_ACCEPTED : M_DEVICES_FORGOTTEN,
				    ju(answer.json, "done"));
		status = show(c, a, answer.json);
	}
	box_answer_free(&answer);
	return status;
}
