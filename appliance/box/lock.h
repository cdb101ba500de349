/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sekishod per data namespace, and one per folder of state and of run-time files. Nothing here can be held by somebody else than root: whoever
 * can open a file, if only for reading, can lock it, and a daemon that was stopped would never start again. So the namespace's lock is a port of
 * netlink in the namespace itself, not on a path of ours nor on its name, which everybody may open: another --run or --state, or another name for the
 * same namespace, meets the same lock. The kernel drops it with the supervisor's last breath.
 */
#ifndef SEKISHO_BOX_LOCK_H
#define SEKISHO_BOX_LOCK_H

#include "appliance/base/err.h"

/* Call in the data namespace. A descriptor to be kept open for as long as the lock shall stand, of the caller, or negative errno: -EBUSY when another
 * process has it for longer than a moment. `ctx` is not used. */
int lock_namespace(void *ctx, struct err *e);
/* Of a folder that only its owner can open, by its own inode, whatever path led to it. 0 or negative errno as above; stands while `fd` is open. */
int lock_folder(int fd, struct err *e);
/* Of a folder that everybody may open: by a file in it that nobody else may. As lock_namespace. */
int lock_open_folder(int dirfd, struct err *e);

#endif
