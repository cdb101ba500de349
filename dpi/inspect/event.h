/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for the journal. In every share, refusals and passes have a budget each, so that a flood
 * neither fills the disk nor hides events of other shares. Events beyond a budget are counted by
 * verdict and reason. The count is sent with the next record of the same verdict, reason and share,
 * or alone when none follows. Observed events, also those of shadows, may use only half of the
 * budget of refusals.
 */
#ifndef SEKISHO_DPI_INSPECT_EVENT_H
#define SEKISHO_DPI_INSPECT_EVENT_H

#include "dpi/inspect/crossing.h"

struct records *records_new(uint64_t now_ns); /* NULL when memory is out */
void records_free(struct records *k);
void records_divide(struct records *k, uint32_t used, bool all); /* as flow_divide */
void records_flush(struct inspector *i, bool all);
uint64_t records_next_due(const struct records *k);

/* Fills *ret with what records and replay say about a flow. */
void event_info(const struct flow *f, struct flow_info *ret);
void event_tell_flow(struct crossing *x, enum event_verdict v, enum reason r, enum protocol p);
void event_tell_drop(struct crossing *x, enum event_verdict v, enum reason r);
/* Reports a judged PDU. It is recorded when it is not allowed. */
void event_tell_pdu(struct crossing *x, const struct pdu *u);
/* Records how the rows of a shadow judge a PDU that passes. */
void event_tell_shadow(struct crossing *x, struct pdu *u);
/* Records a PDU that was allowed before, but is not allowed any more. */
void event_tell_refused(struct crossing *x, const struct pdu *u, enum event_verdict v);

#endif
