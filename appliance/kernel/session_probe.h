/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks connection tracking whether there is a TCP session between two ends.
 *
 * The gate asks before it resets both ends of a segment that tracking called invalid: a segment out
 * of the windows of a live session must not end that session. session_probe_open runs in the
 * supervisor (inside the data namespace), the rest in the gate. It learns only whether there is a
 * session, and changes nothing.
 */
#ifndef SEKISHO_KERNEL_SESSION_PROBE_H
#define SEKISHO_KERNEL_SESSION_PROBE_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

/* The socket, owned by the caller; negative errno. */
int session_probe_open(struct err *e);
/*
 * 1: there is a session, whichever end opened it; 0: there is none; negative errno: it is not
 * known. Ports in host order; both addresses of one family.
 */
int session_probe(int fd, const struct addr *a, uint16_t a_port, const struct addr *b, uint16_t b_port);

#endif
