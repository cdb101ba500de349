/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the next PDU in a capture that lacks bytes. Bytes after a gap, or at the start of a capture
 * that begins in the middle of a session, are kept and searched for the position where PDUs begin.
 * The search does not go beyond bytes that may begin a PDU whose end has not come yet, because the
 * data of a write can look like a read.
 *
 * Bytes before that position are counted as unread. If they are shorter than a PDU and contain
 * none, they are the rest of a PDU that the capture does not have. Otherwise, or when no position
 * is found by the end, the session counts as not judged, and its record says so.
 */
#ifndef SEKISHO_DPI_INSPECT_SEARCH_H
#define SEKISHO_DPI_INSPECT_SEARCH_H

#include "dpi/inspect/crossing.h"

/* Whether the inspector searches for PDUs, which it does in captures only. */
static inline bool search_is_on(const struct inspector *i)
{
	return i->limits.gaps_stay;
}

/* Notes a segment that repeats earlier bytes, or bytes from before the session was picked up. They
 * are not read. */
void search_note_before(struct crossing *x);
/* These bytes are no PDU. Starts a search for the next one; false when the inspector does
 * not search. */
bool search_goes_on(struct crossing *x);
/* Bytes of this direction were missed. STEP_ON: `s` now begins with a PDU, or completes a
 * kept one. */
MUST_SEND struct verdict search_boundary(struct crossing *x, struct stream_result *s, bool turned);
/* Counts the kept bytes that belong to no PDU. Called before the flow frees its bytes. */
void search_end(struct flow *f);

#endif
