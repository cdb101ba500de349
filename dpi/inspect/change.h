/* SPDX-License-Identifier: Apache-2.0 */
/* A change of policy: which judgements of a flow under the old policy still hold. */
#ifndef SEKISHO_DPI_INSPECT_CHANGE_H
#define SEKISHO_DPI_INSPECT_CHANGE_H

#include "dpi/inspect/crossing.h"

/*
 * Bytes that passed under one table, but have not reached their receiver, may be retransmitted
 * under another. So each PDU is kept until its receiver has acknowledged its last byte. When the
 * permit or the table changes, every kept PDU is judged again by the new rules, so that a
 * retransmission cannot complete a PDU that is no longer allowed.
 */

/* Frees the kept PDUs whose last byte the receiver has acknowledged. */
void rejudge_give_back(struct inspector *i, struct flow *f, enum direction dir);
/* Judges all kept PDUs by the present rules. If one is not allowed, the flow ends. */
MUST_SEND struct verdict rejudge(struct crossing *x);
/* Whether the bytes are whole PDUs without a remainder, each of them allowed. */
bool rejudge_allows_each(const struct crossing *x, struct bytes b);

/* What happens to a flow that has got another permit, or whose permit has changed. */
enum relabel {
	RELABEL_STAYS,	  /* its next bytes are judged by the new permit */
	RELABEL_ENDS,	  /* its protocol is not allowed any more */
	RELABEL_CONFIRMS, /* the new permit asks only for a protocol, and the flow has it */
	/* the new permit inspects commands, but the stream was not followed, or its position is
	 * not known */
	RELABEL_HALF_WAY,
};

/* Whether the flow's permit, or the meaning of the permit, has changed since its last packet. */
bool relabel_is_due(const struct crossing *x);
/* Applies the permit and the table of this packet to the flow. STEP_ON unless this ends
 * the flow. */
MUST_SEND struct verdict relabel(struct crossing *x);

#endif
