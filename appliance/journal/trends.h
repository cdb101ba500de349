/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passed and what was refused, by hour, for 400 days: for pictures of time. Journal role only;
 * kept in the file `trends` beside the records, which never has more than TRENDS_BYTES and is
 * written in place, a number at a time. It proves nothing and is no record: what is damaged is
 * begun anew, and what a disk does not take is left out.
 *
 * A series is one figure of one thing: the sessions of a conduit, the refusals of a zone. Peers
 * choose what is refused and policies what conduits are called, so there are TRENDS_SERIES of them;
 * what finds no place is counted in the series without a name. A series of which nothing came for
 * 400 days gives its place away.
 *
 * Hours are those of the clock (UTC). Where it was set back, what comes is added to the hours that
 * it says.
 */
#ifndef SEKISHO_JOURNAL_TRENDS_H
#define SEKISHO_JOURNAL_TRENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"

#define TRENDS_DAYS 400u
#define TRENDS_HOURS (TRENDS_DAYS * 24u)
#define TRENDS_SERIES 256u
#define TRENDS_MARKS 256u  /* changes of the policy, the last ones */
#define TRENDS_RECENT 336u /* hours that are shown one by one: two weeks */
#define TRENDS_NAME 65u	   /* of a conduit or zone, with its NUL */
#define TRENDS_HEAD 64u	   /* bytes */
#define TRENDS_MARK 16u
#define TRENDS_ROW (80u + 4u * TRENDS_HOURS)
/* 9.9 MB; a series that was never counted takes no room on the disk */
#define TRENDS_BYTES (TRENDS_HEAD + TRENDS_MARKS * TRENDS_MARK + TRENDS_SERIES * TRENDS_ROW)

/* Figures. The file has their numbers: new ones go to the end. */
enum trend {
	TREND_NONE,
	TREND_SESSIONS,	    /* of a conduit: that began */
	TREND_REFUSED,	    /* of a conduit: packets, requests or sessions */
	TREND_ZONE_REFUSED, /* of the zone that they came from */
	TREND_SERIOUS,	    /* serious records: what rings an alarm */
	TREND_INSPECTED,    /* packets */
	TREND_P99_US,	    /* of inspection: that of an hour's worst minute */
	TREND_COUNT
};

/* A series as it stands: its last hour, of which the number is not in the file yet. */
struct trend_series {
	uint8_t what; /* enum trend; TREND_NONE = the place is free */
	char name[TRENDS_NAME];
	uint32_t hour; /* since 1970 */
	uint32_t now;  /* its number */
	bool changed;
};

/* Start from zero bytes. */
struct trends {
	bool open; /* false: there is no file, and nothing is counted */
	int fd;
	uint32_t begun_hour;
	uint32_t n_marks; /* that there were, at all */
	struct trend_series series[TRENDS_SERIES];
	bool changed;
};

/* In that folder. A file that is none of ours is set aside as `trends.damaged`. 0 or negative
 * errno, with nothing open. */
int trends_open(int folder, uint64_t wall_s, struct trends *t);
void trends_close(struct trends *t);
/* So many more, or for TREND_P99_US the larger of both. `name`: "" = nobody knows of what; longer
 * ones count as that. */
void trends_add(struct trends *t, enum trend what, const char *name, uint64_t wall_s, uint64_t n);
/* A generation came into force, or (`back`) the box went back to it. */
void trends_mark(struct trends *t, uint64_t wall_s, uint32_t generation, bool back);
/* The last hours to the file; what it does not take is tried again at the next call. */
void trends_save(struct trends *t);
/*
 * As docs/json.md has it; the caller owns it. NULL: no memory. `days`: the 400 days up to now, each
 * from midnight `east_s` seconds east of Greenwich; else the last TRENDS_RECENT hours.
 */
json_t *trends_json(struct trends *t, bool days, int32_t east_s, uint64_t wall_s);

#endif
