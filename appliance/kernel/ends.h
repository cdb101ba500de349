/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether anything that ends by time stands open in the kernel's table. What the kernel holds goes with the power, so that where such a thing
 * stands, a daemon has opened it since the machine started. For the supervisor, before it has an enforce.
 */
#ifndef SEKISHO_KERNEL_ENDS_H
#define SEKISHO_KERNEL_ENDS_H

#include <stdbool.h>

#include "appliance/base/err.h"

/* In the caller's namespace, by a socket of its own: a table with a generation's digest, and cells or labels with an end. 0 or negative errno. */
int ends_stand_here(bool *ret, struct err *e);

#endif
