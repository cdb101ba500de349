/* SPDX-License-Identifier: Apache-2.0 */
/* What a PDU says of flows that belong together, carried into the table of what was opened (companion.h) and out of it. */
#ifndef SEKISHO_DPI_INSPECT_BOND_H
#define SEKISHO_DPI_INSPECT_BOND_H

#include "dpi/inspect/crossing.h"

/* A PDU that was judged and says something of it. One that uses what was opened is decided here. True: its flow is an opener. */
bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u);
/* An opener's flow is over. */
void bond_end(struct inspector *i, const struct flow *f);

#endif
