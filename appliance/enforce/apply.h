/* SPDX-License-Identifier: Apache-2.0 */
/* One apply: lingering permits, sessions that it cuts, commit. */
#ifndef SEKISHO_ENFORCE_APPLY_H
#define SEKISHO_ENFORCE_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/json.h"
#include "appliance/wire/past.h"

struct enforce;
struct err;
struct generation_held;

/* Sessions on which an apply has the same effect: as JSON for people and, in the same order, as
 * records for MSG_APPLIED. */
struct told_sessions {
	json_t *json;	       /* an array; owned */
	struct outbuf records; /* its memory is owned */
	uint64_t n, more;      /* number of sessions in the list, and of those that did not fit */
	size_t bytes;	       /* bytes of their text */
};

/* The effect of an apply on the sessions that pass now. */
struct told {
	struct told_sessions cut, changed;
	uint64_t live;
};

struct sync_report {
	bool rules;   /* rules were refilled */
	bool rebuilt; /* the table had to be deleted and made again */
	size_t added, gone, messages;
	uint32_t line; /* policy line of a refusal, 0 = none */
};

struct apply_result {
	struct told told; /* owned by the caller: told_free */
	struct sync_report report;
	uint32_t lingering;	    /* number of permits that are kept for their sessions */
	uint32_t line;		    /* policy line of a refusal; 0 = none */
	enum clock_wait clock_wait; /* how conduits of this generation wait */
};

/*
 * Takes over `next` if f->now is `next` afterwards. That is so after success, unless this was a dry
 * run, and if the first policy of all was committed but forwarding could not be turned on.
 * Otherwise `next` stays the caller's. After a failure nothing has changed, except that forwarding
 * is off if settings could not be made safe.
 */
int enforce_apply(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		  struct err *e);
/* Makes the kernel's table equal to the generation in force, whatever the table has now. 0 or
 * negative errno. */
int enforce_mend(struct enforce *f, struct err *e);
/* Repeats enforce_mend if the last one failed: otherwise a comparison would take the remaining
 * differences for changes by others. */
void enforce_mend_due(struct enforce *f);
/* Sets whether everything with an end has to wait for a trusted clock. */
void enforce_waits(struct enforce *f, bool waits);
void enforce_waits_due(struct enforce *f); /* completes enforce_waits if that failed */
/* Sets the network settings, reads them back, and turns forwarding on. After a failure, forwarding
 * is off. */
int enforce_open(struct enforce *f, struct err *e);
/* Drops lingering permits that no session uses any more. */
void enforce_linger(struct enforce *f);
/* pairs.c: sends the pairs of addresses between which gates may send resets for strays
 * (wire/pairs.h). */
void enforce_pairs_tell(const struct enforce *f);

#endif
