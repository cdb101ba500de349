/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/stand.h"

#define ANSWER_S 5
#define SCREEN 24u /* lines of a text console (VT100) */
/* most lines that overview_print prints, two of them wrapped, and the prompt */
#define BELOW_HEAD 12u

static void faults_list(struct cli *c, const json_t *faults, enum stand stand)
{
	if (!stand_lists(faults, stand))
		return;
	for (size_t i = 0; i < json_array_size(faults); i++)
		fprintf(c->out, "  - %s\n", json_string_value(json_array_get(faults, i)));
}

/* The most important lines come first: if the screen has no room for all, the short form leaves out
 * the last ones. */
void overview_headline(struct cli *c, const json_t *status, const json_t *faults, const json_t *alarms,
		       enum stand stand)
{
	static const struct answer_row rows[] = {
#define ROWS_STATUS_HEAD
#include "mgmt/cli/verbs/status.def"
	};
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
	answer_print(c, rows, status);
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
