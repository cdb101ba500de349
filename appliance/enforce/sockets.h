/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two netlink sockets of the enforce role, opened in the data namespace by the supervisor and handed over at
 * ENFORCE_FD_REQUESTS and ENFORCE_FD_MONITOR.
 */
#ifndef SEKISHO_ENFORCE_SOCKETS_H
#define SEKISHO_ENFORCE_SOCKETS_H

#include <stdbool.h>

#include "appliance/base/err.h"

/* Requests, or (monitor) the one that hears of every change of the rules. In the caller's namespace; the descriptor is
 * the caller's, close-on-exec. Negative errno on failure. */
int enforce_socket_open(bool monitor, struct err *e);

#endif
