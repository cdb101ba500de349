/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/hours.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400u

/* ---- days ------------------------------------------------------------------------------------ */

static bool leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static uint32_t month_days(unsigned y, unsigned m)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return lengths[m - 1] + (m == 2 && leap(y) ? 1u : 0u);
}

/* Days from 1970 to January 1 of that year. */
static uint32_t year_day(unsigned y)
{
	unsigned before = y - 1;

	return (y - 1970) * 365 + (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static unsigned year_of(uint32_t day)
{
	unsigned y = 1970 + day / 366;

	while (year_day(y + 1) <= day)
		y++;
	return y;
}

static unsigned weekday(uint32_t day)
{
	return (day + 4) % 7; /* 1970 began on a Thursday */
}

/* ---- zones ----------------------------------------------------------------------------------- */

static bool read_number(const char **p, unsigned most, unsigned *ret)
{
	const char *from = *p;
	unsigned v = 0;

	while (**p >= '0' && **p <= '9' && *p - from < 3)
		v = v * 10 + (unsigned)(*(*p)++ - '0');
	*ret = v;
	return *p > from && v <= most;
}

static bool read_sign(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* Parses hh[:mm[:ss]]. */
static bool clock_time(const char **p, unsigned hours, int32_t *ret)
{
	unsigned h, m = 0, s = 0;
	bool less = read_sign(p, '-');

	if (!less)
		read_sign(p, '+');
	if (!read_number(p, hours, &h) ||
	    (read_sign(p, ':') && (!read_number(p, 59, &m) || (read_sign(p, ':') && !read_number(p, 59, &s)))))
		return false;
	*ret = (int32_t)(h * 3600 + m * 60 + s) * (less ? -1 : 1);
	return true;
}

/* Parses "JST" or "<+09>". */
static bool abbreviation(const char **p, char name[ZONE_NAME])
{
	bool quoted = read_sign(p, '<');
	const char *from = *p;
	size_t n;

	if (quoted)
		while ((**p >= '0' && **p <= '9') || **p == '+' || **p == '-' || (**p >= 'A' && **p <= 'Z'))
			(*p)++;
	else
		while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
			(*p)++;
	n = (size_t)(*p - from);
	memcpy(name, from, n < ZONE_NAME ? n : ZONE_NAME - 1);
	return quoted ? n > 0 && read_sign(p, '>') : n >= 3;
}

static bool read_change(const char **p, struct clock_change *ret)
{
	unsigned m, w, d;

	if (!read_sign(p, ',') || !read_sign(p, 'M') || !read_number(p, 12, &m) || !read_sign(p, '.') ||
	    !read_number(p, 5, &w) || !read_sign(p, '.') || !read_number(p, 6, &d) || m == 0 || w == 0)
		return false;
	*ret = (struct clock_change){ (uint8_t)m, (uint8_t)w, (uint8_t)d, 7200 };
	return !read_sign(p, '/') || clock_time(p, 167, &ret->at_s);
}

bool time_zone_parse(const char *text, struct time_zone *ret)
{
	int32_t west;

	*ret = (struct time_zone){ 0 };
	if (!abbreviation(&text, ret->name[0]) || !clock_time(&text, 14, &west))
		return false;
	ret->standard_s = ret->summer_s = -west;
	if (*text == '\0')
		return true;
	ret->changes = true;
	if (!abbreviation(&text, ret->name[1]))
		return false;
	ret->summer_s += 3600;
	if (*text != ',') {
		if (!clock_time(&text, 14, &west))
			return false;
		ret->summer_s = -west;
	}
	return read_change(&text, &ret->begin) && read_change(&text, &ret->end) && *text == '\0';
}

/* Rules as of 2026. For other zones the policy gives the rule itself. */
static const struct {
	const char *place, *rule;
} places[] = {
	{ "Asia/Tokyo", "JST-9" },
	{ "Asia/Seoul", "KST-9" },
	{ "Asia/Shanghai", "CST-8" },
	{ "Asia/Taipei", "CST-8" },
	{ "Asia/Hong_Kong", "HKT-8" },
	{ "Asia/Singapore", "<+08>-8" },
	{ "Asia/Kuala_Lumpur", "<+08>-8" },
	{ "Asia/Manila", "PST-8" },
	{ "Asia/Jakarta", "WIB-7" },
	{ "Asia/Bangkok", "<+07>-7" },
	{ "Asia/Ho_Chi_Minh", "<+07>-7" },
	{ "Asia/Kolkata", "IST-5:30" },
	{ "Asia/Colombo", "<+0530>-5:30" },
	{ "Asia/Dubai", "<+04>-4" },
	{ "Europe/London", "GMT0BST,M3.5.0/1,M10.5.0" },
	{ "Europe/Lisbon", "WET0WEST,M3.5.0/1,M10.5.0" },
	{ "Europe/Amsterdam", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Brussels", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Copenhagen", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Madrid", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Oslo", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Rome", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Stockholm", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Warsaw", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Europe/Athens", "EET-2EEST,M3.5.0/3,M10.5.0/4" },
	{ "Europe/Helsinki", "EET-2EEST,M3.5.0/3,M10.5.0/4" },
	{ "Europe/Istanbul", "<+03>-3" },
	{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0" },
	{ "America/Chicago", "CST6CDT,M3.2.0,M11.1.0" },
	{ "America/Denver", "MST7MDT,M3.2.0,M11.1.0" },
	{ "America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0" },
	{ "America/Halifax", "AST4ADT,M3.2.0,M11.1.0" },
	{ "America/Panama", "EST5" },
	{ "America/Sao_Paulo", "<-03>3" },
	{ "Africa/Johannesburg", "SAST-2" },
	{ "Australia/Brisbane", "AEST-10" },
	{ "Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3" },
	{ "Australia/Melbourne", "AEST-10AEDT,M10.1.0,M4.1.0/3" },
	{ "Australia/Adelaide", "ACST-9:30ACDT,M10.1.0,M4.1.0/3" },
	{ "Australia/Perth", "AWST-8" },
	{ "Pacific/Auckland", "NZST-12NZDT,M9.5.0,M4.1.0/3" },
	{ "Pacific/Honolulu", "HST10" },
	{ "UTC", "UTC0" },
};
#define PLACES (sizeof(places) / sizeof(places[0]))

const char *time_zone_of(const char *place)
{
	for (size_t i = 0; i < PLACES; i++)
		if (strcmp(places[i].place, place) == 0)
			return places[i].rule;
	return NULL;
}

const char *time_zone_place(size_t n)
{
	return n < PLACES ? places[n].place : NULL;
}

/* The moment of a clock change in that year. `offset`: seconds east of UTC before the change. */
static int64_t change_at(const struct clock_change *c, unsigned year, int32_t offset)
{
	uint32_t first = year_day(year), day;

	for (unsigned m = 1; m < c->month; m++)
		first += month_days(year, m);
	day = first + (c->day + 7u - weekday(first)) % 7 + (c->week - 1u) * 7;
	while (day >= first + month_days(year, c->month))
		day -= 7;
	return (int64_t)day * DAY_S + c->at_s - offset;
}

/* The offset of local time at a moment, in seconds east of UTC. */
static int32_t offset_at(const struct time_zone *z, int64_t t)
{
	int64_t begin, end;
	unsigned year;
	bool summer;

	if (!z->changes)
		return z->standard_s;
	year = year_of((uint32_t)((t + z->standard_s > 0 ? t + z->standard_s : 0) / DAY_S));
	begin = change_at(&z->begin, year, z->standard_s);
	end = change_at(&z->end, year, z->summer_s);
	summer = begin < end ? t >= begin && t < end : !(t >= end && t < begin);
	return summer ? z->summer_s : z->standard_s;
}

uint64_t time_zone_moment(const struct time_zone *z, uint32_t day, uint32_t minute)
{
	int64_t local = (int64_t)day * DAY_S + (int64_t)minute * 60;
	int32_t most = z->standard_s > z->summer_s ? z->standard_s : z->summer_s,
		least = z->standard_s > z->summer_s ? z->summer_s : z->standard_s;
	int64_t early = local - most, late = local - least, hi;

	if (offset_at(z, early) == most) {
		late = early;
	} else if (offset_at(z, late) != least) {
		/* The clock skips this local time. The change of the clock is between `early` and
		 * `late`. */
		for (hi = late; early + 1 < hi;) {
			int64_t mid = early + (hi - early) / 2;

			if (offset_at(z, mid) == most)
				hi = mid;
			else
				early = mid;
		}
		late = hi;
	}
	return late > 0 ? (uint64_t)late : 0;
}

uint32_t time_zone_day(const struct time_zone *z, uint64_t moment)
{
	int64_t t = moment < (uint64_t)INT64_MAX / 2 ? (int64_t)moment : INT64_MAX / 2, local = t + offset_at(z, t);

	return local > 0 ? (uint32_t)(local / DAY_S) : 0;
}

/* ---- times for people ------------------------------------------------------------------------ */

static struct time_zone people;
static bool people_set, people_fixed;

void people_zone(const char *rule)
{
	if (!people_fixed)
		people_set = time_zone_parse(rule, &people);
}

void people_utc(void)
{
	people_zone("UTC0");
	people_fixed = true;
}

static void text_for_people(time_t t, bool to_minute, char out[MOMENT_FOR_PEOPLE])
{
	time_t local = t + (people_set ? offset_at(&people, t) : 0);
	struct tm tm;
	size_t n = 0;

	if (people_set ? gmtime_r(&local, &tm) != NULL : localtime_r(&t, &tm) != NULL)
		n = strftime(out, MOMENT_FOR_PEOPLE,
			     to_minute && tm.tm_sec == 0 ? "%Y-%m-%d %H:%M %Z" : "%Y-%m-%d %H:%M:%S %Z", &tm);
	out[n] = '\0';
	/* Instead of gmtime's name for its own zone. */
	if (people_set && n > 3)
		snprintf(out + n - 3, MOMENT_FOR_PEOPLE - n + 3, "%s", people.name[local - t != people.standard_s]);
}

void moment_text(uint64_t wall_ns, char out[MOMENT_FOR_PEOPLE])
{
	text_for_people((time_t)(wall_ns / 1000000000u), false, out);
}

void minute_text(uint64_t wall_s, char out[MOMENT_FOR_PEOPLE])
{
	text_for_people((time_t)wall_s, true, out);
}

void seconds_text(uint64_t seconds, char out[SECONDS_TEXT])
{
	static const struct {
		unsigned seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (seconds % units[i].seconds != 0)
		i++;
	snprintf(out, SECONDS_TEXT, "%llu %s", (unsigned long long)(seconds / units[i].seconds), units[i].unit);
}

time_t people_day(struct tm *day)
{
	time_t begins = people_set ? timegm(day) : mktime(day);

	return people_set && begins >= 0 ? (time_t)time_zone_moment(&people, (uint32_t)(begins / DAY_S), 0) : begins;
}

/* ---- windows --------------------------------------------------------------------------------- */

static bool opens_on(const struct window *w, uint32_t day)
{
	if ((w->days >> weekday(day) & 1) == 0 || day < w->first || (w->last != 0 && day > w->last))
		return false;
	for (uint32_t i = 0; i < w->n_except; i++)
		if (w->except[i] == day)
			return false;
	return true;
}

static void stretch(const struct window *w, const struct time_zone *z, uint32_t day, uint64_t *from, uint64_t *to)
{
	*from = time_zone_moment(z, day, w->from);
	*to = time_zone_moment(z, day, w->to > w->from ? w->to : w->to + DAY_MINUTES);
}

/* The opening of the window that contains `moment`, or else the next one. False: there is none any
 * more. */
static bool next_stretch(const struct window *w, const struct time_zone *z, uint64_t moment, uint64_t *from,
			 uint64_t *to)
{
	uint32_t today = time_zone_day(z, moment), day = today > 2 ? today - 2 : 0, last;

	if (w->first > day)
		day = w->first;
	/* With more weeks than there are excepted days, one week without exceptions is certainly
	 * among them. */
	last = day + 7 * (w->n_except + 2) + 2;
	for (; day <= last && day <= HOURS_DAY_MAX; day++) {
		if (!opens_on(w, day))
			continue;
		stretch(w, z, day, from, to);
		if (*to > moment && *to > *from)
			return true;
	}
	return false;
}

/* The largest number of adjoining openings that are joined. A window that is always open is asked
 * again after so many. */
#define STRETCHES 400u

static bool window_holds(const struct window *w, const struct time_zone *z, uint64_t moment, uint64_t *ret_end,
			 uint64_t *ret_next)
{
	uint64_t from, to, next;

	*ret_end = *ret_next = 0;
	if (!next_stretch(w, z, moment, &from, &to))
		return false;
	if (from > moment) {
		*ret_next = from;
		return false;
	}
	*ret_end = to;
	for (unsigned i = 0; i < STRETCHES && next_stretch(w, z, *ret_end, &next, &to) && next <= *ret_end; i++)
		*ret_end = to;
	return true;
}

/* The earlier one of two ends; 0 = there is none. */
static uint64_t sooner_end(uint64_t end, uint64_t other)
{
	return end == 0 || (other != 0 && other < end) ? other : end;
}

bool times_hold(const struct times *t, const struct time_zone *z, uint64_t moment, uint64_t *ret_end,
		uint64_t *ret_next)
{
	uint64_t at = moment < t->starts ? t->starts : moment, end = 0, next = 0,
		 last = t->door != NULL ? sooner_end(t->until, *t->door) : t->until;
	bool open;

	*ret_end = *ret_next = 0;
	if (t->door != NULL && *t->door <= moment)
		return false;
	open = t->within == NULL || window_holds(t->within, z, at, &end, &next);
	if (open && at == moment && (last == 0 || moment < last)) {
		*ret_end = sooner_end(end, last);
		return true;
	}
	next = open ? at : next;
	if (next > moment && (last == 0 || next < last))
		*ret_next = next;
	return false;
}
