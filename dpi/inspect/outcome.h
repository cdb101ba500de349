/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that carries a verdict out and tells the outside about packets and flows. Each packet that came in is
 * sent exactly once: by its own crossing, or as one that waited.
 */
#ifndef SEKISHO_DPI_INSPECT_OUTCOME_H
#define SEKISHO_DPI_INSPECT_OUTCOME_H

#include "dpi/inspect/crossing.h"

struct outcomes *outcomes_new(void); /* NULL when memory is out */
void outcomes_free(struct outcomes *o);
void outcomes_note_packet(struct outcomes *o);
void outcomes_stats(const struct outcomes *o, struct inspector_stats *ret);

/* A verdict of STEP_ON, STEP_AGAIN or STEP_KEEP sends nothing. What closes its flow goes by life_send. */
void outcome_send(struct crossing *x, struct verdict v);
/* The packets of a flow that wait: dropped for `r`, or passed when nothing of it is stopped. */
void outcome_drop_waiting(struct inspector *i, uint32_t fi, enum reason r);

/* What is found out about a flow as a whole. The first refusal is what is remembered of it. */
void outcome_note_refusal(struct crossing *x, enum reason r, enum protocol speaks); /* and it goes on */
/* What is promised was found: only the name counts from here on. PROTO_NONE: nothing is looked for in it. */
void outcome_confirm(struct crossing *x, enum protocol p);
/* Its permit has ended and no packet of it is here: only where both numbers are known. */
void outcome_cut_idle(struct crossing *x, enum reason r);
/* It gives way to others: nobody can compare any more what it repeats, so it ends, or is met half-way where nothing is stopped. */
void outcome_give_way(struct inspector *i, uint32_t fi);
/* Why an observed flow would have been ended and was let go of; R_NONE when it was not. */
enum reason outcome_let_go_for(const struct flow *f);
/* What it was, once. */
void outcome_tell_end(struct flow *f);

#endif
