/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces by name, pinned in /run/netns as iproute2 does it. Supervisor only,
 * single-threaded: `netns_enter` changes the namespace of the whole process until it is called
 * again.
 */
#ifndef SEKISHO_BOX_NETNS_H
#define SEKISHO_BOX_NETNS_H

#include <stdbool.h>

#include "appliance/base/err.h"

#define NETNS_FOLDER "/run/netns"

/*
 * Opens the namespace `name`. If it does not exist, it is made and pinned, *made is set, and
 * forwarding, which a new namespace inherits, is turned off in it. Returns a descriptor owned by
 * the caller, or negative errno.
 */
int netns_open(const char *name, bool *made, struct err *e);
/* Opens the namespace of that name, without making it: -ENOENT when there is no such namespace. */
int netns_find(const char *name, struct err *e);
/* Creates a namespace without a name, with forwarding off. It ends when its last descriptor is
 * closed. */
int netns_scratch(struct err *e);
/* The namespace that the process is in. */
int netns_own(struct err *e);
/* Moves the process to the namespace `nsfd`. */
int netns_enter(int nsfd, struct err *e);
/* Goes back after netns_enter. If this fails, the process ends: it must not go on in the wrong
 * namespace. */
void netns_return(int nsfd);
/* Opens a socket of the namespace nsfd; the process is in homefd before and after. Owned by the
 * caller; negative errno. `what`: for the error. */
int netns_socket(int nsfd, int homefd, int domain, int type, int protocol, const char *what, struct err *e);
/* Whether two descriptors refer to the same namespace. */
bool netns_same(int a, int b);
/* Writes a value to a file below /proc/sys/net of the namespace the process is in. */
int netns_sysctl(const char *name, const char *value, struct err *e);

/*
 * Locks: one sekishod for each data namespace, for each folder of state and for each folder of
 * run-time files. Only root may be able to hold these locks. Any process that can open a file, even
 * for reading only, could lock it, and a stopped daemon could then not start again. So the lock of
 * the namespace is a netlink port in the namespace itself, not a file that others could open.
 * Another --run or --state, or another name of the same namespace, meets the same lock. The kernel
 * releases it when the supervisor dies.
 */

/*
 * Call in the data namespace. Returns a descriptor, owned by the caller, which holds the lock while
 * it is open; or negative errno: -EBUSY when another process has held the lock for a second. `ctx`
 * is not used.
 */
int lock_namespace(void *ctx, struct err *e);
/* Locks a folder that only its owner can open, by its inode, whatever path was used. 0 or negative
 * errno as above. The lock is held while `fd` is open. */
int lock_folder(int fd, struct err *e);
/* Locks a folder that everybody may open, by a file in it that only its owner may open. Returns the
 * same as lock_namespace. */
int lock_open_folder(int dirfd, struct err *e);

#endif
