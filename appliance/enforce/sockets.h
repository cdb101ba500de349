/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netlink sockets of the enforce role. The supervisor opens two of them in the data namespace
 * and hands them over as ENFORCE_FD_REQUESTS and ENFORCE_FD_MONITOR. The role opens the one for
 * links itself (links_open).
 */
#ifndef SEKISHO_ENFORCE_SOCKETS_H
#define SEKISHO_ENFORCE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* Opens the socket for requests, or (`monitor`) the one that is notified of every change of the
 * rules, in the caller's namespace. The descriptor is the caller's, close-on-exec. Negative errno
 * on failure. */
int enforce_socket_open(bool monitor, struct err *e);
/* Whether a request socket of an earlier daemon belongs to the caller's namespace. */
bool enforce_socket_here(int fd);
/* From now on the monitor is not notified of changes made by the socket with this port. 0 or
 * negative errno. */
int enforce_socket_ignore(int monitor, uint32_t portid, struct err *e);
/* Reads the monitor's notifications, without waiting. True when our table was changed, or may have
 * been (notifications were lost). */
bool enforce_socket_touched(int monitor);

struct nlattr;
struct nlmsghdr;
/* Called for each notification of nf_tables. `m` NULL: notifications were lost, which may have been
 * about anything. */
typedef void socket_report(void *ctx, const struct nlmsghdr *m);
/* Reads all notifications, without waiting, until there are none. Returns the monotonic time just
 * before none was found. */
uint64_t enforce_socket_reports(int monitor, socket_report *each, void *ctx);
/* Whether the notification is about our table. */
bool enforce_socket_ours(const struct nlmsghdr *m);
/* NULL: none */
const struct nlattr *enforce_socket_attribute(const struct nlmsghdr *m, uint16_t type);

#endif
