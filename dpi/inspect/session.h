/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP: whose segment is it? Finds its flow, or opens or restarts one, and settles what needs no look at the stream: impossible
 * flags, Multipath TCP, text in resets, flows that were refused or let go of.
 */
#ifndef SEKISHO_DPI_INSPECT_SESSION_H
#define SEKISHO_DPI_INSPECT_SESSION_H

#include "dpi/inspect/crossing.h"

/* A segment of a flow, as it comes or when its turn is there: byte by byte, or half-way when its place is not known. */
MUST_SEND struct verdict follow(struct crossing *x);
/* One whose bytes do not come in order any more: it is met half-way from here on. */
MUST_SEND struct verdict follow_half_way(struct crossing *x);

/* STEP_ON: x's flow is known and this segment has its turn in it. */
MUST_SEND struct verdict session_meet(struct crossing *x);

#endif
