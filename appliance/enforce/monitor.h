/* SPDX-License-Identifier: Apache-2.0 */
/* Notices and records changes by others, and turns forwarding off at the first one. */
#ifndef SEKISHO_ENFORCE_MONITOR_H
#define SEKISHO_ENFORCE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"

struct differences;
struct enforce;

#define DEEDS 14u /* kinds of changes: appliance/wire/deed.def */

/* Changes by others since the last reaction to them. */
struct meddling {
	/* Forwarding is off because our table was changed, or because it is not known which table
	 * was. */
	bool table;
	bool beside;	    /* another program's table was changed */
	uint64_t beside_ns; /* monotonic: when such a change was first reported */
	/* the present call of monitor_glance has read no report about our table yet */
	bool fresh;
	bool touched;  /* the transaction that is being reported changed our table */
	uint32_t news; /* how often forwarding was turned off */
	/* the longest time that forwarding may have been on with a changed table */
	uint64_t gap_ns;
	uint64_t shut_ns; /* monotonic: when forwarding was last turned off */
	uint32_t pid;	  /* the author's pid, as the kernel reports it; 0 = it did not */
	char process[17];
	struct {
		uint32_t n;
		char first[32]; /* chain or set of the first change of this kind */
	} deeds[DEEDS];
	char trouble[160]; /* why forwarding could not be turned off */
};

/* Counters of this thread before it went to sleep. */
struct sleep_counters {
	bool counted;
	uint64_t waited_ns, sleeps;
};

/* Our rules as others may have changed them. */
struct watched {
	int monitor;
	/* file that tells how long this thread waited for a processor; -1 = the kernel has none */
	int delay;
	struct meddling meddling;
	struct sleep_counters sleep;
	uint64_t monitor_empty_ns; /* monotonic: when the monitor last had nothing to read */
	/* monotonic: changes that are read now did not happen before this time */
	uint64_t change_since_ns;
	/* we turned forwarding off, and could not turn it on again yet */
	bool shut;
	uint64_t shut_told_ns; /* monotonic: when `shut` was recorded; 0 = it was not */
	/* monotonic: when the table was last read and found right; 0 = never */
	uint64_t equal_ns;
	bool compare_due; /* it is to be read at the next turn */
	uint64_t drifts;
	uint64_t drift_wall_ns; /* wall clock ns of the last drift, 0 = none */
	/* digest of the foreign objects that were last reported */
	uint8_t foreign_seen[32];
	/* digest of the settings that could not be set, as last reported */
	uint8_t settings_seen[32];
};

int monitor_open_delay(void);	       /* an owned descriptor, or -1 */
void monitor_sleep(struct enforce *f); /* before poll() */
void monitor_woken(struct enforce *f); /* after poll(), when the monitor is readable */
/* Reads the reported changes without waiting, and turns forwarding off if our table may have been
 * changed. Long work calls it often. */
void monitor_glance(struct enforce *f);
/* Turns forwarding off. To be called when the table could not be read or is wrong; it was right
 * before `since_ns`. */
void monitor_shut(struct enforce *f, uint64_t since_ns);

/*
 * The record of a change of the rules by others. The journal gets one event for each difference,
 * with the author and the state before and after; the supervisor gets one line. Differences are
 * collected while they are found, and sent when it is known whether they could be mended.
 */
#define RECORD_EVENTS 8u /* events of one change; the last one tells how many more there were */

struct drift_record {
	struct event list[RECORD_EVENTS];
	unsigned n;
	size_t more;
};

/* Adds a difference. `before`: what the policy says; `after`: what was found; "" = nothing. */
void record_add(struct drift_record *r, const char *object, const char *before, const char *after);
void record_differences(struct drift_record *r, const struct differences *d);
/* As record_differences, for differences that were found when this role began. Leaves out elements,
 * which may differ because a device has another index. */
void record_unwatched(struct drift_record *r, const struct differences *d);
/*
 * Sends the events. `gap_us`: for how long the changed rules may have been in effect; `back_us`:
 * for how long nothing passed afterwards. `trouble`: why the rules could not be mended; "" = they
 * were. The author and the kinds of changes come from f->watched.meddling.
 */
void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble);
/* Records that forwarding is on again, if a DRIFT_SHUT was recorded. */
void record_opened(struct enforce *f);

#endif
