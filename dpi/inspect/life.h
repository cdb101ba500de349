/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a flow: its place in the table, which end is the client, and what is freed at its
 * end. Only this module carries verdicts out and reports packets and flows to the outside. Each
 * packet gets exactly one outcome, in its own crossing or after it waited.
 */
#ifndef SEKISHO_DPI_INSPECT_LIFE_H
#define SEKISHO_DPI_INSPECT_LIFE_H

#include "dpi/inspect/crossing.h"

struct outcomes *outcomes_new(void); /* NULL when memory is out */
void outcomes_free(struct outcomes *o);
void outcomes_note_packet(struct outcomes *o);
void outcomes_stats(const struct outcomes *o, struct inspector_stats *ret);

/* Drops the waiting packets of a flow for reason `r`; where its conduits only observe, lets
 * them pass. */
void outcome_drop_waiting(struct inspector *i, uint32_t fi, enum reason r);

/* Results about a flow as a whole. Of several refusals, the first one is remembered. */
/* Notes a refusal after which the flow goes on. */
void outcome_note_refusal(struct crossing *x, enum reason r, enum protocol speaks);
/* The flow has a protocol that its permit allows; it is not inspected further. PROTO_NONE: the
 * permit does not ask for a protocol. */
void outcome_confirm(struct crossing *x, enum protocol p);
/* Cuts a flow whose permit has ended, without a packet of it. Only for flows whose sequence numbers
 * are known in both directions. */
void outcome_cut_idle(struct crossing *x, enum reason r);
/*
 * Takes the kept bytes from a flow for the benefit of others. Its retransmissions can then not be
 * compared any more, so the flow ends; where its conduits only observe, the flow is treated as met
 * half-way instead.
 */
void outcome_give_way(struct inspector *i, uint32_t fi);
/* Ensures room for `bytes` more of this packet's direction, before any of them is judged. */
bool life_room(struct crossing *x, size_t bytes);
/* The reason for which an observed flow would have been ended; R_NONE when there was none. */
enum reason outcome_let_go_for(const struct flow *f);

/* Opens a flow for this packet, and makes room for it if necessary. False when its share is full of
 * live flows. */
bool life_open(struct crossing *x, enum direction dir);
/* A new connection on the same ports: resets everything but the tuple, and increments `n`. */
void life_restart(struct crossing *x, enum direction dir);
/* The direction of the packet, that is, which end is the client. Connection tracking says so; in a
 * capture without the opening of the session, the permit's server ports decide. */
enum direction life_guess_dir(const struct crossing *x);
/* Whether the ports determine which end is the client. */
bool life_tells_ends(const struct crossing *x);
/* Moves the flow, and everything that it holds, to the share of its present lane. */
void life_change_share(struct crossing *x);
/* Ends a flow: writes its counts, reports its end once, frees what it owns, and moves it to the
 * ended flows. */
void life_end(struct inspector *i, uint32_t fi);
/* Carries out the verdict. If the verdict closes the flow, the flow ends. */
void life_send(struct crossing *x, struct verdict v);

#endif
