/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that two processes share: a memfd of a fixed size, sealed against any other, because a mapping that loses its pages
 * ends its reader with a bus error. Used by ring and pulse.
 */
#ifndef SEKISHO_WIRE_SHARED_H
#define SEKISHO_WIRE_SHARED_H

#include <stddef.h>

#include "appliance/base/err.h"

/* A memfd of zeros, owned by the caller; negative errno on failure. */
int shared_create(const char *name, size_t size, struct err *e);
/* NULL unless `fd` is such a memfd of this size. `fd` stays the caller's; the mapping ends with munmap. */
void *shared_map(const char *name, int fd, size_t size, struct err *e);

#endif
