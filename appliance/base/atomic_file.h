/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes small files whole or not at all: writes a new file beside the old one, fsyncs it, renames
 * it over the old one, and fsyncs the folder. After a power loss a reader sees the old text or the
 * new one, never a mixture.
 */
#ifndef SEKISHO_BASE_ATOMIC_FILE_H
#define SEKISHO_BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"

/* Replaces `name` (a plain file name) in the folder `dirfd`, mode 0600. 0 or negative errno. */
int atomic_write(int dirfd, const char *name, const void *p, size_t n, struct err *e);
/* As atomic_write, with another mode, for a file that programs of other users read. */
int atomic_write_mode(int dirfd, const char *name, const void *p, size_t n, mode_t mode, struct err *e);
/* Reads a whole file of at most `max` bytes into malloc'd memory (owned by the caller), with a NUL
 * after it that is not counted. -ENOENT when absent. */
int file_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n, struct err *e);
/* Whether error `r` of file_read is temporary: another try may succeed. */
bool file_for_now(int r);
/* Whether error `r` is permanent: the object of this name is not a readable file. Any other error
 * may be gone at the next start. */
bool file_none(int r);
/*
 * Renames the object of this name, even if it is not a file, to NAME.damaged, so that a new file
 * can be written. An earlier NAME.damaged is replaced. 0, or negative errno.
 */
int file_aside(int dirfd, const char *name);
/* Opens the folder of that name, and creates it with mode 0700 when there is none. *ret_strange:
 * something else had that name, and was renamed. */
int folder_open(int dirfd, const char *name, bool *ret_strange, struct err *e);

#endif
