/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho review`: records that somebody has reviewed the records of a time, and what he found. */
#include <string.h>

#include "appliance/base/utf8.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

enum { OPT_MONTH, OPT_FROM, OPT_UNTIL, OPT_BY, OPT_RESULT, OPT_NOTE, OPT_N };

const struct cli_option options_review[OPT_N + 1] = {
	[OPT_MONTH] = { "--month", 0, "YYYY-MM", M_REVIEW_OPT_MONTH },
	[OPT_FROM] = { "--from", 0, "TIME", M_REVIEW_OPT_FROM },
	[OPT_UNTIL] = { "--until", 0, "TIME", M_REVIEW_OPT_UNTIL },
	[OPT_BY] = { "--by", 0, "NAME", M_REVIEW_OPT_BY },
	[OPT_RESULT] = { "--result", 0, "none|findings", M_REVIEW_OPT_RESULT },
	[OPT_NOTE] = { "--note", 0, "TEXT", M_REVIEW_OPT_NOTE },
};

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
	const char *by = a->values[OPT_BY], *result = a->values[OPT_RESULT], *note = a->values[OPT_NOTE];
	struct msg_body m = { MSG_REVIEW, .review = { .note = note != NULL ? note : "" } };
	char now[MOMENT_TEXT];
	struct span s;
	int status;

	if (by == NULL || text_is_blank(by, LOGIN_NAME) || result == NULL ||
	    (strcmp(result, "none") != 0 && strcmp(result, "findings") != 0))
		return cli_fail(c, CLI_INVALID, M_REVIEW_WORDS);
	if (strlen(by) >= LOGIN_NAME || !text_is_plain(m.review.note, REVIEW_NOTE))
		return cli_fail(c, CLI_INVALID, M_REVIEW_NOTE, REVIEW_NOTE);
	(void)moment_parse("0s", now);
	status = span_read(c, a->values[OPT_MONTH], a->values[OPT_FROM], a->values[OPT_UNTIL], now, &s);
	if (status != CLI_YES)
		return status;
	memcpy(m.review.name, by, strlen(by));
	m.review.findings = strcmp(result, "findings") == 0;
	m.review.since = span_seconds(s.from);
	m.review.until = span_seconds(s.until);
	return box_tell(c, &m, print_review);
}
