/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho backup --verify FILE --key KEY`: whether a box could be made from the file. Opens it,
 * and compiles each generation again in a process without files. The result must have the SHA-256
 * that the generation had on the box. Needs no box; if one runs here, it records the result.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_REHEARSE_H
#define SEKISHO_MGMT_CLI_BACKUP_REHEARSE_H

#include "appliance/wire/event.h"
#include "mgmt/cli/cli.h"

/* Records that `what` happened, where a box runs; what is not ASCII in `text` becomes '?'. False:
 * it is not on record. Prints nothing. */
bool backup_recorded(struct cli *c, enum machine_event what, char *text);
/* The exit status: CLI_YES when all generations came out as they were, else CLI_NO. */
int backup_rehearse(struct cli *c, const char *name, const char *key_name);

#endif
