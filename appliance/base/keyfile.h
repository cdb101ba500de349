/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of lines "KEY VALUE", which the daemon writes for a program beside it. Empty lines and
 * lines that begin with '#' are skipped. The caller checks the values; this module refuses a zero
 * byte, a line without a value, and a file above the bound.
 */
#ifndef SEKISHO_BASE_KEYFILE_H
#define SEKISHO_BASE_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/err.h"

/* Called for each line. `value` points into the text and lives as long. Returns false for a line
 * that is not allowed. */
typedef bool keyfile_line(void *of, const char *key, char *value);

/*
 * Reads at most `most` bytes. *ret_text holds all values. The caller frees it in any case; it may
 * be NULL. Returns 0, -ENOENT if there is no such file, or another negative errno with *e.
 */
int keyfile_read(const char *path, size_t most, keyfile_line *line, void *of, char **ret_text, struct err *e);

/* A number in decimal digits, from 1 to `most`. */
bool keyfile_number(const char *text, unsigned long most, unsigned long *ret);

#endif
