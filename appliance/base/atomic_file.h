/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of state, whole or not at all: written beside, fsync'd, renamed, and the folder fsync'd. Used by the
 * supervisor only. A reader after a power loss sees the old text or the new one, never a mixture.
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
/* ... and of a mode of its own, where programs of other users read it. */
int atomic_write_mode(int dirfd, const char *name, const void *p, size_t n, mode_t mode, struct err *e);
/* Reads a whole file of at most `max` bytes into malloc'd memory (owned by the caller), with a NUL after it that is not
 * counted. -ENOENT when absent. */
int file_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n, struct err *e);
/* Of its errors: nobody can say anything about the file now, whoever asks again may be told. */
bool file_for_now(int r);
/* ... and: what stands under the name is no file of the kind, and will be none. All others may be over at another start. */
bool file_none(int r);
/*
 * What stands under the name and cannot be read, file or not, is called NAME.damaged from now on, in the place of whatever was called
 * so: a new one can be written. 0, or negative errno.
 */
int file_aside(int dirfd, const char *name);
/* Opens the folder of that name, made with mode 0700 when there is none. *ret_strange: what was there is no folder, and was set aside. */
int folder_open(int dirfd, const char *name, bool *ret_strange, struct err *e);

#endif
