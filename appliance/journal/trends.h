/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by hour, for 400 days: how much passed and how much was refused, for charts over time.
 * Journal role only.
 *
 * The counts are kept in the file `trends` beside the records. It is at most TRENDS_BYTES long, and
 * single numbers are overwritten in place. Counts are no evidence and no records: a damaged file is
 * replaced by an empty one, and counts that the disk does not take are lost.
 *
 * A series is one figure of one thing, for example the sessions of a conduit or the refusals of a
 * zone. Their number is limited to TRENDS_SERIES, because other hosts and the policy decide how
 * many names there are. What finds no free series is counted in the series without a name. A series
 * without a count for 400 days becomes free.
 *
 * Hours are hours of the wall clock in UTC. After the clock was set back, counts are added to hours
 * that already have some.
 */
#ifndef SEKISHO_JOURNAL_TRENDS_H
#define SEKISHO_JOURNAL_TRENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"

#define TRENDS_DAYS 400u
#define TRENDS_HOURS (TRENDS_DAYS * 24u)
#define TRENDS_SERIES 256u
#define TRENDS_MARKS 256u  /* the last changes of the policy that are kept */
#define TRENDS_RECENT 336u /* hours that are shown singly: two weeks */
#define TRENDS_NAME 65u	   /* bytes of the name of a conduit or zone, with the NUL */
#define TRENDS_HEAD 64u	   /* bytes */
#define TRENDS_MARK 16u
#define TRENDS_ROW (80u + 4u * TRENDS_HOURS)
/* 9.9 MB; a series that was never used takes no room on the disk */
#define TRENDS_BYTES (TRENDS_HEAD + TRENDS_MARKS * TRENDS_MARK + TRENDS_SERIES * TRENDS_ROW)

/* The figures. Their numbers are stored in the file, so a new figure goes to the end. */
enum trend {
	TREND_NONE,
#define TREND(id, ...) id,
#include "appliance/journal/trend.def"
	TREND_COUNT
};

/* A series in memory. Its count of the last hour may not be in the file yet. */
struct trend_series {
	uint8_t what; /* enum trend; TREND_NONE = this series is free */
	char name[TRENDS_NAME];
	uint32_t hour; /* the last hour with a count, in hours since 1970 */
	uint32_t now;  /* the count of that hour */
	bool changed;
};

/* Start from zero bytes. */
struct trends {
	bool open; /* false: there is no file, and nothing is counted */
	int fd;
	uint32_t begun_hour;
	uint32_t n_marks; /* number of all marks ever made, including those that were overwritten */
	struct trend_series series[TRENDS_SERIES];
	bool changed;
};

/* Opens the file in this folder, or creates it. A file that is not valid is renamed to
 * `trends.damaged`. 0, or negative errno: nothing is open. */
int trends_open(int folder, uint64_t wall_s, struct trends *t);
void trends_close(struct trends *t);
/* Adds `n` to the figure's number of that hour; for TREND_P99_US keeps the larger of the old and
 * the new number. `name`: "" = not known; too long a name counts as not known. */
void trends_add(struct trends *t, enum trend what, const char *name, uint64_t wall_s, uint64_t n);
/* Notes that a generation came into force, or (`back`) that the box went back to it. */
void trends_mark(struct trends *t, uint64_t wall_s, uint32_t generation, bool back);
/* Writes the last hours to the file. What could not be written is tried again at the next call. */
void trends_save(struct trends *t);
/*
 * The counts in the form of docs/json.md; owned by the caller; NULL = no memory. `days`: the sums
 * of the last 400 days, each beginning at midnight in the time zone `east_s` seconds east of UTC;
 * else the last TRENDS_RECENT hours.
 */
json_t *trends_json(struct trends *t, bool days, int32_t east_s, uint64_t wall_s);

#endif
