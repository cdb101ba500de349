/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/moment.h"

#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/base/duration.h"
#include "appliance/wire/hours.h"

/* Checks that people_day or timegm did not change the given time: they turn 31 February into a day
 * in March. */
static bool counted(struct tm given, time_t (*count)(struct tm *), time_t *ret)
{
	struct tm found = given;

	*ret = count(&found) - (count == timegm ? given.tm_gmtoff : 0);
	return *ret >= 0 && found.tm_mday == given.tm_mday;
}

/* Seconds since 1970 of a day's beginning, or of a time with its zone. */
static bool seconds(const char *text, time_t *ret)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%d", &tm);

	tm.tm_isdst = -1;
	if (rest != NULL && *rest == '\0')
		return counted(tm, people_day, ret);
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (rest == NULL)
		rest = strptime(text, "%Y-%m-%dT%H:%M%z", &tm);
	return rest != NULL && *rest == '\0' && tm.tm_sec < 60 && counted(tm, timegm, ret);
}

bool moment_parse(const char *text, char out[MOMENT_TEXT])
{
	uint64_t now = clock_wall_s(), span;
	struct tm tm;
	time_t t;

	if (duration_parse(text, now, &span))
		t = (time_t)(now - span);
	else if (!seconds(text, &t))
		return false;
	if (gmtime_r(&t, &tm) == NULL)
		return false;
	return strftime(out, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0;
}

bool moment_seconds(const char *text, uint64_t *ret)
{
	char moment[MOMENT_TEXT];
	struct tm tm = { 0 };

	if (!moment_parse(text, moment) || strptime(moment, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return false;
	*ret = (uint64_t)timegm(&tm);
	return true;
}
