/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the clock trusted since the machine started? What a conduit's `until` means depends on it: while it is not, enforce leaves out
 * all that ends by time, and this file looks every second. Once trusted it stays so until the machine starts again; then
 * only its latest moment is kept on disk. The rules are clock_judge's (store/moment.h). That it lost its source later changes nothing of that, and
 * is recorded, once when it is lost and once when it is back, however often the daemon starts meanwhile.
 */
#ifndef SEKISHO_SUPERVISE_CLOCK_H
#define SEKISHO_SUPERVISE_CLOCK_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/store/moment.h"
#include "appliance/supervise/asker.h"

struct ir;
struct supervisor;
struct policy;
struct slot;

struct clock_trust {
	char boot[MOMENT_BOOT]; /* of this start of the machine */
	enum moment_found found;
	struct moment moment; /* what is on disk */
	enum clock_wait wait;
	bool told;    /* that it waits was recorded */
	bool unsaved; /* trusted, and not on disk yet */
	bool noted;   /* trusted, and in the run folder, which goes with the power */
	bool stands;  /* while it is opened: clock_facts */
	bool sources; /* the policy that is confirmed names sources: one on trial gives no trust that would outlive it */
	uint64_t look_at; /* monotonic ns */
	struct clock_steady steady;
	uint64_t follow_at; /* monotonic ns: the next look at its source */
	struct clock_follow follow;
	bool follow_unsaved; /* its settled word is not in the run folder yet */
};

void clock_open(struct supervisor *s);
/* Before a generation goes to enforce: an empty one said nothing about sources of time. */
void clock_before(struct supervisor *s, const struct policy *p);
void clock_due(struct supervisor *s, uint64_t now);
uint64_t clock_next(const struct supervisor *s); /* monotonic ns */
void clock_tell(struct supervisor *s);		 /* to enforce */
/* A person says that the clock is right now, whatever is on record. */
void clock_confirm(struct supervisor *s, struct asker a, const char *by);

/* For `status`: {"time", "trusted", "waits", "latest", "synchronised", "since", "sources", "waiting": names of conduits}. */
json_t *json_clock(const struct supervisor *s);
/* For an answer about a policy that is in force or might be: the same of what waits by it, less what is of the clock alone; NULL: nothing does. */
json_t *json_clock_waits(const struct supervisor *s, const struct ir *ir);
/* For `effective`: "waits" of every conduit in j. */
void clock_mark(const struct supervisor *s, json_t *j);
/* Without a daemon, and without writing anything: as the rules have it (enforce/look.h), or where nothing ends as a daemon would find it. */
void clock_look(struct supervisor *s, bool open, bool closed);

#endif
