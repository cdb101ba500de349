/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's network settings of this namespace: one table of what must be set, how it is set and how it is checked.
 * Forwarding is apart from the rest: it is switched on last, off first, through descriptors that are open beforehand.
 * Runs in enforce. Never touches a setting outside /proc/sys/net.
 */
#ifndef SEKISHO_BOX_SYSCTL_H
#define SEKISHO_BOX_SYSCTL_H

#include <stdbool.h>

#include "appliance/base/err.h"

/* Forwarding of both families. */
struct forwarding {
	int v4, v6; /* owned descriptors; v6 -1 = the kernel has no IPv6 */
};

int forwarding_open(struct forwarding *f, struct err *e);
void forwarding_close(struct forwarding *f);
/* Both families are tried even when one fails. 0 or negative errno. */
int forwarding_set(const struct forwarding *f, bool on, struct err *e);
bool forwarding_is_on(const struct forwarding *f); /* either family */

/*
 * Everything but forwarding: reverse path check, source routes, redirects, ARP, router advertisements, connection
 * tracking. What is right already is not written. 0, or negative errno for the first setting that could not be made so.
 */
int sysctl_apply(struct err *e);

/* `name` as "net.ipv4.conf.lan0.rp_filter"; borrowed for the call. */
typedef void sysctl_each(const char *name, const char *have, const char *want, void *ctx);
/* Calls back for every setting that is not as it must be; `forwarding_on` = forwarding is expected to be on. */
void sysctl_verify(bool forwarding_on, sysctl_each *each, void *ctx);

#endif
