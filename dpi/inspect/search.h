/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a capture that lacks bytes: where does the next PDU begin? Bytes behind a gap, or at the start of a capture that
 * begins in the middle, are kept and looked through for a place from which on they are PDUs; not behind what may be the beginning of one
 * that is still to come whole, because what a write carries can look like a read. What lies before it is counted
 * as unread. It is the rest of a PDU that the capture does not hold whole as long as it is shorter than one and holds none; more
 * than that, or a place that was not found by the end, is a session that was not judged, and the flow says so.
 */
#ifndef SEKISHO_DPI_INSPECT_SEARCH_H
#define SEKISHO_DPI_INSPECT_SEARCH_H

#include "dpi/inspect/crossing.h"

/* Whether the inspector looks for PDUs at all. */
static inline bool search_is_on(const struct inspector *i)
{
	return i->limits.gaps_stay;
}

/* A segment that says once more what was said already, or what lies before the place at which its session was taken up: nobody reads that. */
void search_note_before(struct crossing *x);
/* These bytes are no PDU. False where nobody looks for the next one. */
bool search_goes_on(struct crossing *x);
/* Bytes of this direction were missed. STEP_ON: `s` begins with a PDU now, or ends one that was kept. */
MUST_SEND struct verdict search_boundary(struct crossing *x, struct stream_result *s, bool turned);
/* Counts what was kept and is not a PDU's; before the flow gives its bytes back. */
void search_end(struct flow *f);

#endif
