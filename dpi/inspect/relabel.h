/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a flow that comes under another permit, or whose permit means something else now. */
#ifndef SEKISHO_DPI_INSPECT_RELABEL_H
#define SEKISHO_DPI_INSPECT_RELABEL_H

#include "dpi/inspect/crossing.h"

enum relabel {
	RELABEL_STAYS,	  /* its next bytes are judged by the new permit */
	RELABEL_ENDS,	  /* what it speaks is not promised any more */
	RELABEL_CONFIRMS, /* from now on only its name counts, and that is known */
	RELABEL_HALF_WAY, /* nobody followed what the new permit looks into, or nobody knows its place */
};

enum relabel relabel_decide(const struct flow *f, const struct command_table *t, const struct command_permit *permit);
/*
 * Its session may go on, for all that this worker knows. Of one that was let go of no packet comes here, so its silence says
 * nothing, however long: as an ended flow it is the first to make room, and until then it is remembered for what it is.
 */
bool relabel_lives(const struct flow *f);
/* The flow's permit, or what it means, has changed since its last packet. */
bool relabel_is_due(const struct crossing *x);
/* The flow's permit and table as of this packet. STEP_ON unless that ends it. */
MUST_SEND struct verdict relabel(struct crossing *x);

#endif
