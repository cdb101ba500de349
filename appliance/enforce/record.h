/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of a change of the rules by others: to the journal one event for each difference, with
 * the state before and after and who did it; to the supervisor one line. Collected while
 * differences are found, sent when the outcome is known.
 */
#ifndef SEKISHO_ENFORCE_RECORD_H
#define SEKISHO_ENFORCE_RECORD_H

#include "appliance/enforce/enforce.h"

#define RECORD_EVENTS 8u /* of one change; how many more there were stands in the last */

struct drift_record {
	struct event list[RECORD_EVENTS];
	unsigned n;
	size_t more;
};

/* `before` what the policy says, `after` what was found; "" = nothing. */
void record_add(struct drift_record *r, const char *object, const char *before, const char *after);
void record_differences(struct drift_record *r, const struct differences *d);
/* The same of what was found at a start: elements may differ because a device came anew, rules and
 * chains may not. */
void record_unwatched(struct drift_record *r, const struct differences *d);
/*
 * `gap_us`: for how long others may have decided what passes; `back_us`: then nothing passed for so
 * long. `trouble`: what stands in the way of setting it right, "" = nothing. Who did it and what is
 * taken from f->meddling.
 */
void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble);
/* Forwarding is on: the end of a DRIFT_SHUT that is on record. */
void record_opened(struct enforce *f);

#endif
