/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what the journal hears. Refusals and passes have a budget each in every share, so that a flood fills no disk
 * and hides nothing of other shares; what did not fit is counted by verdict and reason, and the count goes with the next record of
 * these and of the share, or alone when none follows. What is observed only, by a shadow too, leaves refusals half of theirs.
 */
#ifndef SEKISHO_DPI_INSPECT_EVENT_H
#define SEKISHO_DPI_INSPECT_EVENT_H

#include "dpi/inspect/crossing.h"

struct records *records_new(uint64_t now_ns); /* NULL when memory is out */
void records_free(struct records *k);
void records_divide(struct records *k, uint32_t used, bool all); /* as flow_divide */
void records_flush(struct inspector *i, bool all);
uint64_t records_next_due(const struct records *k);

/* What is told of a flow. */
void event_info(const struct flow *f, struct flow_info *ret);
void event_tell_flow(struct crossing *x, enum event_verdict v, enum reason r, enum protocol p);
void event_tell_drop(struct crossing *x, enum event_verdict v, enum reason r);
/* A PDU that was judged; recorded when it is not allowed. */
void event_tell_pdu(struct crossing *x, const struct pdu *u);
/* What a shadow's rows say of one that passes. */
void event_tell_shadow(struct crossing *x, struct pdu *u);
/* One that was judged before and is not allowed any more. */
void event_tell_refused(struct crossing *x, const struct pdu *u, enum event_verdict v);

#endif
