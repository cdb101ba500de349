/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest moment that this box knows of, on disk, and in which start of the machine its clock was trusted: so that a clock which
 * fell back while the power was off opens nothing that had ended. Supervisor only. What cannot be read is never believed.
 *
 * The second part decides, from facts alone: whether a clock is trusted, and when its moment is worth writing.
 */
#ifndef SEKISHO_STORE_MOMENT_H
#define SEKISHO_STORE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/base/clock_source.h"
#include "appliance/base/err.h"

#define MOMENT_BOOT 40u /* bytes of a boot id with its NUL */

struct moment {
	uint64_t latest; /* seconds since 1970 */
	char boot[MOMENT_BOOT];
};

enum moment_found { MOMENT_NONE, MOMENT_DAMAGED, MOMENT_READ };

/* A damaged file stays where it is until the next one is written. */
enum moment_found moment_load(int statefd, struct moment *ret);
int moment_save(int statefd, const struct moment *m, struct err *e);

/* ---- is the clock trusted ----------------------------------------------------------------------------------------- */

enum clock_wait {
	CLOCK_TRUSTED,
	CLOCK_WAITS_EARLIER, /* earlier than the record */
	CLOCK_WAITS_SOURCE,  /* sources of time are named, and the kernel's clock follows none */
	CLOCK_WAITS_BATTERY, /* no source, and the clock with the battery shows another day */
	CLOCK_WAITS_RECORD,  /* no source, and the record cannot be read */
	CLOCK_WAITS_DAEMON,  /* what ends was closed, and there is no daemon that would open it */
	CLOCK_WAITS
};

extern const char *const clock_wait_words[]; /* by enum clock_wait, then NULL */

struct clock_facts {
	uint64_t now;		 /* seconds since 1970, by the clock in question */
	enum moment_found found; /* and what was found: */
	uint64_t latest;
	bool same_boot;	 /* it was trusted since the machine started */
	bool stands;	 /* what ends by time stands open in the kernel, as a daemon before this one has left it */
	uint64_t policy; /* when the policy came into force; counts where there is no record */
	bool sources;	 /* box.cfg names sources of time */
	enum clock_sync sync;
	bool battery; /* there is a clock with a battery, which shows: */
	uint64_t battery_s;
};

enum clock_wait clock_judge(const struct clock_facts *f);

/* Of a clock that is trusted: has it gone on evenly for so long that its moment is worth keeping? */
#define MOMENT_EVERY_NS 3600000000000ull

struct clock_steady {
	struct clock_pair pair;
	uint64_t since_ns; /* monotonic: it was not set since, nor written */
};

/* True when `latest` should be written now; it then starts to wait anew. Call it every minute or so. */
bool clock_steady_due(struct clock_steady *s, struct mono now, uint64_t wall_ns);

/* ---- does the clock follow a source ------------------------------------------------------------------------------- */

/* Another word of the kernel's counts when it has held for so long: a time daemon that begins anew is no loss of its sources. */
#define FOLLOW_SETTLES_NS 60000000000ull

/* Starts as zeros. */
struct clock_follow {
	enum clock_sync is;   /* the settled word, CLOCK_SYNC_UNKNOWN before the first */
	enum clock_sync seen; /* the last one */
	uint64_t seen_ns;     /* monotonic: since then, 0 = nothing was seen */
	uint64_t seen_wall_ns, since_wall_ns;
};

/*
 * The settled word, since when, and in which start of the machine: in the run folder, so that a daemon which is started anew does not find once
 * more what was found. What is of another start, or cannot be read, is as if it were not there: then f is as it was.
 */
int clock_follow_save(int runfd, const char *boot, const struct clock_follow *f, struct err *e);
bool clock_follow_load(int runfd, const char *boot, struct clock_follow *f);
/* One look. True: it follows a source now, or none any more, since since_wall_ns; of the first word too. */
bool clock_follow_look(struct clock_follow *f, enum clock_sync word, struct mono now, uint64_t wall_ns);

#endif
