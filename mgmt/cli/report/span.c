/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/span.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool put(time_t t, char out[MOMENT_TEXT])
{
	struct tm tm;

	return t >= 0 && gmtime_r(&t, &tm) != NULL && strftime(out, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0;
}

/* Parses "2026-10" in this machine's time zone. */
static bool span_month(const char *text, struct span *ret)
{
	struct tm first = { .tm_mday = 1, .tm_isdst = -1 }, next;
	const char *rest = strptime(text, "%Y-%m", &first);

	if (rest == NULL || *rest != '\0' || strlen(text) != strlen("2026-10") || first.tm_year < 70)
		return false;
	next = first;
	next.tm_mon++;
	return put(mktime(&first), ret->from) && put(mktime(&next), ret->until);
}

int span_read(struct cli *c, const char *month, const char *from, const char *until, const char *now, struct span *ret)
{
	if ((month != NULL) == (from != NULL) || (month != NULL && until != NULL))
		return cli_fail(c, CLI_INVALID, M_SPAN_WHICH);
	if (month != NULL)
		return span_month(month, ret) ? CLI_YES : cli_fail(c, CLI_INVALID, M_SPAN_MONTH, month);
	if (!moment_parse(from, ret->from))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--from", from);
	if (until == NULL)
		snprintf(ret->until, sizeof(ret->until), "%.*s", MOMENT_TEXT - 1, now);
	else if (!moment_parse(until, ret->until))
		return cli_fail(c, CLI_INVALID, M_SPAN_MOMENT, "--until", until);
	return strcmp(ret->from, ret->until) < 0 ? CLI_YES : cli_fail(c, CLI_INVALID, M_SPAN_ORDER);
}

uint64_t span_seconds(const char *moment)
{
	struct tm tm = { 0 };
	time_t t;

	if (strptime(moment, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return 0;
	t = timegm(&tm);
	return t > 0 ? (uint64_t)t : 0;
}
