/* SPDX-License-Identifier: Apache-2.0 */
/* The policy changed: what of a flow that was judged by the one before still holds. */
#ifndef SEKISHO_DPI_INSPECT_CHANGE_H
#define SEKISHO_DPI_INSPECT_CHANGE_H

#include "dpi/inspect/crossing.h"

/*
 * What passed under one table and has not reached its receiver may be repeated under another. So PDUs are kept whole until
 * their receiver has acknowledged their last byte, and when the permit or the table changes they are judged once more, each
 * alone, by what holds now: their sender's repetition must not complete what is no longer allowed.
 */

/* Gives back the PDUs that their receiver has acknowledged whole. */
void rejudge_give_back(struct inspector *i, struct flow *f, enum direction dir);
/* Of what passed and its receiver has not acknowledged, all is allowed by what holds now, or the flow ends. */
MUST_SEND struct verdict rejudge(struct crossing *x);
/* Exactly whole PDUs, each of them allowed by itself. */
bool rejudge_allows_each(const struct crossing *x, struct bytes b);

/* What becomes of a flow that comes under another permit, or whose permit means something else now. */
enum relabel {
	RELABEL_STAYS,	  /* its next bytes are judged by the new permit */
	RELABEL_ENDS,	  /* what it speaks is not promised any more */
	RELABEL_CONFIRMS, /* from now on only its name counts, and that is known */
	RELABEL_HALF_WAY, /* nobody followed what the new permit looks into, or nobody knows its place */
};

/* The flow's permit, or what it means, has changed since its last packet. */
bool relabel_is_due(const struct crossing *x);
/* The flow's permit and table as of this packet. STEP_ON unless that ends it. */
MUST_SEND struct verdict relabel(struct crossing *x);

#endif
