/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deny base: the table with its base chains, policy drop, no rules. It stands before any interface is moved in
 * and before forwarding is on, and is what an apply fills. Runs in the supervisor at boot and in enforce.
 */
#ifndef SEKISHO_KERNEL_DENY_BASE_H
#define SEKISHO_KERNEL_DENY_BASE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/kernel/talk.h"

/*
 * Adopts what stands when it is right (chains with their rules stay as they are: the last policy remains in force),
 * creates what is missing, in one transaction. *ret_adopted: nothing had to be made. 0 or negative errno.
 */
int deny_base_load(struct netlink *n, bool *ret_adopted, struct err *e);
/* Opens a netlink socket in the caller's namespace, loads, closes. For the supervisor. */
int deny_base_load_here(bool *ret_adopted, struct err *e);
/* True in *ret when all four base chains stand with policy drop. */
int deny_base_stands(struct netlink *n, bool *ret, struct err *e);

#endif
