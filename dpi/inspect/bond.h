/* SPDX-License-Identifier: Apache-2.0 */
/* What a PDU says of flows that belong together, carried into the table of what was opened (companion.h) and out of it. */
#ifndef SEKISHO_DPI_INSPECT_BOND_H
#define SEKISHO_DPI_INSPECT_BOND_H

#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"

/* A PDU that was judged and says something of it. One that uses what was opened is decided here. True: its flow is an opener. */
bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u);
/*
 * What goes by over `f`, a flow of datagrams, under other rows. That they are refused is nothing that `f` asked for: the request was said
 * in another session, which may be over, or before anybody looked.
 */
void bond_judge_uses(struct inspector *i, const struct flow *f, const struct command_table *t,
		     const struct command_permit *permit,
		     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);
/* An opener's flow is over. */
void bond_end(struct inspector *i, const struct flow *f);

#endif
