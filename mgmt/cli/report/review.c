/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho review`: records that somebody has reviewed the records of a time, or what a clause asks
 * a person, and what he found. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define EVIDENCE_MOST (256u << 20)

static int print_clause(struct cli *c, const json_t *answer, int status)
{
	render_line(c, M_REVIEW_CLAUSE_DONE, js(answer, "full_name"), js(answer, "name"), js(answer, "until"));
	return status;
}

/* Fills in a review of what a clause asks a person. */
static int clause_read(struct cli *c, const struct cli_args *a, struct msg_review *ret)
{
	const char *next = a->values[OPT_REVIEW_NEXT], *file = a->values[OPT_REVIEW_EVIDENCE], *rest = NULL;
	struct tm tm = { 0 };
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	int r;

	if (strlen(a->values[OPT_REVIEW_CLAUSE]) >= REVIEW_CLAUSE || !clause_asks(a->values[OPT_REVIEW_CLAUSE]))
		return cli_fail(c, CLI_INVALID, M_REVIEW_NO_CLAUSE, a->values[OPT_REVIEW_CLAUSE]);
	if (next != NULL)
		rest = strptime(next, "%Y-%m-%d", &tm);
	if (rest == NULL || *rest != '\0' || a->values[OPT_REVIEW_MONTH] != NULL || a->values[OPT_REVIEW_FROM] != NULL)
		return cli_fail(c, CLI_INVALID, M_REVIEW_NEXT);
	memcpy(ret->clause, a->values[OPT_REVIEW_CLAUSE], strlen(a->values[OPT_REVIEW_CLAUSE]));
	ret->since = clock_wall_s();
	ret->until = (uint64_t)timegm(&tm);
	if (file == NULL)
		return CLI_YES;
	r = file_read(AT_FDCWD, file, EVIDENCE_MOST, &text, &n, &e);
	if (r < 0)
		return cli_fail_file(c, CLI_INVALID, file, -r);
	sha256(text, n, ret->digest);
	free(text);
	return CLI_YES;
}

static int print_review(struct cli *c, const json_t *answer, int status)
{
	char from[RENDER_TEXT], until[RENDER_TEXT];

	render_time(js(answer, "from"), from);
	render_time(js(answer, "until"), until);
	render_line(c, M_REVIEW_DONE, js(answer, "full_name"), js(answer, "name"), from, until);
	return status;
}

int verb_review(struct cli *c, const struct cli_args *a)
{
	const char *by = a->values[OPT_REVIEW_BY], *result = a->values[OPT_REVIEW_RESULT],
		   *note = a->values[OPT_REVIEW_NOTE];
	struct msg_body m = { MSG_REVIEW, .review = { .note = note != NULL ? note : "" } };
	char now[MOMENT_TEXT];
	struct span s;
	int status;

	if (by == NULL || text_is_blank(by, LOGIN_NAME) || result == NULL ||
	    (strcmp(result, "none") != 0 && strcmp(result, "findings") != 0))
		return cli_fail(c, CLI_INVALID, M_REVIEW_WORDS);
	if (strlen(by) >= LOGIN_NAME || !text_is_plain(m.review.note, REVIEW_NOTE))
		return cli_fail(c, CLI_INVALID, M_REVIEW_NOTE, REVIEW_NOTE);
	memcpy(m.review.name, by, strlen(by));
	m.review.findings = strcmp(result, "findings") == 0;
	if (a->values[OPT_REVIEW_CLAUSE] != NULL) {
		status = clause_read(c, a, &m.review);
		return status == CLI_YES ? box_tell(c, &m, print_clause) : status;
	}
	(void)moment_parse("0s", now);
	status = span_read(c, a->values[OPT_REVIEW_MONTH], a->values[OPT_REVIEW_FROM], a->values[OPT_REVIEW_UNTIL], now,
			   &s);
	if (status != CLI_YES)
		return status;
	m.review.since = span_seconds(s.from);
	m.review.until = span_seconds(s.until);
	return box_tell(c, &m, print_review);
}
