/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of a packet: it is followed and sent, and with it those that waited for its bytes. */
#ifndef SEKISHO_DPI_INSPECT_TURN_H
#define SEKISHO_DPI_INSPECT_TURN_H

#include "dpi/inspect/crossing.h"

/* A segment whose flow is known. */
void turn_take(struct crossing *x);
/* Those whose time is over: dropped so that they are repeated. */
void turn_expire(struct inspector *i);

#endif
