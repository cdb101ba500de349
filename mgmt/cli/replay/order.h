/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the packets of a capture's TCP sessions into the order of their ends, before anybody judges them. A segment waits for the
 * bytes before it and for those that it acknowledges; nobody will repeat what was not captured, so what does not come within three
 * seconds of the capture, or before its session ends, is given up, and reading goes on behind it. For replay only.
 *
 * Sessions are named by a number (tracker_packet's). Owns copies of what waits. Sequence numbers are compared with wrap-around.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_ORDER_H
#define SEKISHO_MGMT_CLI_REPLAY_ORDER_H

#include "dpi/decode.h"
#include "dpi/protocol.h"

struct order;

/* `hand_on` gets each packet once; `frame` is the one with which its bytes had reached their receiver. NULL: no memory. */
struct order *order_new(void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame), void *ctx);
void order_free(struct order *o);
/* A packet of a session: handed on, now or later. False when it is the copy of one that waits, and goes no further. */
bool order_packet(struct order *o, uint32_t session, const struct decoded *d, enum direction dir, uint32_t frame,
		  uint64_t now_ns);
/* Nothing more of this session will follow: what waits is handed on across its gaps. */
void order_give_up(struct order *o, uint32_t session);
/*
 * `session` has begun with this SYN on the ports of `older`, of which nothing more will follow; unless it is the SYN of that, captured
 * late: then its ends stand where they stood.
 */
void order_go_on_as(struct order *o, uint32_t older, uint32_t session, uint32_t isn);
void order_give_up_all(struct order *o);
/* What has waited long enough. When the next one has, or UINT64_MAX. */
void order_expire(struct order *o, uint64_t now_ns);
uint64_t order_next_due(const struct order *o);

#endif
