/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of a packet: it is followed and sent, and with it those that waited for its bytes. */
#ifndef SEKISHO_DPI_INSPECT_TURN_H
#define SEKISHO_DPI_INSPECT_TURN_H

#include "dpi/inspect/crossing.h"

/* A segment whose flow is known. */
void turn_take(struct crossing *x);
/* Those whose time is over: dropped so that they are repeated, or what they wait for is given up. */
void turn_expire(struct inspector *i);

/* A capture: what waits of this flow is read across its gaps, as nothing of it will follow. */
void turn_give_up(struct inspector *i, uint32_t fi);
/* ... the longest waiting one alone, so that there is room for this packet. False where that cannot help. */
bool turn_give_up_one(struct crossing *x);

#endif
