/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho backup --verify FILE --key KEY`: whether a box could be made from the file. Opens it,
 * and compiles each generation again in a process without files; the SHA-256 of what comes out has
 * to be that of the box. Needs no box; where one runs, the result becomes a record of it.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_REHEARSE_H
#define SEKISHO_MGMT_CLI_BACKUP_REHEARSE_H

#include "mgmt/cli/cli.h"

/* The exit status: CLI_YES when all generations came out as they were, else CLI_NO. */
int backup_rehearse(struct cli *c, const char *name, const char *key_name);

#endif
