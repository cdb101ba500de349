/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's network settings of this namespace. One table says what must be set; it is used to
 * set and to check. Forwarding has functions of its own: it is switched on last and off first,
 * through descriptors that were opened early. Runs in enforce; the supervisor only raises the
 * capacity, and turns forwarding off if enforce does not. Never touches a setting outside
 * /proc/sys/net.
 */
#ifndef SEKISHO_BOX_SYSCTL_H
#define SEKISHO_BOX_SYSCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* Forwarding of both families. */
struct forwarding {
	int v4, v6; /* owned descriptors; v6 is -1 if the kernel has no IPv6 */
};

int forwarding_open(struct forwarding *f, struct err *e);
void forwarding_close(struct forwarding *f);
/* Both families are tried even when one fails. 0 or negative errno. */
int forwarding_set(const struct forwarding *f, bool on, struct err *e);
bool forwarding_is_on(const struct forwarding *f); /* either family */

/*
 * Everything but forwarding: reverse path check, source routes, redirects, ARP, router
 * advertisements, connection tracking. Settings that are right already are not written. `recorded`:
 * the policy in force wants records of sessions that passed. 0, or negative errno for the first
 * setting that could not be set.
 */
int sysctl_apply(bool recorded, struct err *e);

/* `name` as "net.ipv4.conf.lan0.rp_filter"; borrowed for the call. */
typedef void sysctl_each(const char *name, const char *have, const char *want, void *ctx);
/* Calls back for every setting that is not as it must be; `forwarding_on` = forwarding is expected
 * to be on; `recorded` as for sysctl_apply. */
void sysctl_verify(bool forwarding_on, bool recorded, sysctl_each *each, void *ctx);

/*
 * Two tables of the kernel are shared by all its network namespaces. Each is so small that one zone
 * could fill it and keep everybody else out:
 *
 * neighbours   one table per family (1024 entries). A few hundred packets a second to unused
 *              addresses of an allowed network fill it; then other zones' hosts are not found.
 * sessions     connection tracking sizes its table by the machine's memory: with 1 GB there is room
 *              for 7,376 sessions, fewer than one interface may have in a lane (IR_ZONE_SESSIONS).
 *              So it is enlarged to 262,144 sessions, the number that the kernel itself takes from
 *              4 GB on, or about six times IR_ZONE_SESSIONS. A session takes 320 bytes, and its
 *              places in the shares of two interfaces take 320 more: 170 MB if the table is full.
 *
 * Only the first namespace may set their size; the supervisor starts there.
 */

#define CAPACITY_SETTINGS "/proc/sys/net"

/*
 * Enlarges the tables, and never makes them smaller. The table of sessions exists once connection
 * tracking is in use, which the deny base ensures. Outside the first namespace this does nothing.
 */
void capacity_raise(const char *settings);

/*
 * Counts the IPv4 packets that the kernel refuses by itself because their source does not belong to
 * the interface. The rules count such packets of IPv6, and such packets that open a session;
 * `status` adds both numbers. Reads, never writes.
 */

/* A descriptor to read from later, also in a sandbox; -1 when the kernel has no such count. It
 * belongs to the caller's namespace. */
int reverse_path_open(void);
/* Packets since the namespace was made; 0 when fd is -1. */
uint64_t reverse_path_refused(int fd);
/* The number of these packets in the text of /proc/net/netstat. */
uint64_t reverse_path_in(const char *text);

#endif
