/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/cli/words/render.h"

#define SECONDS 120u
#define DEEDS_DAYS 366

json_t *report_facts(struct cli *c, const struct cli_args *a, int *ret_status)
{
	const char *file = a->values[OPT_FACTS], *folder = a->values[OPT_JOURNAL];
	struct facts_wish wish = { folder != NULL ? folder : FACTS_JOURNAL, false, SECONDS };

	return file != NULL ? facts_read(c, file, ret_status) : facts_take(c, &wish, ret_status);
}

static int put(struct cli *c, const char *name, const struct page *p, bool (*form)(const struct page *, FILE *))
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
	const char *html = a->values[OPT_HTML], *csv = a->values[OPT_CSV];
	int wrote = CLI_YES;

	if (html != NULL)
		wrote = put(c, html, p, page_html);
	if (wrote == CLI_YES && csv != NULL)
		wrote = put(c, csv, p, page_csv);
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

void report_deeds(struct cli *c, const json_t *facts, struct deeds *ret)
{
	char since[32];
	struct cli silent = *c;
	int status;

	memset(ret, 0, sizeof(*ret));
	silent.json = false;
	silent.out = silent.err = fopen("/dev/null", "we");
	if (silent.out == NULL)
		return;
	report_days_before(js(facts, "made"), DEEDS_DAYS, since);
	ret->read = report_events(&silent, facts, since, "9", deeds_count, ret, &status);
	fclose(silent.out);
}
