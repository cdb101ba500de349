/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/journal.h"
#include "mgmt/state/stand.h"

#define ANSWER_S 5
#define SCREEN 24u /* lines of a text console (VT100) */
/* most lines that overview_print prints, two of them wrapped, and the prompt */
#define BELOW_HEAD 12u

/* Why no record can be written at present. */
static void trouble_line(struct cli *c, const char *trouble)
{
	char *said = *trouble != '\0' ? lost_text(c->lang, trouble) : NULL;

	if (*trouble != '\0')
		render_line(c, M_STATUS_TROUBLE, said != NULL ? said : trouble);
	free(said);
}

static void faults_list(struct cli *c, const json_t *faults, enum stand stand)
{
	if (!stand_lists(faults, stand))
		return;
	for (size_t i = 0; i < json_array_size(faults); i++)
		fprintf(c->out, "  - %s\n", json_string_value(json_array_get(faults, i)));
}

/* Prints the line only when there is something to review. */
static void devices_line(struct cli *c, const json_t *devices)
{
	if (ju(devices, "new") == 0)
		return;
	if (*js(devices, "reviewed") == '\0')
		render_line(c, M_STATUS_DEVICES_LEARNING, ju(devices, "listed"));
	else
		render_line(c, M_STATUS_DEVICES, ju(devices, "listed"), ju(devices, "new"));
}

/* Prints the lines only when there is something to review. */
static void weak_lines(struct cli *c, const json_t *weak)
{
	const json_t *alarms = ja(weak, "alarms");
	char first[RENDER_TEXT], last[RENDER_TEXT], what[WEAKNESS_TEXT];

	if (ju(weak, "servers") > 0)
		render_line(c, M_STATUS_WEAK, ju(weak, "servers"), ju(weak, "new"));
	json_each(o, alarms) {
		render_time(js(o, "first"), first);
		render_time(js(o, "last"), last);
		weakness_text(ja(o, "weak"), c->lang, what);
		if (*js(o, "server") != '\0')
			render_line(c, M_STATUS_WEAK_ONE, js(o, "server"), what, first, last, ju(o, "sessions"));
		else
			render_line(c, M_STATUS_WEAK_REST, js(o, "conduit"), first, last, ju(o, "sessions"));
	}
}

/* Conduits with heard_within that are silent. */
static void silent_lines(struct cli *c, const json_t *expected)
{
	const json_t *list = ja(expected, "conduits");
	char name[RENDER_TEXT * 4], since[RENDER_TEXT], span[RENDER_TEXT];

	json_each(o, list) {
		render_conduit(o, c->lang, name, sizeof(name));
		render_time(js(o, "since"), since);
		render_span(ju(o, "within_s"), span);
		render_line(c, M_STATUS_SILENT_CONDUIT, name, since, span);
	}
	if (ju(expected, "silent") > json_array_size(list))
		render_line(c, M_STATUS_SILENT_MORE, ju(expected, "silent"));
	if (jb(expected, "unread"))
		render_line(c, M_STATUS_CONDUITS_UNREAD);
}

static void ending_lines(struct cli *c, const json_t *ending)
{
	const json_t *list = ja(ending, "conduits");
	char name[RENDER_TEXT * 4], until[RENDER_TEXT];

	json_each(o, list) {
		render_conduit(o, c->lang, name, sizeof(name));
		render_time(js(o, "until"), until);
		render_line(c, M_STATUS_ENDS, name, until);
	}
	if (ju(ending, "near") > json_array_size(list))
		render_line(c, M_STATUS_ENDS_MORE, ju(ending, "near"));
}

/* Packets that should be inspected and were not. */
static void uninspected_lines(struct cli *c, const json_t *u)
{
	const json_t *lanes = ja(u, "lanes");
	char since[RENDER_TEXT], last[RENDER_TEXT], names[RENDER_TEXT * 8];

	if (!jb(u, "now"))
		return;
	render_time(js(u, "since"), since);
	render_time(js(u, "last"), last);
	render_line(c, M_STATUS_NOT_INSPECTED, since, last, ju(u, "dropped"), ju(u, "passed"));
	json_each(l, lanes) {
		render_conduits(ja(l, "conduits"), ju(l, "conduits_all"), c->lang, names, sizeof(names));
		render_line(c, M_STATUS_NOT_INSPECTED_LANE, js(l, "lane"), ju(l, "queue_full"), ju(l, "socket_full"),
			    ju(l, "no_worker"), names);
	}
}

static void unheard_line(struct cli *c, const json_t *u)
{
	char since[RENDER_TEXT], last[RENDER_TEXT];

	if (!jb(u, "now"))
		return;
	render_time(js(u, "since"), since);
	render_time(js(u, "last"), last);
	render_line(c, M_STATUS_UNHEARD, since, last, ju(u, "packets"));
}

static void generation_lines(struct cli *c, const json_t *g)
{
	char generation[RENDER_TEXT], by[RENDER_TEXT], when[RENDER_TEXT], digest[RENDER_TEXT];

	render_generation(g, c->lang, generation);
	render_digest(js(g, "digest"), digest);
	render_time(js(g, "applied"), when);
	render_line(c, M_STATUS_GENERATION, generation, digest);
	render_line(c, M_STATUS_APPLIED, when, *js(g, "by") != '\0' ? js(g, "by") : "-");
	if (js_is(g, "state", "waiting")) {
		render_time(js(g, "confirm_by"), by);
		render_line(c, M_APPLY_CONFIRM_HOW, ju(g, "number"), by);
	}
}

/* Backups by schedule: where, when last, and what prevents the next one. */
static void carried_lines(struct cli *c, const json_t *list)
{
	char when[RENDER_TEXT];

	json_each(o, list) {
		const char *to = message_format(js_is(o, "to", "stick") ? M_CARRY_STICK : M_CARRY_SERVER, c->lang);

		render_time(*js(o, "last") != '\0' ? js(o, "last") : js(o, "since"), when);
		render_line(c, *js(o, "last") != '\0' ? M_STATUS_CARRIED : M_STATUS_CARRIED_NEVER, to, when,
			    (unsigned)ju(o, "every"));
		if (*js(o, "why") != '\0')
			render_line(c, M_STATUS_CARRIED_WHY, word_text("carried", js(o, "why"), c->lang));
	}
}

/* The most important lines come first: if the screen has no room for all, the short form leaves out
 * the last ones. */
void overview_headline(struct cli *c, const json_t *status, const json_t *faults, const json_t *alarms,
		       enum stand stand)
{
	const json_t *site = json_object_get(status, "site");
	const json_t *drift = json_object_get(status, "drift"), *journal = json_object_get(status, "journal");
	char when[RENDER_TEXT];
	char *sentence = stand_sentence(status, faults, alarms, stand, c->lang);

	if (c->color)
		fputs(stand == STAND_GOOD      ? "\033[1;32m"
		      : stand == STAND_WAITING ? "\033[1;33m"
					       : "\033[1;31m",
		      c->out);
	fputs(sentence != NULL ? sentence : stand_word(stand), c->out);
	free(sentence);
	fputs(c->color ? "\033[0m\n" : "\n", c->out);
	faults_list(c, faults, stand);
	if (*js(site, "name") != '\0')
		render_line(c, M_STATUS_SITE, js(site, "name"), js(site, "label"));
	if (*js(site, "contact") != '\0')
		render_line(c, M_STATUS_CONTACT, js(site, "contact"));
	if (stand != STAND_NO_POLICY)
		generation_lines(c, json_object_get(status, "generation"));
	if (ju(drift, "seen") > 0) {
		render_time(js(drift, "last"), when);
		render_line(c, M_STATUS_DRIFT, ju(drift, "seen"), when);
	}
	trouble_line(c, js(journal, "trouble"));
	if (ju(journal, "waiting") + ju(journal, "left_out") > 0)
		render_line(c, M_STATUS_WAITING_ROOM, ju(journal, "waiting"), ju(journal, "left_out"));
	if (ju(journal, "holds") > 0)
		render_line(c, M_STATUS_HELD, ju(journal, "holds"));
	uninspected_lines(c, ja(status, "uninspected"));
	unheard_line(c, ja(status, "unheard"));
	silent_lines(c, ja(status, "expected"));
	ending_lines(c, ja(status, "ending"));
	if (ju(json_object_get(status, "reviews"), "overdue") > 0) {
		render_time(js(json_object_get(status, "reviews"), "since"), when);
		render_line(c, M_STATUS_REVIEWS, ju(json_object_get(status, "reviews"), "overdue"), when);
	}
	carried_lines(c, ja(ja(status, "backup"), "carried"));
	if (jb(ja(status, "backup"), "overdue")) {
		render_time(js(ja(status, "backup"), "since"), when);
		render_line(c, M_STATUS_BACKUP, when);
	}
	devices_line(c, ja(journal, "devices"));
	weak_lines(c, ja(journal, "weak"));
	if (jb(journal, "holds_damaged"))
		render_line(c, M_STATUS_HOLDS_DAMAGED);
	if (jb(journal, "held") && ju(journal, "waiting") + ju(journal, "left_out") > 0)
		render_line(c, M_STATUS_HELD_FULL);
	if (json_is_true(json_object_get(journal, "stuck")))
		message_print(c->out, c->lang, M_STATUS_STUCK);
}

/* Prints `head`, the lines of overview_headline; if there are too many, only the first ones and the
 * number of the others. */
static void head_print(struct cli *c, const char *head)
{
	size_t lines = 0, room = SCREEN - BELOW_HEAD;
	const char *end = head;

	for (const char *p = head; *p != '\0'; p++)
		lines += *p == '\n';
	if (lines <= room) {
		fputs(head, c->out);
		return;
	}
	for (size_t i = 0; i + 1 < room; i++)
		end = strchr(end, '\n') + 1;
	fwrite(head, 1, (size_t)(end - head), c->out);
	render_line(c, M_OVERVIEW_MORE, lines - (room - 1));
}

/* Appends a name; those that do not fit are left out, because --all has them. */
static void add(char *to, size_t size, const char *name, const char *between)
{
	size_t used = strlen(to);

	if (used + strlen(name) + strlen(between) < size)
		snprintf(to + used, size - used, "%s%s", used > 0 ? between : "", name);
}

/* "4, all up", or the names of those that are not up. */
static void interfaces_line(struct cli *c, const json_t *list)
{
	char names[RENDER_TEXT] = "";

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!js_is(json_array_get(list, i), "link", "up"))
			add(names, sizeof(names), js(json_array_get(list, i), "name"), " ");
	if (json_array_size(list) > 0)
		render_line(c, *names == '\0' ? M_OVERVIEW_LINKS : M_OVERVIEW_LINKS_NOT, json_array_size(list), names);
}

static void roles_line(struct cli *c, const json_t *status)
{
	const json_t *list = ja(status, "roles");
	char names[RENDER_TEXT] = "", name[RENDER_TEXT];

	json_each(r, list)
		if (!js_is(r, "state", "running") || stand_silent(status, r))
			add(names, sizeof(names), stand_role(r, c->lang, name), " ");
	if (json_array_size(list) > 0)
		render_line(c, *names == '\0' ? M_OVERVIEW_ROLES : M_OVERVIEW_ROLES_NOT, json_array_size(list), names);
}

/* The number of all refusals, and the most frequent reason. */
static void refused_line(struct cli *c, const json_t *status)
{
	json_t *list = refused_list(status, false);
	const json_t *most = NULL;
	unsigned long long all = 0;

	json_each(r, list) {
		all += ju(r, "packets");
		if (most == NULL || ju(r, "packets") > ju(most, "packets"))
			most = r;
	}
	if (most != NULL)
		render_line(c, M_OVERVIEW_REFUSED, all, render_reason(js(most, "reason"), c->lang),
			    ju(most, "packets"));
	json_decref(list);
}

static void inspection_line(struct cli *c, const json_t *status)
{
	const json_t *workers = ja(status, "workers"), *queues = ja(status, "queues");
	unsigned long long packets = 0, refused = 0, lost = 0;

	for (size_t i = 0; i < json_array_size(workers); i++) {
		packets += ju(json_array_get(workers, i), "packets");
		refused += ju(json_array_get(workers, i), "dropped");
	}
	for (size_t i = 0; i < json_array_size(queues); i++)
		lost += ju(json_array_get(queues, i), "dropped_full") + ju(json_array_get(queues, i), "dropped_user");
	if (json_array_size(workers) > 0)
		render_line(c, M_OVERVIEW_INSPECTED, packets, refused, lost);
}

static void records_line(struct cli *c, const json_t *journal)
{
	const json_t *disk = ja(journal, "disk");

	if (disk != NULL)
		render_line(c, M_OVERVIEW_RECORDS_DISK, ju(journal, "records"), ju(journal, "lost"),
			    ju(disk, "used_percent"));
	else
		render_line(c, M_OVERVIEW_RECORDS, ju(journal, "records"), ju(journal, "lost"));
}

/* Times are compared as text: all have the same form, in UTC. */
static void certificates_line(struct cli *c, const json_t *files)
{
	const json_t *first = NULL;
	char until[RENDER_TEXT];

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *list = ja(json_array_get(files, i), "list");

		for (size_t k = 0; k < json_array_size(list); k++)
			if (first == NULL || strcmp(js(json_array_get(list, k), "until"), js(first, "until")) < 0)
				first = json_array_get(list, k);
	}
	if (first == NULL)
		return;
	render_time(js(first, "until"), until);
	render_line(c, M_OVERVIEW_CERTIFICATE, until, js(first, "subject"));
}

static bool same_file(const char *name, const char *text)
{
	char path[300], part[8192];
	size_t n, length = strlen(text);
	FILE *f;
	bool same;

	if (snprintf(path, sizeof(path), CLI_BOX_FOLDER "/%s", name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0 && n <= length && memcmp(part, text, n) == 0) {
		text += n;
		length -= n;
	}
	same = n == 0 && length == 0 && !ferror(f);
	fclose(f);
	return same;
}

/* The policy file differs from the policy in force: left by a trial that went back, or being
 * edited. An apply of it would change the box. */
void overview_file(struct cli *c)
{
	const struct msg_body question = { MSG_SHOW, .show = { .number = 0 } };
	struct box_answer a;
	const json_t *sources;
	bool same = true;
	int status;

	if (access(CLI_BOX_FOLDER "/site.cfg", R_OK) < 0 || !box_request(c, &question, NULL, 0, ANSWER_S, &a, &status))
		return;
	sources = ja(a.json, "sources");
	json_each(s, sources)
		same = same && same_file(js(s, "name"), js(s, "text"));
	if (a.status == CLI_YES && !same)
		render_line(c, M_OVERVIEW_FILE, CLI_BOX_FOLDER);
	box_answer_free(&a);
}

static void overview_print(struct cli *c, const json_t *status)
{
	overview_file(c);
	interfaces_line(c, ja(status, "interfaces"));
	roles_line(c, status);
	refused_line(c, status);
	inspection_line(c, status);
	records_line(c, ja(status, "journal"));
	certificates_line(c, ja(status, "certificates"));
	fputc('\n', c->out);
	render_line(c, M_OVERVIEW_ALL);
}

/* The first part is held back until its length is known. */
void overview_screen(struct cli *c, const json_t *status, const json_t *faults, const json_t *alarms, enum stand stand)
{
	FILE *screen = c->out;
	char *head = NULL;
	size_t size;

	c->out = open_memstream(&head, &size);
	if (c->out != NULL) {
		overview_headline(c, status, faults, alarms, stand);
		fclose(c->out);
	}
	c->out = screen;
	if (head != NULL)
		head_print(c, head);
	free(head);
	overview_print(c, status);
}
