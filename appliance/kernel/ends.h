/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel's table has elements that end by time. The table does not survive a restart of
 * the machine, so such an element was made by a daemon since the last start. For the supervisor,
 * before enforce runs.
 */
#ifndef SEKISHO_KERNEL_ENDS_H
#define SEKISHO_KERNEL_ENDS_H

#include <stdbool.h>

#include "appliance/base/err.h"

/* *ret: the caller's namespace has a table with the digest of a generation, and with cells or
 * labels that end. Uses a socket of its own. 0 or negative errno. */
int ends_stand_here(bool *ret, struct err *e);

#endif
