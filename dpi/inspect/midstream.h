/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of which not everything went by here: met half-way after a restart, or with packets that a full queue let pass.
 *
 * Of a session met half-way nothing is known but what its packets say. It is picked up at a segment of exactly whole PDUs.
 * Where the session's place was known, only the direction that lacks bytes is adrift: it goes on where its receiver says
 * that it is, and is judged again from the next segment of exactly whole PDUs. Until then the conduit's failure decision
 * speaks: `closed` lets no byte by that nobody has judged, the others keep the session alive for a while.
 */
#ifndef SEKISHO_DPI_INSPECT_MIDSTREAM_H
#define SEKISHO_DPI_INSPECT_MIDSTREAM_H

#include "dpi/inspect/crossing.h"

/* A session of this permit can be picked up: where only a name is promised, none is. */
bool midstream_picks_up(const struct command_table *t, const struct command_permit *permit);
/* A segment of a session whose place is not known. */
MUST_SEND struct verdict midstream_meet(struct crossing *x);
/* For sessions that outlive a worker only: STEP_ON unless this one is none of them. */
MUST_SEND struct verdict midstream_refuse_pick_up(struct crossing *x);
/* Nothing whole yet: STEP_ON when it may pass unjudged for now. */
MUST_SEND struct verdict midstream_await_boundary(struct crossing *x);
/* Repeats what came before the pick-up and its receiver lacks: judged from there on, where it can be read; else STEP_ON. */
MUST_SEND struct verdict midstream_go_back(struct crossing *x);
/* Bytes are missing for good: waits for the next pick-up. */
MUST_SEND struct verdict midstream_await(struct crossing *x);
/* Both ends agree on bytes that never went by here, again and again: what its conduits say of a session met half-way. */
MUST_SEND struct verdict midstream_give_up_place(struct crossing *x);
/* Nothing may be stopped and this cannot be kept: only numbers from here on. */
MUST_SEND struct verdict midstream_lose_track(struct crossing *x);
/* Where what this acknowledges, or what is before it, went by unseen, the session goes on there; else STEP_ON. */
MUST_SEND struct verdict midstream_go_on_behind(struct crossing *x);
MUST_SEND struct verdict midstream_go_on_at(struct crossing *x);

/* Dropped, because what is before it did not come. */
void midstream_note_given_up(struct crossing *x);
/* Acknowledges what did not go by here. Numbers far ahead are nobody's. */
bool midstream_acknowledges_unseen(const struct crossing *x);
/* Whether packets of its lane may go by while this worker lives: a full queue lets them. */
bool midstream_may_miss(const struct crossing *x);

/*
 * What a capture lacks. Its packets come in the order of their ends (mgmt/cli/replay/order.c), so whatever is not there when a
 * segment has its turn will never come. A segment is made one of an ordinary stream before anybody looks at it: bytes before
 * it that are missing are skipped, as are those that it acknowledges; numbers that nobody sent are not believed.
 *
 * STEP_ON: the segment is neither ahead of its stream nor acknowledges what is ahead of the other.
 */
MUST_SEND struct verdict captured_prepare(struct crossing *x);

#endif
