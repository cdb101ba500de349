/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control watches by itself, so that people know in time. Most watchers are rows of watch.c:
 * when each looks. A watcher is only its state here, its look, and what the status says of it.
 */
#ifndef SEKISHO_CONTROL_WATCH_H
#define SEKISHO_CONTROL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock_source.h"
#include "appliance/base/json.h"
#include "appliance/control/asker.h"
#include "appliance/control/ending.h"
#include "appliance/store/moment.h"

struct control;

enum watch_of {
	WATCH_REVIEW,
	WATCH_TRIED,
	WATCH_NEAR_END,
	WATCH_CERTIFICATES,
	WATCH_UNINSPECTED,
	WATCH_UNHEARD,
	WATCHES
};

struct watch {
	uint64_t at; /* monotonic ns of the next look */
	/* at the last look: the generation in force, and whether the clock was trusted */
	uint64_t generation;
	bool trusted;
};

void watches_due(struct control *s, uint64_t now);
uint64_t watches_next(const struct control *s); /* monotonic ns */

/* ---- review.c -------------------------------------------------------------------------------- */

/*
 * Overdue entries (overdue.c) are an alarm (`reviews` of the status). It is recorded when an entry
 * becomes overdue, and when none is overdue any more. No traffic is stopped. What was recorded is
 * kept in memory only, so it is recorded again after a start.
 */
struct reviews {
	uint8_t digest[32]; /* digest of the entries that were last recorded */
};

void review_look(struct control *s, uint64_t now);
/* For `status`: {"overdue", "since", "due"}; null while the clock is not trusted. */
json_t *json_reviews(const struct control *s);

/* ---- near_end.c ------------------------------------------------------------------------------ */

/*
 * A conduit that ends soon (ending.c) is an alarm, which comes early enough to extend the conduit
 * before its sessions are cut. The beginning of the alarm is recorded. The time since when a
 * conduit is in force is carried from policy to policy; after a start it is read from the stored
 * generations. Which alarms were recorded is kept in memory only, so they are recorded again after
 * a start.
 */
struct near_ends {
	uint64_t generation; /* generation that was read last; 0 = none */
	unsigned back;	     /* how many generations have been read since the start */
	struct endings endings;
};

void near_end_look(struct control *s, uint64_t now);
/* Takes an earlier generation that was asked for. */
void near_end_told(struct control *s, struct asker a, int status, int fd);
/* For `status`: {"near", "conduits"}; null while the clock is not trusted. */
json_t *json_ending(const struct control *s);

/* ---- clock.c --------------------------------------------------------------------------------- */

/* Whether the clock follows a source of time. */
struct clock_source {
	uint64_t look_at; /* monotonic ns */
	struct clock_follow follow;
	bool read;    /* an earlier control's state was looked for */
	bool unsaved; /* the last settled state is not in the folder yet */
};

void source_due(struct control *s, uint64_t now);
uint64_t source_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* Since when (wall ns) the kernel's present answer is valid; 0 = not known. */
uint64_t source_since(const struct control *s, enum clock_sync now);

#endif
