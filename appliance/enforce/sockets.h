/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two netlink sockets of the enforce role, opened in the data namespace by the supervisor and handed over at
 * ENFORCE_FD_REQUESTS and ENFORCE_FD_MONITOR.
 */
#ifndef SEKISHO_ENFORCE_SOCKETS_H
#define SEKISHO_ENFORCE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* Requests, or (monitor) the one that hears of every change of the rules. In the caller's namespace; the descriptor is
 * the caller's, close-on-exec. Negative errno on failure. */
int enforce_socket_open(bool monitor, struct err *e);
/* Changes that the socket of this port asks for are not told to the monitor. 0 or negative errno. */
int enforce_socket_ignore(int monitor, uint32_t portid, struct err *e);
/* Reads what the monitor was told, without waiting: whether our table was touched, or may have been (something was lost). */
bool enforce_socket_touched(int monitor);

#endif
