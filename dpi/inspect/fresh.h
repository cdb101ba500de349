/* SPDX-License-Identifier: Apache-2.0 */
/* New bytes of a followed stream, in order: is it what was promised, are its commands allowed? What passes is kept. */
#ifndef SEKISHO_DPI_INSPECT_FRESH_H
#define SEKISHO_DPI_INSPECT_FRESH_H

#include "dpi/inspect/crossing.h"

/*
 * Bytes that passed go once more when their sender believes them lost, and then perhaps in other segments than before. A
 * receiver that really lost them reads them as they are cut now, so the enforcer is asked about that as it was the first time.
 *
 * Whether what passed before may pass as this segment repeats it, or the flow ends.
 */
MUST_SEND struct verdict repeat_judge(struct crossing *x);

/*
 * Segments that arrived before their predecessors. Mostly they pass at once: their receiver can read nothing of them before
 * the gap is filled, and what fills it is judged together with a copy of them. So the receiver says what it lacks, and its
 * sender repeats that alone and soon. A worker that dies takes the copies with it; where its successor would go on with a
 * session (when_midstream pick_up), or packets may pass without a worker, only whole allowed PDUs pass like this, and the
 * others are held: undecided, with a copy of its packet in the shared pool,
 * until the gap is filled or its time is over; then it is decided like any other, or dropped so that its sender repeats it.
 *
 * Passes with a copy kept, or waits.
 */
MUST_SEND struct verdict ahead_take(struct crossing *x);

MUST_SEND struct verdict fresh_judge(struct crossing *x, struct stream_result *s);

#endif
