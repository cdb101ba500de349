/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a right holds: windows of the week in the local time of one place, with its changes to
 * summer time and back. Pure. The compiler, the box and questions all convert local hours to
 * moments by this module.
 *
 * A clock that is put forward skips an hour; a clock that is put back shows an hour twice. A local
 * time that does not exist means the moment of the change; a local time that exists twice means the
 * first one. So the order of local times is also the order of their moments.
 */
#ifndef SEKISHO_WIRE_HOURS_H
#define SEKISHO_WIRE_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h> /* time_t */

#define DAY_MINUTES 1440u
#define WEEK_DAYS 0x7fu
#define HOURS_DAY_MAX 84005u /* 2199-12-31, in days since 1970 */

/* A day on which clocks change, as POSIX has it: "M3.5.0/2" is the last Sunday of March, at two. */
struct clock_change {
	uint8_t month, week, day; /* 1..12; 1..5, where 5 is the last week; 0..6 from Sunday */
	/* seconds since the beginning of that day, by the clock before the change */
	int32_t at_s;
};

#define ZONE_NAME 8u

struct time_zone {
	char name[2][ZONE_NAME];      /* "JST"; the second one in summer */
	int32_t standard_s, summer_s; /* east of Greenwich */
	bool changes;
	struct clock_change begin, end; /* of summer time */
};

/* "JST-9", "CET-1CEST,M3.5.0,M10.5.0/3": the value of TZ in POSIX, with rules of months only. */
bool time_zone_parse(const char *text, struct time_zone *ret);
/* The TZ value of a place ("Asia/Tokyo"), from a built-in table; NULL: the table does not
 * have it. */
const char *time_zone_of(const char *place);
/* The n-th place of the table, for hints; NULL after the last one. */
const char *time_zone_place(size_t n);

/* The moment when clocks there first show `minute` minutes of `day`. Values of more than a day
 * belong to the following days. */
uint64_t time_zone_moment(const struct time_zone *z, uint32_t day, uint32_t minute);
/* The local date at a moment, in days since 1970. */
uint32_t time_zone_day(const struct time_zone *z, uint64_t moment);

/*
 * Times for people. Every sentence and table has them in one zone, that of the site, which each
 * process sets when it learns it; times for programs are in UTC, and not made here.
 */

/* The file beside the control socket that has the site's zone, for programs of people. */
#define ZONE_FILE "time-zone"
/* Sets this process's zone for people, a TZ value. "" or another text: that of the machine. */
void people_zone(const char *rule);
/* UTC from now on, whatever people_zone says later. */
void people_utc(void);
/* Writes a moment for people: "2026-11-20 17:10:11 JST". */
#define MOMENT_FOR_PEOPLE 40u
void moment_text(uint64_t wall_ns, char out[MOMENT_FOR_PEOPLE]);
/* As moment_text, for a time in seconds that a person chose: without seconds where they are 0. */
void minute_text(uint64_t wall_s, char out[MOMENT_FOR_PEOPLE]);
/* A duration in the largest unit that gives a whole number, as in policies: "10 min". */
#define SECONDS_TEXT 32u
void seconds_text(uint64_t seconds, char out[SECONDS_TEXT]);
struct tm;
/* As mktime, for a day that people have written: the moment when it begins for them. */
time_t people_day(struct tm *day);

struct window {
	uint8_t days;	   /* bit n: the window opens on weekday n, counted from Sunday */
	uint16_t from, to; /* minutes of the day; to <= from: `to` is on the next day */
	/* first and last day on which it may open, in days since 1970; 0 = no limit */
	uint32_t first, last;
	const uint32_t *except; /* days on which it does not open */
	uint32_t n_except;
};

/* When a right holds. All conditions must be true. */
struct times {
	/* seconds since 1970; `starts` 0 = has begun; `until` 0 = does not end */
	uint64_t starts, until;
	const struct window *within; /* NULL = at any hour; borrowed */
	/* NULL = the right is behind no door; else the moment until which the door is open (if it
	 * is in the past, the door is shut); borrowed */
	const uint64_t *door;
};

/* Whether the right depends on the time in another way than by `until`. */
static inline bool times_open(const struct times *t)
{
	return t->starts != 0 || t->within != NULL || t->door != NULL;
}

/* True: the right holds at `moment`, and until *ret_end (0 = without end). False: it holds next
 * from *ret_next on (0 = never, or not by the clock alone). */
bool times_hold(const struct times *t, const struct time_zone *z, uint64_t moment, uint64_t *ret_end,
		uint64_t *ret_next);

#endif
