/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs/overview.h"

#include <string.h>

#include "mgmt/cli/words/render.h"
#include "mgmt/state/refused.h"
#include "mgmt/state/stand.h"

#define SCREEN 24u     /* lines of a text console (VT100) */
#define BELOW_HEAD 11u /* what overview_print prints at most, two of it as two lines, and the prompt */

void overview_head(struct cli *c, const char *head)
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

/* One name behind the other; what does not fit is left out, since --all has it. */
static void add(char *to, size_t size, const char *name, const char *between)
{
	size_t used = strlen(to);

	if (used + strlen(name) + strlen(between) < size)
		snprintf(to + used, size - used, "%s%s", used > 0 ? between : "", name);
}

/* "4, all up" or the names of those that are not. */
static void interfaces_line(struct cli *c, const json_t *list)
{
	char names[RENDER_TEXT] = "";

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(js(json_array_get(list, i), "link"), "up") != 0)
			add(names, sizeof(names), js(json_array_get(list, i), "name"), " ");
	if (json_array_size(list) > 0)
		render_line(c, *names == '\0' ? M_OVERVIEW_LINKS : M_OVERVIEW_LINKS_NOT, json_array_size(list), names);
}

static void roles_line(struct cli *c, const json_t *status)
{
	const json_t *list = ja(status, "roles");
	char names[RENDER_TEXT] = "", name[RENDER_TEXT];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

		if (strcmp(js(r, "state"), "running") != 0 || stand_silent(status, r))
			add(names, sizeof(names), stand_role(r, c->lang, name), " ");
	}
	if (json_array_size(list) > 0)
		render_line(c, *names == '\0' ? M_OVERVIEW_ROLES : M_OVERVIEW_ROLES_NOT, json_array_size(list), names);
}

/* All together, and the reason that counts most. */
static void refused_line(struct cli *c, const json_t *status)
{
	json_t *list = refused_list(status, false);
	const json_t *most = NULL;
	unsigned long long all = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

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

/* Moments are compared as texts: all are of one form and in UTC. */
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

void overview_print(struct cli *c, const json_t *status)
{
	interfaces_line(c, ja(status, "interfaces"));
	roles_line(c, status);
	refused_line(c, status);
	inspection_line(c, status);
	records_line(c, ja(status, "journal"));
	certificates_line(c, ja(status, "certificates"));
	fputc('\n', c->out);
	render_line(c, M_OVERVIEW_ALL);
}
