/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that one process hands to another: a memfd whose bytes cannot be changed once it
 * is sealed.
 */
#ifndef SEKISHO_BASE_MEMFD_H
#define SEKISHO_BASE_MEMFD_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* A sealed memfd with these bytes (owned by the caller), or negative errno. */
int memfd_sealed(const char *name, const void *p, size_t n);
/* Reads a whole sealed memfd of at most `max` bytes into malloc'd memory (owned by the caller).
 * Refuses unsealed ones. */
int memfd_read(int fd, size_t max, uint8_t **ret, size_t *ret_n, struct err *e);

#endif
