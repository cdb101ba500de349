/* SPDX-License-Identifier: Apache-2.0 */
/* The record of what was used, to and from the supervisor. */
#ifndef SEKISHO_ENFORCE_USED_H
#define SEKISHO_ENFORCE_USED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/enforce/heard.h"
#include "appliance/enforce/matched.h"
#include "appliance/enforce/verify.h"

struct enforce;
struct err;
struct image;
struct msg_used_permit;

/* What the journal was last told (used.c). Starts as zeros. */
struct begun {
	/* owned; the counts of each permit, in halves of sessions; NULL = nothing was told yet */
	struct msg_used_permit *told;
	size_t n;
	uint64_t due_ns;	 /* monotonic */
	uint64_t carried_due_ns; /* monotonic: when packets of sessions are told next */
};

/* What was used, and when. */
struct uses {
	struct matched matched;
	struct begun begun;
	struct labels labels;
	struct heard heard;
};

/* Takes the record of uses that an earlier enforce process made; ignored after the first look. 0,
 * or negative errno: then the record begins anew. */
int enforce_used_heard(struct uses *uses, int fd, struct err *e);
/* Sends the record of uses to the supervisor, unless it has the record of the last look already. */
void enforce_used_tell(struct enforce *f);
/* Reads the counters for the record of uses. To be called when the counters are about to be
 * lost. */
void enforce_used_look(struct enforce *f);
/* Takes a dump that was made while f->now was in force, and reports to the journal how many
 * sessions began: with `at_once` now, otherwise only if a report is due. */
void begun_looked(struct enforce *f, const struct image *have, bool at_once);
/* Reports to the journal how many packets the sessions of each conduit carried, if a report
 * is due. */
void carried_looked(struct enforce *f);
void begun_free(struct begun *b);

#endif
