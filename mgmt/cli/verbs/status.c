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
#include "mgmt/cli/words/render.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/stand.h"

#define MEBIBYTE 1048576u
#define MEGABYTE 1000000u
#define ANSWERS_SHOWN 4u /* ranges of an interface; `effective` shows all */

enum { OPT_ALL, OPT_N };

const struct cli_option options_status[OPT_N + 1] = {
	[OPT_ALL] = { "--all", 0, NULL, M_STATUS_OPT_ALL },
};

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

static void interfaces(struct cli *c, const json_t *status)
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

static const char *state_text(const struct cli *c, const json_t *status, const json_t *role)
{
	const char *state = js(role, "state");

	if (strcmp(state, "running") == 0 && stand_silent(status, role))
		return message_format(M_STATUS_SILENT, c->lang);
	return word_text("role", state, c->lang);
}

static void roles(struct cli *c, const json_t *status)
{
	static const enum message heads[] = { M_COL_ROLE, M_COL_STATE, M_COL_PID, M_COL_RESTARTS, M_COL_SINCE };
	const json_t *list = ja(status, "roles");
	struct table *t = table_headed(5, 2, c->lang, heads);

	table_wrap(t);
	table_right(t, 2);
	table_right(t, 3);
	json_each(r, list) {
		char name[RENDER_TEXT];

		table_cell(t, stand_role(r, c->lang, name));
		table_cell(t, state_text(c, status, r));
		table_cellf(t, ju(r, "pid") != 0 ? "%llu" : "-", ju(r, "pid"));
		table_cellf(t, "%llu", ju(r, "restarts"));
		table_time(t, js(r, "since"), "");
	}
	if (table_rows(t) > 0)
		message_print(c->out, c->lang, M_STATUS_ROLES);
	(void)table_end(t, c->out, c->color);
}

/* One row for each reason of a refusal, or of packets that passed unjudged; the others are only in
 * --json. */
static struct table *reasons(struct cli *c, const json_t *status, bool unjudged)
{
	static const enum message heads[] = { M_COL_PACKETS, M_COL_WHO, M_COL_REASON };
	struct table *t = table_headed(3, 2, c->lang, heads);
	json_t *list = refused_list(status, unjudged);

	table_wrap(t);
	table_right(t, 0);
	json_each(r, list) {
		bool kernel = js_is(r, "who", "kernel");

		table_cellf(t, "%llu", ju(r, "packets"));
		table_cell(t, message_format(kernel ? M_WHO_KERNEL : M_WHO_WORKERS, c->lang));
		table_cell(t, render_reason(js(r, "reason"), c->lang));
	}
	json_decref(list);
	return t;
}

static void drops(struct cli *c, const json_t *status)
{
	struct table *refused = reasons(c, status, false), *unjudged = reasons(c, status, true);

	message_print(c->out, c->lang, table_rows(refused) > 0 ? M_STATUS_DROPS : M_STATUS_NO_DROPS);
	(void)table_end(refused, c->out, c->color);
	if (table_rows(unjudged) > 0)
		message_print(c->out, c->lang, M_STATUS_UNJUDGED);
	(void)table_end(unjudged, c->out, c->color);
}

/* Prints the inspection times of the parts that had packets in the last minutes. */
static void latency_lines(struct cli *c, const json_t *worker)
{
	const json_t *list = ja(worker, "latency");

	json_each(x, list)
		if (ju(x, "max_us") > 0)
			render_line(c, M_STATUS_LATENCY, js(x, "criticality"), ju(x, "p50_us"), ju(x, "p99_us"),
				    ju(x, "max_us"));
}

static void inspection(struct cli *c, const json_t *status)
{
	const json_t *workers = ja(status, "workers"), *queues = ja(status, "queues");
	unsigned long long waiting = 0, full = 0;

	if (json_array_size(workers) > 0)
		message_print(c->out, c->lang, M_STATUS_INSPECTION);
	json_each(w, workers) {
		render_line(c, M_STATUS_WORKER, ju(w, "index"), render_kind(js(w, "kind"), c->lang), ju(w, "packets"),
			    ju(w, "dropped"), ju(w, "resets"), ju(w, "flows"), ju(w, "flows_max"));
		latency_lines(c, w);
	}
	for (size_t i = 0; i < json_array_size(queues); i++) {
		waiting += ju(json_array_get(queues, i), "outstanding");
		full += ju(json_array_get(queues, i), "dropped_full") + ju(json_array_get(queues, i), "dropped_user");
	}
	if (json_array_size(queues) > 0)
		render_line(c, M_STATUS_QUEUES, json_array_size(queues), waiting, full);
}

/* How many records the log server has. */
static void log_line(struct cli *c, const json_t *log)
{
	const char *server = js(log, "server");
	char since[RENDER_TEXT];

	if (!json_is_object(log))
		render_line(c, M_STATUS_LOG_NONE);
	else if (!jb(log, "sends"))
		render_line(c, M_STATUS_LOG_SENDS_NONE, server);
	else if (!json_is_integer(json_object_get(log, "waiting")))
		render_line(c, M_STATUS_LOG_UNKNOWN, server);
	else if (ju(log, "waiting") == 0)
		render_line(c, M_STATUS_LOG_ALL, server, ju(log, "last"));
	else {
		render_time(js(log, "since"), since);
		render_line(c, *js(log, "noted") != '\0' ? M_STATUS_LOG_WAITS : M_STATUS_LOG_NEVER, server,
			    ju(log, "waiting"), ju(log, "next"), since);
	}
	if (ju(log, "unsent_before") > 0)
		render_line(c, M_STATUS_LOG_PACKED, ju(log, "unsent_before"));
}

static void ups_state(struct cli *c, const json_t *ups)
{
	const char *name = js(ups, "name"), *server = js(ups, "server"), *state = js(ups, "state");
	const enum message *battery = word_message("ups", state);
	char since[RENDER_TEXT];

	render_time(js(ups, *js(ups, "since") != '\0' ? "since" : "away_since"), since);
	if (strcmp(state, "mains") == 0)
		render_line(c, M_STATUS_UPS_MAINS, name, server);
	if (battery != NULL)
		render_line(c, *battery, name, server, since);
	if (strcmp(state, "away") == 0)
		render_line(c, *since != '\0' ? M_STATUS_UPS_AWAY_SINCE : M_STATUS_UPS_AWAY, name, server, since);
}

/* Printed only if box.cfg names a UPS. */
static void ups_lines(struct cli *c, const json_t *ups)
{
	const json_t *charge = json_object_get(ups, "charge"), *runtime = json_object_get(ups, "runtime");

	if (!json_is_object(ups))
		return;
	ups_state(c, ups);
	if (json_is_integer(charge) && json_is_integer(runtime))
		render_line(c, M_STATUS_UPS_RUNTIME, ju(ups, "charge"), ju(ups, "runtime") / 60);
	else if (json_is_integer(charge))
		render_line(c, M_STATUS_UPS_CHARGE, ju(ups, "charge"));
	if (json_is_false(json_object_get(ups, "counted")))
		render_line(c, M_STATUS_UPS_UNCOUNTED);
	if (js_is(ups, "on_low", "record"))
		render_line(c, M_STATUS_UPS_STAYS);
}

/* Printed only if box.cfg names a receiver of alarms. A failure to send is printed with the
 * faults. */
static void told_line(struct cli *c, enum message m, const json_t *told)
{
	if (json_object_get(told, "waiting") != NULL)
		render_line(c, m, js(told, "server"), ju(told, "waiting"), ju(told, "dropped"));
}

/* Whether roles that read hostile bytes could take memory from those that enforce: a note, because
 * it is no fault. */
static void partition_line(struct cli *c, const json_t *partition)
{
	const json_t *guard = json_object_get(partition, "guard"), *parsers = json_object_get(partition, "parsers");

	if (jb(partition, "stands"))
		render_line(c, M_STATUS_PARTITION, ju(parsers, "memory") / MEBIBYTE, ju(parsers, "most") / MEBIBYTE,
			    ju(parsers, "ended"), ju(guard, "kept") / MEBIBYTE);
	else if (json_is_object(partition))
		render_line(c, M_STATUS_PARTITION_NONE, js(ja(partition, "why"), lang_name(c->lang)));
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

static void certificates(struct cli *c, const json_t *status)
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

/* A silent journal gives no numbers. */
static void disk_lines(struct cli *c, const json_t *journal)
{
	const json_t *disk = ja(journal, "disk");

	if (json_is_null(json_object_get(journal, "disk")))
		render_line(c, M_STATUS_DISK_UNKNOWN);
	if (disk == NULL)
		return;
	render_line(c, M_STATUS_DISK, ju(disk, "used_percent"), ju(disk, "free") / MEGABYTE,
		    ju(disk, "bytes") / MEGABYTE, ju(disk, "records_bytes") / MEGABYTE, ju(journal, "reserve") / 1000);
	if (ju(disk, "full_in_s") > 0)
		render_line(c, M_STATUS_DISK_FULL_IN, (ju(disk, "full_in_s") + 3599) / 3600);
}

/* The box says that it does not use the feature; an older release says nothing. */
static bool unused(const json_t *status, const char *feature)
{
	return json_is_false(json_object_get(ja(ja(status, "features"), feature), "used"));
}

/* Whether the kernel protects the table from others, and if not, whether it could. */
static void table_line(struct cli *c, const json_t *feature)
{
	if (json_is_true(json_object_get(feature, "used")))
		render_line(c, M_STATUS_OWNED_TABLE);
	else if (feature != NULL)
		render_line(c, js_is(feature, "why", "kernel") || js_is(feature, "why", "outlived")
				       ? M_STATUS_NO_OWNED_TABLE
				       : M_STATUS_UNOWNED_TABLE);
}

/* Whether the kernel lets repeated requests pass without a worker. */
static void cache_line(struct cli *c, const json_t *status)
{
	const json_t *feature = json_object_get(ja(status, "features"), "verdict_cache");
	uint64_t lent = 0, most = 0, requests = 0;
	bool commands = false;

	json_each(w, ja(status, "workers")) {
		commands = commands || js_is(w, "kind", lane_kind_words[LANE_COMMANDS]);
		lent += ju(w, "lent");
		most += ju(w, "lent_max");
		requests += ju(w, "lent_requests");
	}
	if (feature != NULL && !jb(feature, "used"))
		render_line(c, M_STATUS_NO_CACHE);
	else if (most > 0)
		render_line(c, M_STATUS_CACHE, (unsigned long long)lent, (unsigned long long)requests);
	else if (feature != NULL && commands)
		render_line(c, M_STATUS_CACHE_WORKERS);
}

static void leaked_line(struct cli *c, const json_t *accounts)
{
	char since[RENDER_TEXT];

	if (jb(accounts, "leaked_damaged")) {
		message_print(c->out, c->lang, M_STATUS_LEAKED_DAMAGED);
	} else if (ju(accounts, "leaked") > 0) {
		render_time(js(accounts, "leaked_since"), since);
		message_print(c->out, c->lang, M_STATUS_LEAKED, ju(accounts, "leaked"), since);
	}
}

/* A normal token is not mentioned. */
static void token_line(struct cli *c, const json_t *mgmt)
{
	if (js_is(mgmt, "token", "anew"))
		message_print(c->out, c->lang, M_STATUS_TOKEN_ANEW);
	else if (js_is(mgmt, "token", "none"))
		message_print(c->out, c->lang, M_STATUS_TOKEN_NONE);
}

static void rest(struct cli *c, const json_t *status)
{
	const json_t *drift = json_object_get(status, "drift"), *journal = json_object_get(status, "journal");
	char when[RENDER_TEXT];

	message_print(c->out, c->lang, M_STATUS_REST);
	if (ju(drift, "seen") == 0)
		message_print(c->out, c->lang, M_STATUS_NO_DRIFT);
	render_time(js(journal, "last"), when);
	render_line(c, M_STATUS_JOURNAL, ju(journal, "records"), ju(journal, "lost"), when);
	if (ju(journal, "signed_to") > 0)
		message_print(c->out, c->lang, M_STATUS_SIGNED, ju(journal, "signed_to"),
			      ju(journal, "unsigned_records"));
	else if (json_is_true(json_object_get(journal, "signs")))
		message_print(c->out, c->lang, M_STATUS_UNSIGNED, ju(journal, "unsigned_records"));
	if (ju(journal, "keep_days") > 0)
		render_line(c, M_STATUS_RETENTION, ju(journal, "keep_days"), ju(journal, "delete_after_days"));
	/* a silent journal gives no value */
	else if (json_object_get(journal, "keep_days") != NULL)
		message_print(c->out, c->lang, M_STATUS_NO_RETENTION);
	if (json_is_object(json_object_get(ja(status, "site"), "records")))
		render_line(c, M_STATUS_RECORDS, js(ja(ja(status, "site"), "records"), "purpose"),
			    js(ja(ja(status, "site"), "records"), "responsible"));
	disk_lines(c, journal);
	clock_line(c, ja(status, "clock"));
	hours_lines(c, ja(status, "windows"));
	log_line(c, ja(status, "log"));
	ups_lines(c, json_object_get(status, "ups"));
	told_line(c, M_STATUS_MAIL, json_object_get(status, "mail"));
	told_line(c, M_STATUS_SNMP, json_object_get(status, "snmp"));
	leaked_line(c, ja(status, "accounts"));
	token_line(c, ja(status, "mgmt"));
	partition_line(c, ja(status, "partition"));
	if (*js(status, "backend") != '\0')
		render_line(c, js_is(status, "backend", "native") ? M_STATUS_NATIVE : M_STATUS_COMPAT);
	if (unused(status, "flowtable"))
		render_line(c, M_STATUS_NO_FLOWTABLE);
	table_line(c, ja(ja(status, "features"), "owned_table"));
	cache_line(c, status);
}

/* The state without a daemon. The box then never counts as enforcing properly. */
static int standing(struct cli *c)
{
	struct box_answer answer;
	int status;

	if (!alone_request(c, "status", &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		alone_headline(c, answer.json);
		interfaces(c, answer.json);
		if (json_object_get(answer.json, "kernel") != NULL)
			drops(c, answer.json);
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
		if (a->values[OPT_ALL] == NULL) {
			overview_screen(c, answer.json, faults, alarms, stand);
		} else {
			overview_headline(c, answer.json, faults, alarms, stand);
			overview_file(c);
			interfaces(c, answer.json);
			roles(c, answer.json);
			drops(c, answer.json);
			inspection(c, answer.json);
			certificates(c, answer.json);
			rest(c, answer.json);
		}
	}
	if (status == CLI_YES && stand < STAND_WAITING)
		status = CLI_NO;
	json_decref(alarms);
	json_decref(faults);
	box_answer_free(&answer);
	return status;
}
