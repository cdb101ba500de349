/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a flow: a place in the table, which end is the client, what is given back at its end. And the one place that carries a
 * verdict out and tells the outside about packets and flows: each packet that came in is sent exactly once, by its own crossing, or as
 * one that waited.
 */
#ifndef SEKISHO_DPI_INSPECT_LIFE_H
#define SEKISHO_DPI_INSPECT_LIFE_H

#include "dpi/inspect/crossing.h"

struct outcomes *outcomes_new(void); /* NULL when memory is out */
void outcomes_free(struct outcomes *o);
void outcomes_note_packet(struct outcomes *o);
void outcomes_stats(const struct outcomes *o, struct inspector_stats *ret);

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

/* Finds or makes room for a new flow of this packet; false when its share is full of live ones. */
bool life_open(struct crossing *x, enum direction dir);
/* The same ports, a new connection: everything starts again but the tuple; n rises. */
void life_restart(struct crossing *x, enum direction dir);
/* Who is the client: as tracking says; in a capture judged by the permit's server ports, when nobody saw the session open. */
enum direction life_guess_dir(const struct crossing *x);
/* Whether the ports leave no doubt of it. */
bool life_tells_ends(const struct crossing *x);
/* Its lane may be of another share than it was; what it holds goes along. */
void life_change_share(struct crossing *x);
/* Writes counts, tells the end once, gives back, moves to the ended ones. */
void life_end(struct inspector *i, uint32_t fi);
/* Carries the verdict out; a flow that it closes ends. */
void life_send(struct crossing *x, struct verdict v);

#endif
