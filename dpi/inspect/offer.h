/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offers sessions to the kernel (lend.c takes them back). The kernel lets repetitions of a request
 * pass that was judged once (appliance/wire/once.h). Between an accepted offer and
 * inspector_take_back, the inspector gets no packet of the session; the owner of the shared memory
 * ensures that exactly one side has the session. Templates are made only of bytes that were judged,
 * never of a segment that merely passed, because a retransmission of bytes that the receiver
 * already has may contain anything.
 */
#ifndef SEKISHO_DPI_INSPECT_OFFER_H
#define SEKISHO_DPI_INSPECT_OFFER_H

#include "dpi/inspect/crossing.h"

/* New bytes of the server have passed. If they answer the last request, and the kernel may continue
 * the session, this makes the offer. */
void lend_offer(struct crossing *x, struct bytes answer);
struct session_ends lend_ends(const struct once_lease *l);
/* The flow between these ends; FLOW_NONE: there is none. */
uint32_t lend_find(const struct inspector *i, const struct session_ends *ends);

#endif
