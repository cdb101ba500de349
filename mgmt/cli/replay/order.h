/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the packets of a capture's TCP sessions into the order in which the ends processed them,
 * before they are judged. A segment waits for the bytes before it, and for the bytes that it
 * acknowledges. Bytes that were not captured will never come, so a segment waits for at most
 * three seconds of the capture's time, or until its session ends; then processing continues after
 * the gap. Sessions are identified by the index of tracker_packet. Owns copies of the waiting
 * packets. Sequence numbers are compared with wrap-around.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_ORDER_H
#define SEKISHO_MGMT_CLI_REPLAY_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/decode.h"
#include "dpi/protocol.h"
#include "mgmt/cli/replay/tracker.h"

struct order;

struct order;

/* `hand_on` gets each packet once. `frame`: the number of the frame with which the packet's bytes
 * could be read by their receiver. NULL: no memory. */
struct order *order_new(void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame), void *ctx);
void order_free(struct order *o);
/* Takes a packet of a session, and hands it on now or later. False when it is a copy of a waiting
 * packet, and is dropped. */
bool order_packet(struct order *o, uint32_t session, const struct decoded *d, enum direction dir, uint32_t frame,
		  uint64_t now_ns);
/* To be called when the session has no further packets: hands on its waiting packets, even after
 * gaps. */
void order_give_up(struct order *o, uint32_t session);
/*
 * To be called when `session` begins with this SYN on the ports of `older`, which has no further
 * packets. If this SYN began `older` itself and was only captured late, the positions of both ends
 * are kept.
 */
void order_go_on_as(struct order *o, uint32_t older, uint32_t session, uint32_t isn);
void order_give_up_all(struct order *o);
/* Hands on packets that have waited long enough. order_next_due: the time at which the next packet
 * will have waited long enough; UINT64_MAX = no packet waits. */
void order_expire(struct order *o, uint64_t now_ns);
uint64_t order_next_due(const struct order *o);

#endif
