/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of a change of the rules by others: to the journal one event for each difference, with
 * the state before and after and the author; to the supervisor one line. Collected while
 * differences are found, sent when the outcome is known.
 */
#ifndef SEKISHO_ENFORCE_RECORD_H
#define SEKISHO_ENFORCE_RECORD_H

#include "appliance/enforce/enforce.h"

#define RECORD_EVENTS 8u /* events of one change; the last one tells how many more there were */

struct drift_record {
	struct event list[RECORD_EVENTS];
	unsigned n;
	size_t more;
};

/* Adds a difference. `before`: what the policy says; `after`: what was found; "" = nothing. */
void record_add(struct drift_record *r, const char *object, const char *before, const char *after);
void record_differences(struct drift_record *r, const struct differences *d);
/* As record_differences, for differences that were found at a start. Elements may differ because a
 * device has another index; rules and chains may not. */
void record_unwatched(struct drift_record *r, const struct differences *d);
/*
 * Sends the events. `gap_us`: for how long the changed rules may have been in effect; `back_us`:
 * for how long nothing passed afterwards. `trouble`: why it could not be mended; "" = it was. The
 * author and the kinds of changes come from f->meddling.
 */
void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble);
/* Records that forwarding is on again, if a DRIFT_SHUT was recorded. */
void record_opened(struct enforce *f);

#endif
