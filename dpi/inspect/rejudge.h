/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passed under one table and has not reached its receiver may be repeated under another. So PDUs are kept whole until
 * their receiver has acknowledged their last byte, and when the permit or the table changes they are judged once more, each
 * alone, by what holds now: their sender's repetition must not complete what is no longer allowed.
 */
#ifndef SEKISHO_DPI_INSPECT_REJUDGE_H
#define SEKISHO_DPI_INSPECT_REJUDGE_H

#include "dpi/inspect/crossing.h"

/* Gives back the PDUs that their receiver has acknowledged whole. */
void rejudge_give_back(struct inspector *i, struct flow *f, enum direction dir);
/* Whether what its receiver has not acknowledged is allowed by x's permit and table; tells nobody. *refused: the PDU that is
 * not, its `allowed` true when it was none. */
bool rejudge_allows(struct crossing *x, struct pdu *refused);
/* Of what passed and its receiver has not acknowledged, all is allowed by what holds now, or the flow ends. */
MUST_SEND struct verdict rejudge(struct crossing *x);
/* Exactly whole PDUs, each of them allowed by itself. */
bool rejudge_allows_each(const struct crossing *x, struct bytes b);

#endif
