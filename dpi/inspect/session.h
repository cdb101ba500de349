/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP: finds the flow of a segment, or opens or restarts one, and handles what does not depend on
 * the stream: impossible flags, Multipath TCP, text in resets, flows that were refused, or that
 * need no further inspection.
 */
#ifndef SEKISHO_DPI_INSPECT_SESSION_H
#define SEKISHO_DPI_INSPECT_SESSION_H

#include "dpi/inspect/crossing.h"

/* Judges a segment of a flow, when it arrives or when its turn has come: in stream order, or as met
 * half-way when the position in the stream is not known. */
MUST_SEND struct verdict session_follow(struct crossing *x);
/* The bytes of the flow are not in order any more: from here on it is treated as met half-way. */
MUST_SEND struct verdict follow_half_way(struct crossing *x);

/* Finds or opens the flow of a segment. STEP_ON: the flow of `x` is known, and it is the turn of
 * this segment. */
MUST_SEND struct verdict session_meet(struct crossing *x);

#endif
