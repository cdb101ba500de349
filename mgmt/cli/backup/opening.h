/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the file of a backup, for restore and for its rehearsal. Its bytes are hostile: a process
 * without files decrypts them (shut/apart.h). The private key stays in the memory of this program,
 * which leaves no core file.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_OPENING_H
#define SEKISHO_MGMT_CLI_BACKUP_OPENING_H

#include "mgmt/cli/cli.h"

/* The contents, with at least one generation; a new reference. NULL: the reason was printed, and
 * *ret_status is the status for the verb. */
json_t *backup_open(struct cli *c, const char *name, const char *key_name, int *ret_status);

#endif
