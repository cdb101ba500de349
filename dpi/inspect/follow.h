/* SPDX-License-Identifier: Apache-2.0 */
/* TCP: what the stream gate says about a segment, and what follows from it for the flow. */
#ifndef SEKISHO_DPI_INSPECT_FOLLOW_H
#define SEKISHO_DPI_INSPECT_FOLLOW_H

#include "dpi/inspect/crossing.h"

/* A segment of a flow, as it comes or when its turn is there: byte by byte, or half-way when its place is not known. */
MUST_SEND struct verdict follow(struct crossing *x);
/* One whose bytes do not come in order any more: it is met half-way from here on. */
MUST_SEND struct verdict follow_half_way(struct crossing *x);
/* A SYN, of a flow that is new or begins anew. */
MUST_SEND struct verdict follow_open(struct crossing *x);

#endif
