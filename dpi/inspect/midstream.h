/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that the worker did not see completely: it met them half-way after a restart, or a full
 * queue let packets pass.
 *
 * A session that was met half-way is picked up at a segment that consists of whole PDUs. If the
 * position in the stream was known before, only the direction that lacks bytes has lost its
 * position ("adrift"). That direction continues at the number that its receiver acknowledges, and
 * is judged again from the next segment that consists of whole PDUs. Until then the conduit's
 * `when_down` applies, or its `when_overloaded` if a full queue let packets pass: with `closed` no
 * unjudged byte passes; with the other settings bytes pass for a limited time.
 */
#ifndef SEKISHO_DPI_INSPECT_MIDSTREAM_H
#define SEKISHO_DPI_INSPECT_MIDSTREAM_H

#include "dpi/inspect/crossing.h"

/* Whether sessions of this permit can be picked up. They cannot where the permit asks only for
 * a protocol. */
bool midstream_picks_up(const struct command_table *t, const struct command_permit *permit);
/* Handles a segment of a session whose position is not known. */
MUST_SEND struct verdict midstream_meet(struct crossing *x);
/* Refuses sessions that must not be picked up. STEP_ON when this session may outlive a worker. */
MUST_SEND struct verdict midstream_refuse_pick_up(struct crossing *x);
/* The segment does not consist of whole PDUs. STEP_ON when it may pass unjudged for now. */
MUST_SEND struct verdict midstream_await_boundary(struct crossing *x);
/* The segment repeats bytes from before the pick-up that its receiver lacks. If they can be read,
 * the session is judged from these bytes on; else STEP_ON. */
MUST_SEND struct verdict midstream_go_back(struct crossing *x);
/* Bytes are missing for good, so the session waits for the next pick-up. */
MUST_SEND struct verdict midstream_await(struct crossing *x);
/* Both ends repeatedly agree on bytes that never passed here. The session is then treated as met
 * half-way, as its conduits say. */
MUST_SEND struct verdict midstream_give_up_place(struct crossing *x);
/* To be called if the conduits only observe, and the bytes cannot be kept. From here on, only
 * sequence numbers are followed. */
MUST_SEND struct verdict midstream_lose_track(struct crossing *x);
/* If bytes passed unseen that this segment acknowledges, or that precede it, the session continues
 * after them; else STEP_ON. */
MUST_SEND struct verdict midstream_go_on_behind(struct crossing *x);
MUST_SEND struct verdict midstream_go_on_at(struct crossing *x);

/* Notes that the segment was dropped because the bytes before it did not come. */
void midstream_note_given_up(struct crossing *x);
/* Whether the segment acknowledges bytes that did not pass here. Numbers far ahead are ignored. */
bool midstream_acknowledges_unseen(const struct crossing *x);
/* Whether packets of the lane may pass this worker unseen, because a full queue lets them pass. */
bool midstream_may_miss(const struct crossing *x);

/*
 * For captures that lack packets. The packets are sorted in the order in which the ends sent and
 * received them (mgmt/cli/replay/order.c), so bytes that are missing when a segment has its turn
 * will never come. Before a segment is judged, the missing bytes before it, and the missing bytes
 * that it acknowledges, are skipped. Impossible sequence numbers are ignored.
 *
 * STEP_ON: the segment is now next in its direction, and acknowledges no byte that the other
 * direction lacks.
 */
MUST_SEND struct verdict captured_prepare(struct crossing *x);

#endif
