/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a right holds: windows of the week by the clocks of one place, with its changes to summer time and back. Pure, and the only
 * place that turns local hours into moments: the compiler, the box and whoever asks "when" use the same.
 *
 * A clock that is put forward skips an hour, one that is put back shows an hour twice. Hours that do not exist begin and end at the
 * change itself; of hours that come twice the first is meant. So what follows each other by the clock does so in time.
 */
#ifndef SEKISHO_WIRE_HOURS_H
#define SEKISHO_WIRE_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_MINUTES 1440u
#define WEEK_DAYS 0x7fu
#define HOURS_DAY_MAX 84005u /* 2199-12-31, in days since 1970 */

/* A day on which clocks change, as POSIX has it: "M3.5.0/2" is the last Sunday of March, at two. */
struct clock_change {
	uint8_t month, week, day; /* 1..12; 1..5, where 5 is the last; 0..6 from Sunday */
	int32_t at_s;		  /* of that day, by the clock before the change */
};

struct time_zone {
	int32_t standard_s, summer_s; /* east of Greenwich */
	bool changes;
	struct clock_change begin, end; /* of summer time */
};

/* "JST-9", "CET-1CEST,M3.5.0,M10.5.0/3": the value of TZ in POSIX, with rules of months only. */
bool time_zone_parse(const char *text, struct time_zone *ret);
/* The same of a place ("Asia/Tokyo"), by rules that are built in; NULL: it is not among them. */
const char *time_zone_of(const char *place);
/* The n-th place, for hints; NULL behind the last. */
const char *time_zone_place(size_t n);

/* The moment at which clocks there first show that many minutes of the day; more than a day's are of those behind it. */
uint64_t time_zone_moment(const struct time_zone *z, uint32_t day, uint32_t minute);
/* Which day it is there, in days since 1970. */
uint32_t time_zone_day(const struct time_zone *z, uint64_t moment);

struct window {
	uint8_t days;		/* bit n: weekday n from Sunday; by the day on which it opens */
	uint16_t from, to;	/* minutes of the day; to <= from: of the day behind it */
	uint32_t first, last;	/* days since 1970 on which it may open; 0 = no first, no last */
	const uint32_t *except; /* days on which it does not open */
	uint32_t n_except;
};

/* When a right holds. All of it must hold. */
struct times {
	uint64_t starts, until;	     /* seconds since 1970; 0 = has begun, does not end */
	const struct window *within; /* NULL = at any hour; borrowed */
	const uint64_t
		*door; /* NULL = behind none; until when somebody opened it, in the past = it is shut; borrowed */
};

/* Something of it depends on the moment other than that it ends. */
static inline bool times_open(const struct times *t)
{
	return t->starts != 0 || t->within != NULL || t->door != NULL;
}

/* True: it holds at `moment`, and goes on until *ret_end (0 = for good). False: it next begins to hold at *ret_next (0 = never, or
 * not by the clock alone). */
bool times_hold(const struct times *t, const struct time_zone *z, uint64_t moment, uint64_t *ret_end,
		uint64_t *ret_next);

#endif
