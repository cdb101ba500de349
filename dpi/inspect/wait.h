/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that wait, undecided, for the bytes before them. A copy of each is in the shared pool,
 * and each takes one of the places that are divided among the shares. Nothing is decided here;
 * inspect.c takes a packet out when the gap before it is filled or its time is over.
 */
#ifndef SEKISHO_DPI_INSPECT_WAIT_H
#define SEKISHO_DPI_INSPECT_WAIT_H

#include "dpi/inspect/crossing.h"

struct waits *waits_new(void); /* NULL when memory is out */
void waits_free(struct waits *w);
void waits_divide(struct waits *w, uint32_t used, bool whole); /* as flow_divide */
uint64_t waits_next_due(const struct waits *w);

/* Compares this packet with the waiting packets of its flow. STEP_ON when it agrees with them and
 * is not one of them. */
MUST_SEND struct verdict wait_compare(struct crossing *x);
/* Keeps the packet: STEP_KEEP, or STEP_ON when there is no room for it. */
MUST_SEND struct verdict wait_keep(struct crossing *x);
/* Charges the waiting packets to the flow's present holder. */
void wait_move(struct inspector *i, uint32_t fi);

/* The place of this flow's first packet before which no bytes are missing; SLOT_NONE: none. */
uint32_t wait_ready(const struct inspector *i, uint32_t fi);
/* The place of a packet of any flow whose time is over, and its flow; SLOT_NONE: none. */
uint32_t wait_overdue(const struct inspector *i, uint32_t *ret_fi);

/* A packet that was taken out, with its bytes in rooms.packet. */
struct taken {
	struct packet p;
	struct crossing x; /* the crossing of `p` */
	bool ahead;	   /* bytes before it were missing */
};

/* Takes out a packet. False when its permit does not exist any more, or it cannot be read. */
bool wait_take(struct inspector *i, uint32_t place, struct taken *ret);
/* Takes out any waiting packet of a flow, without its bytes; false when there is none. */
bool wait_take_any(struct inspector *i, uint32_t fi, struct packet *ret);

#endif
