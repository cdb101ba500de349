/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/report/clauses.h"
#include "mgmt/state/read.h"

#define SECONDS 120u
#define DEEDS_DAYS 366

json_t *report_facts(struct cli *c, const struct cli_args *a, int *ret_status)
{
	const char *file = a->values[OPT_CONTROLS_FACTS], *folder = a->values[OPT_CONTROLS_JOURNAL];
	struct facts_wish wish = { folder != NULL ? folder : FACTS_JOURNAL, false, SECONDS };

	return file != NULL ? facts_read(c, file, ret_status) : facts_take(c, &wish, ret_status);
}

static int put_page(struct cli *c, const char *name, const struct page *p, bool (*form)(const struct page *, FILE *))
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), code;
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok;

	if (f == NULL)
		return cli_fail_file(c, CLI_CANNOT, name, errno);
	ok = form(p, f);
	code = fclose(f) != 0 ? errno : 0;
	if (!ok || code != 0) {
		unlink(name);
		return code != 0 ? cli_fail_file(c, CLI_CANNOT, name, code) : cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	if (!c->json)
		render_line(c, M_REPORT_WRITTEN, name);
	return CLI_YES;
}

int report_give(struct cli *c, const struct cli_args *a, struct page *p, json_t *data, int status)
{
	const char *html = a->values[OPT_CONTROLS_HTML], *csv = a->values[OPT_CONTROLS_CSV];
	int wrote = CLI_YES;

	if (html != NULL)
		wrote = put_page(c, html, p, page_html);
	if (wrote == CLI_YES && csv != NULL)
		wrote = put_page(c, csv, p, page_csv);
	if (wrote == CLI_YES && c->json)
		json_line(c->out, json_incref(data));
	else if (wrote == CLI_YES && html == NULL && csv == NULL && !page_text(p, c->out, c->color))
		wrote = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	page_free(p);
	json_decref(data);
	return wrote != CLI_YES ? wrote : status;
}

/* The ISO time so many days before another, in the form of events. */
static void report_days_before(const char *made, long days, char out[32])
{
	struct tm tm = { 0 };
	time_t t;

	out[0] = '\0';
	if (strptime(made, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return;
	t = timegm(&tm) - (time_t)days * 86400;
	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(out, 32, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
}

bool report_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		   void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status)
{
	/* Stored facts without events cannot be completed by asking a box, which may be another
	 * one. */
	if (ja(facts, "events") == NULL && json_is_true(json_object_get(facts, "kept"))) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_REPORT_NO_EVENTS);
		return false;
	}
	return facts_events(c, facts, since, until, each, ctx, ret_status);
}

/* Counts what happened in the year before the facts were taken. */
static void report_deeds(struct cli *c, const json_t *facts, struct deeds *ret)
{
	char since[32];
	struct cli silent;
	int status;

	memset(ret, 0, sizeof(*ret));
	if (!cli_silence(c, &silent))
		return;
	report_days_before(js(facts, "made"), DEEDS_DAYS, since);
	ret->read = report_events(&silent, facts, since, "9", deeds_count, ret, &status);
	fclose(silent.out);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* A page for a terminal. */

static bool line(FILE *to, const char *text, const char *before, const char *after)
{
	char *safe = text_safe(text);

	if (safe == NULL)
		return false;
	fputs(before, to);
	text_wrap(to, safe, 0, 0);
	fputs(after, to);
	free(safe);
	return true;
}

#define COLUMN 34u /* cells of a column beside others */

/* Whether a column is too wide for a terminal; the last one does not count, because it wraps. */
static bool wide(const json_t *head, const json_t *cells)
{
	size_t n = json_array_size(head);

	json_each_at(i, v, cells)
		if (i % n + 1 < n && text_cells(js(v, "text")) > COLUMN)
			return true;
	return false;
}

/* Prints each row as several lines: "  Head: text". */
static bool listed(FILE *to, const json_t *head, const json_t *cells)
{
	size_t n = json_array_size(head);
	bool ok = true;

	json_each_at(i, v, cells) {
		const char *label = json_string_value(json_array_get(head, i % n));
		char *safe = text_safe(js(v, "text"));

		fprintf(to, "%s%s: ", i % n == 0 ? "\n  " : "    ", label);
		if (safe != NULL)
			text_wrap(to, safe, text_cells(label) + (i % n == 0 ? 4 : 6), 6);
		putc('\n', to);
		ok = ok && safe != NULL;
		free(safe);
	}
	return ok;
}

static bool rows(FILE *to, const json_t *part, bool color)
{
	const json_t *head = ja(part, "head"), *cells = ja(part, "cells");
	struct table *t = table_new(json_array_size(head), 2);
	bool ok;

	if (wide(head, cells)) {
		table_free(t);
		return listed(to, head, cells);
	}
	json_each(v, head)
		table_cell(t, json_string_value(v));
	table_head_done(t);
	table_wrap(t);
	json_each(v, cells)
		table_cell(t, js(v, "text"));
	ok = table_print(t, to, color);
	table_free(t);
	return ok;
}

bool page_text(const struct page *p, FILE *to, bool color)
{
	bool ok = p != NULL && !p->failed;

	if (p == NULL)
		return false;
	ok = line(to, p->title, color ? "\033[1m" : "", color ? "\033[0m\n" : "\n") && ok;
	json_each(part, p->parts) {
		const char *kind = js(part, "kind");

		if (strcmp(kind, "table") == 0)
			ok = rows(to, part, color) && ok;
		else if (strcmp(kind, "section") == 0)
			ok = line(to, js(part, "text"), color ? "\n\033[1m" : "\n", color ? "\033[0m\n" : "\n") && ok;
		else if (strcmp(kind, "blank") == 0)
			ok = line(to, js(part, "text"), "\n", ": ____________________\n") && ok;
		else
			ok = line(to, js(part, "text"), "", "\n") && ok;
	}
	return ok && ferror(to) == 0;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

/* `sekisho report controls` and `sekisho report self-check`: what mgmt/report makes of facts. */

static int give(struct cli *c, const struct cli_args *a, report_of_clauses *report)
{
	struct deeds deeds;
	struct page *p;
	json_t *facts, *data;
	int status;

	facts = report_facts(c, a, &status);
	if (facts == NULL)
		return status;
	report_deeds(c, facts, &deeds);
	p = report(facts, &deeds, c->lang, &data);
	status = report_give(c, a, p, data, CLI_YES);
	json_decref(facts);
	return status;
}

int verb_report_controls(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_controls);
}

int verb_report_self_check(struct cli *c, const struct cli_args *a)
{
	return give(c, a, report_self_check);
}
