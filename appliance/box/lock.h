/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sekishod per data namespace, and one per folder of state and of run-time files. The namespace's lock is on the namespace itself (its nsfs inode), not on a path of ours, so that
 * another --run or --state, or another name for the same namespace, meets the same lock. The kernel drops it with the
 * supervisor's last breath.
 */
#ifndef SEKISHO_BOX_LOCK_H
#define SEKISHO_BOX_LOCK_H

#include "appliance/base/err.h"

/* `nsfd`: the data namespace, opened by path by the caller and kept open for as long as the lock shall stand. -EBUSY when
 * another process has it for longer than a moment. */
int lock_namespace(int nsfd, struct err *e);
/* The same of a folder, by its own inode, whatever path led to it. */
int lock_folder(int fd, struct err *e);

#endif
