/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deny base: the table with its base chains, whose policy is drop, and without rules. It is
 * loaded before any interface is moved into the box and before forwarding is on. An apply then adds
 * the rules. Runs in the supervisor at its start, and in enforce.
 */
#ifndef SEKISHO_KERNEL_DENY_BASE_H
#define SEKISHO_KERNEL_DENY_BASE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/kernel/talk.h"

/*
 * If the table exists and is right, keeps it with its rules, so the last policy remains in force.
 * Creates what is missing, in one transaction. *ret_adopted: nothing had to be created. Afterwards
 * this socket owns the table, unless the kernel does not support owners or the table was created
 * without one (n->owns). 0 or negative errno.
 */
int deny_base_load(struct netlink *n, bool *ret_adopted, struct err *e);
/* As deny_base_load, through enforce's socket, for the supervisor before enforce runs. */
int deny_base_load_by(int fd, bool *ret_adopted, struct err *e);
/* As deny_base_load, through a new socket in the caller's namespace. Creates only what is missing;
 * the owner of the table does not change. */
int deny_base_load_here(bool *ret_adopted, struct err *e);
/* *ret: all base chains exist with policy drop. */
int deny_base_stands(struct netlink *n, bool *ret, struct err *e);

#endif
