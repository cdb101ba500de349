/* SPDX-License-Identifier: Apache-2.0 */
/* Renames an existing file before a text is written, without losing files that were kept before. */
#ifndef SEKISHO_MGMT_CLI_SETUP_KEEP_H
#define SEKISHO_MGMT_CLI_SETUP_KEEP_H

/* NAME (at most 20 bytes) becomes NAME.before, or the first of NAME.before.2 ... that is free. 0,
 * also when there is none; or negative errno. */
int setup_keep(int dir, const char *name);
/* The way back: NAME becomes NAME.tried, over an earlier one, and what setup_keep kept last, if it
 * did, is NAME again. 0 or negative errno. */
int setup_unkeep(int dir, const char *name);

#endif
