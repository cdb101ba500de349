/* SPDX-License-Identifier: Apache-2.0 */
/* Renames an existing file before a text is written, without losing files that were kept before. */
#ifndef SEKISHO_MGMT_CLI_SETUP_KEEP_H
#define SEKISHO_MGMT_CLI_SETUP_KEEP_H

/* Renames NAME (at most 20 bytes) to NAME.before, or to the first free one of NAME.before.2, ... 0,
 * also when there is no NAME; or negative errno. */
int setup_keep(int dir, const char *name);
/* Undoes setup_keep: NAME becomes NAME.tried, replacing an earlier one, and the file that
 * setup_keep kept last becomes NAME again. 0 or negative errno. */
int setup_unkeep(int dir, const char *name);

#endif
