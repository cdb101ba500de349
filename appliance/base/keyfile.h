/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of lines "KEY VALUE", which the daemon writes for a program beside it. Lines that begin with '#' and empty ones say nothing. What is read
 * is held to its form by whoever knows the keys; here a byte of zero, a line without a value or a file above the bound are refused.
 */
#ifndef SEKISHO_BASE_KEYFILE_H
#define SEKISHO_BASE_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/err.h"

/* One line; `value` points into the text and stays as long as it does. False: nobody may write that. */
typedef bool keyfile_line(void *of, const char *key, char *value);

/*
 * Reads at most `most` bytes. *ret_text is what all values point into, the caller's to free() either way, NULL when there is none. 0, -ENOENT without
 * such a file, or another negative errno with *e.
 */
int keyfile_read(const char *path, size_t most, keyfile_line *line, void *of, char **ret_text, struct err *e);

/* Decimal digits alone, from 1 to `most`. */
bool keyfile_number(const char *text, unsigned long most, unsigned long *ret);

#endif
