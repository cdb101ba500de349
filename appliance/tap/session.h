/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that conduits let through, as connection tracking tells of them: one record when a session is kept, which is when its first packet has passed all
 * rules, and one when it is forgotten: closed, or silent for longer than its kind may be. Both name the permit in its mark.
 *
 * The kernel tells nobody who does not listen, and then it costs nothing. Who listens is decided by the supervisor, which alone may (CAP_NET_ADMIN), on the
 * socket whose other copy the tap reads: so the tap needs no order and no privilege, and what comes while it is started anew waits in the socket.
 * Used by the tap; the parser is pure and believes no length that the bytes do not bear out.
 */
#ifndef SEKISHO_TAP_SESSION_H
#define SEKISHO_TAP_SESSION_H

#include <stdbool.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/wire/event.h"

/* A netlink socket in the current namespace that hears of nothing yet. Non-blocking; owned by the caller; negative errno on failure. */
int tap_sessions_open(struct err *e);
/* Whether it hears of sessions from now on. What it has heard stays in it. */
int tap_sessions_hear(int fd, bool on, struct err *e);
/* What the kernel says of that: 1 or 0, negative errno when it does not. */
int tap_sessions_heard(int fd);

/* Takes one netlink message off `datagram`. True when *ret is a record to hand on; false with bytes left: not one. `malformed` is counted up. */
bool tap_session_next(struct bytes *datagram, struct event *ret, uint64_t *malformed);

#endif
