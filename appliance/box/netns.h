/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces by name, pinned in /run/netns as iproute2 does it. Supervisor only, single-threaded: `netns_enter`
 * changes the namespace of the whole process until `netns_leave`.
 */
#ifndef SEKISHO_BOX_NETNS_H
#define SEKISHO_BOX_NETNS_H

#include <stdbool.h>

#include "appliance/base/err.h"

#define NETNS_FOLDER "/run/netns"

/*
 * Opens namespace `name`, made and pinned when absent (*made is then set, and forwarding, which a new namespace inherits,
 * is off in it). Returns a descriptor owned by the caller, or negative errno.
 */
int netns_open(const char *name, bool *made, struct err *e);
/* Opens what has that name, and makes nothing: -ENOENT when there is no such namespace. */
int netns_find(const char *name, struct err *e);
/* A new one without a name, forwarding off, that goes with its last descriptor. */
int netns_scratch(struct err *e);
/* The namespace that the process is in. */
int netns_own(struct err *e);
/* Runs in `nsfd` from here on. */
int netns_enter(int nsfd, struct err *e);
/* Two descriptors name the same namespace. */
bool netns_same(int a, int b);
/* Writes a value to a file below /proc/sys/net of the namespace the process is in. */
int netns_sysctl(const char *name, const char *value, struct err *e);

/*
 * One sekishod per data namespace, and one per folder of state and of run-time files. Nothing here can be held by somebody else than root: whoever
 * can open a file, if only for reading, can lock it, and a daemon that was stopped would never start again. So the namespace's lock is a port of
 * netlink in the namespace itself, not on a path of ours nor on its name, which everybody may open: another --run or --state, or another name for the
 * same namespace, meets the same lock. The kernel drops it with the supervisor's last breath.
 */

/* Call in the data namespace. A descriptor to be kept open for as long as the lock shall stand, of the caller, or negative errno: -EBUSY when another
 * process has it for longer than a moment. `ctx` is not used. */
int lock_namespace(void *ctx, struct err *e);
/* Of a folder that only its owner can open, by its own inode, whatever path led to it. 0 or negative errno as above; stands while `fd` is open. */
int lock_folder(int fd, struct err *e);
/* Of a folder that everybody may open: by a file in it that nobody else may. As lock_namespace. */
int lock_open_folder(int dirfd, struct err *e);

#endif
