/* SPDX-License-Identifier: Apache-2.0 */
/* Judges new bytes of a followed stream, in order: their protocol and their commands. Bytes that
 * pass are kept. */
#ifndef SEKISHO_DPI_INSPECT_FRESH_H
#define SEKISHO_DPI_INSPECT_FRESH_H

#include "dpi/inspect/crossing.h"

/*
 * A sender that takes bytes for lost retransmits them, perhaps cut into other segments. A receiver
 * that did not get the first segments reads the new ones. So the enforcer judges the new segments
 * as it judged the first ones.
 *
 * Judges the retransmission in this segment. If it may not pass in this form, the flow ends.
 */
MUST_SEND struct verdict repeat_judge(struct crossing *x);

/*
 * Segments that arrive before earlier segments of their stream. Most of them pass at once, and a
 * copy is kept. The receiver cannot read them until the gap is filled, and the segment that fills
 * the gap is judged together with the copies. So the receiver can report the gap, and its sender
 * soon repeats only the missing bytes.
 *
 * The copies are lost if the worker dies. If its successor would then continue the session
 * (when_midstream pick_up), or packets may pass without a worker, only whole allowed PDUs pass in
 * this way. Other segments wait undecided, with a copy of the packet in the shared pool. When the
 * gap is filled, they are decided like any other segment; when their time is over, they are
 * dropped, and the sender repeats them.
 *
 * Lets the segment pass and keeps a copy, or makes it wait.
 */
MUST_SEND struct verdict ahead_take(struct crossing *x);

MUST_SEND struct verdict fresh_judge(struct crossing *x, struct stream_result *s);

#endif
