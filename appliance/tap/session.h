/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that conduits let through, from the notifications of connection tracking: one record
 * when a session's first packet has passed all rules (the kernel then stores the session), and one
 * when the session is removed, because it closed or was silent for too long. Both name the permit
 * in the session's mark.
 *
 * Without a listener the kernel sends nothing, and it costs nothing. The supervisor, which alone
 * has CAP_NET_ADMIN, switches listening on and off on its copy of the tap's socket. So the tap
 * needs no order and no privilege, and notifications wait in the socket while it restarts. Used by
 * the tap. The parser is pure, and checks every length against the bytes.
 */
#ifndef SEKISHO_TAP_SESSION_H
#define SEKISHO_TAP_SESSION_H

#include <stdbool.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/wire/event.h"

/* Opens a netlink socket in the current namespace, which does not listen yet. Non-blocking; owned
 * by the caller; negative errno on failure. */
int tap_sessions_open(struct err *e);
/* Switches listening on or off. Notifications already received stay in the socket. */
int tap_sessions_hear(int fd, bool on, struct err *e);
/* Whether the socket listens, as the kernel says: 1 or 0, or negative errno. */
int tap_sessions_heard(int fd);

/* Takes one netlink message off `datagram`. True when *ret is a record to hand on; false with bytes
 * left: the message is no record. *malformed is incremented for a malformed one. */
bool tap_session_next(struct bytes *datagram, struct event *ret, uint64_t *malformed);

#endif
