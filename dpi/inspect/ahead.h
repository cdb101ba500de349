/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments that arrived before their predecessors. Mostly they pass at once: their receiver can read nothing of them before
 * the gap is filled, and what fills it is judged together with a copy of them. So the receiver says what it lacks, and its
 * sender repeats that alone and soon. A worker that dies takes the copies with it; where its successor would go on with a
 * session (when_midstream pick_up), or packets may pass without a worker, only whole allowed PDUs pass like this, and the
 * others are held: undecided, with a copy of its packet in the shared pool,
 * until the gap is filled or its time is over; then it is decided like any other, or dropped so that its sender repeats it.
 */
#ifndef SEKISHO_DPI_INSPECT_AHEAD_H
#define SEKISHO_DPI_INSPECT_AHEAD_H

#include "dpi/inspect/crossing.h"

/* Ahead of a gap: passes with a copy kept, or waits. */
MUST_SEND struct verdict ahead_take(struct crossing *x);

#endif
