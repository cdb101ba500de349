/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the clock is trusted. */
#ifndef SEKISHO_ENFORCE_TRUST_H
#define SEKISHO_ENFORCE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/store/moment.h"
#include "appliance/wire/past.h"

struct enforce;
struct generation_held;
struct msg;

/* Whether the clock has been trusted since the machine started (trust.c). */
struct trust {
	char boot[MOMENT_BOOT];	 /* boot id of this start of the machine */
	int battery;		 /* owned: the battery-backed clock, -1 = there is none */
	enum moment_found found; /* the record on the disk: `moment` */
	struct moment moment;
	/* seconds since 1970: when the confirmed policy came into force. If there is no record of
	 * the latest moment, this is the latest time that is known */
	uint64_t policy;
	enum clock_wait wait;
	bool told;   /* an event that the clock is not trusted was recorded */
	bool stands; /* the rules of an earlier daemon have elements that end by time */
	/* the confirmed policy names time sources. A policy on trial must not make a clock trusted
	 * for longer than the trial */
	bool sources;
	uint64_t keep_ns; /* monotonic: when to look again at a trusted clock */
	struct clock_steady steady;
};

/* What ends by time, and the clock that decides it. */
struct timing {
	struct trust trust;
	/* the clock is not trusted, so everything with an end is left out */
	bool waits;
	bool waits_due; /* `waits` has changed, and the kernel does not have it yet */
	/* the clock was set, and the expiry times in the kernel are not right yet */
	bool clock_due;
	bool relabel_due; /* some sessions may be outside of their permit's cells */
	struct clock_pair clocks;
	/* seconds since 1970: sessions that ended by this time were reported */
	uint64_t ended_s;
	/* seconds since 1970: for permits that end by this time, the counters were read just
	 * before */
	uint64_t used_until_s;
	uint64_t lasting_ns; /* monotonic: when sessions with a limit are read again */
};

/* To be called before the sandbox closes. */
void trust_open(struct trust *t);
/* Takes the record on the disk, or (with the id of an order) a person's word that the clock is
 * right. False: the message is malformed. */
bool enforce_trust(struct enforce *f, struct msg *m);
/* To be called before `next` is applied or tried. While no policy is in force, the clock is judged
 * by the time sources of `next`. */
void enforce_trust_before(struct enforce *f, const struct generation_held *next);
/* A generation has come into force. `had_sources`: the one before it named time sources. */
void enforce_trust_after(struct enforce *f, bool had_sources);
void enforce_trust_due(struct enforce *f); /* every second */
/* How the conduits of `g` with an end would wait for the clock. `tried`: `g` is on trial, and the
 * policy before it names time sources. */
enum clock_wait enforce_trust_waits(const struct enforce *f, const struct generation_held *g, bool tried);

#endif
