/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as a terminal shows it: how many cells it takes (full-width characters take two), and a copy that cannot steer
 * the terminal. Labels, names and messages come from policies and from the box; neither may move the cursor, change
 * colours or turn the direction of writing. Pure; UTF-8 in, UTF-8 out.
 */
#ifndef SEKISHO_MGMT_CLI_SCREEN_WIDTH_H
#define SEKISHO_MGMT_CLI_SCREEN_WIDTH_H

#include <stddef.h>

/* Cells of `s`; bytes that are not UTF-8 count one each. */
size_t text_cells(const char *s);
/* A malloc'd copy, owned by the caller, with controls, direction marks and bytes that are not UTF-8 replaced by '?';
 * NULL (read as "") gives "". NULL is returned only when memory is out. */
char *text_safe(const char *s);

#endif
