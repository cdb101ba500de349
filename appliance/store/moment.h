/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores the latest moment that the box has seen, and the boot id of the start in which its clock
 * was trusted. So a clock that went back while the power was off cannot reopen conduits that had
 * ended. If the file cannot be read and no source of time is named, a person has to confirm the
 * clock.
 *
 * The second part is pure: it decides whether a clock is trusted, and when its moment is to
 * be written.
 */
#ifndef SEKISHO_STORE_MOMENT_H
#define SEKISHO_STORE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/base/clock_source.h"
#include "appliance/base/err.h"
#include "appliance/wire/past.h"

struct moment {
	uint64_t latest; /* seconds since 1970 */
	char boot[MOMENT_BOOT];
};

#define MOMENT_TEXT 512u /* room for the text */

/* The text of the file, which enforce writes and reads, and the supervisor keeps on the disk.
 * Returns its length without a NUL. */
size_t moment_write(const struct moment *m, char out[MOMENT_TEXT]);
/* p NULL: there is no file. */
enum moment_found moment_read(const uint8_t *p, size_t n, struct moment *ret);
/* A damaged file stays where it is until the next one is written. */
enum moment_found moment_load(int statefd, struct moment *ret);
/* Whether the record in the run folder counts instead of the one on the disk, which could not be
 * written: it is of this start of the machine, and the other one is not, or is earlier. A former
 * release wrote the one in the run folder only once. */
bool moment_noted(int runfd, int statefd, const char *boot);

/* ---- is the clock trusted -------------------------------------------------------------------- */

extern const char *const clock_wait_words[]; /* by enum clock_wait, then NULL */

struct clock_facts {
	uint64_t now;		 /* seconds since 1970, by the clock in question */
	enum moment_found found; /* the state of the record, whose value is `latest` */
	uint64_t latest;
	bool same_boot; /* the clock has been trusted since the machine started */
	/* the kernel's table has open elements that end by time, left by an earlier daemon */
	bool stands;
	uint64_t policy; /* when the policy came into force; used if there is no record */
	bool sources;	 /* box.cfg names sources of time */
	enum clock_sync sync;
	bool battery; /* there is an RTC; the following field is its time */
	uint64_t battery_s;
};

enum clock_wait clock_judge(const struct clock_facts *f);

/* ns for which a trusted clock runs without being set before its time is stored (again) */
#define MOMENT_EVERY_NS 3600000000000ull

struct clock_steady {
	struct clock_pair pair;
	/* monotonic: when the clock was last set, or its moment last stored */
	uint64_t since_ns;
};

/* True when `latest` should be written now; the wait then starts anew. Call it every minute or
 * so. */
bool clock_steady_due(struct clock_steady *s, struct mono now, uint64_t wall_ns);

/* ---- does the clock follow a source ---------------------------------------------------------- */

/* A change of the kernel's state counts when it has lasted for so long: a restart of the time
 * daemon is no loss of its sources. */
#define FOLLOW_SETTLES_NS 60000000000ull

/* Starts as zeros. */
struct clock_follow {
	enum clock_sync is;   /* the state that counts, CLOCK_SYNC_UNKNOWN at first */
	enum clock_sync seen; /* the last one */
	/* monotonic time since when `seen` has lasted, 0 = nothing was seen */
	uint64_t seen_ns;
	uint64_t seen_wall_ns, since_wall_ns;
};

/*
 * Saves or loads the state that counts, since when it has lasted, and the boot id, in a file of the
 * folder, so that a new process does not report the same change again. A file of another boot, or
 * one that cannot be read, is ignored, and f is unchanged.
 */
int clock_follow_save(int dirfd, const char *boot, const struct clock_follow *f, struct err *e);
bool clock_follow_load(int dirfd, const char *boot, struct clock_follow *f);
/* To be called at each look. True when the state that counts (whether the clock follows a source)
 * has changed, or is the first one; since_wall_ns says since when. */
bool clock_follow_look(struct clock_follow *f, enum clock_sync word, struct mono now, uint64_t wall_ns);

#endif
