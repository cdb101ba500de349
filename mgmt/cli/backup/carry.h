/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho backup --scheduled`: makes a whole backup, and stores it outside the box: on a stick, at
 * the backup server of box.cfg, or both, as root's file /etc/sekisho/backup-schedule says. The
 * package's timer runs it each hour; the box says which target is due (control/carried.c).
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_CARRY_H
#define SEKISHO_MGMT_CLI_BACKUP_CARRY_H

#include "appliance/base/bytes.h"
#include "mgmt/cli/cli.h"

/* Takes a finished backup; `sha256` in hex. The status for the verb. */
typedef int backup_store(void *ctx, struct bytes file, const char *sha256);
/* Makes a whole backup with the state in that folder. A status other than the store's: the reason
 * was printed, and the store was not called. */
typedef int backup_make(struct cli *c, const char *state, backup_store *store, void *ctx);

/* Backs up to the targets of the schedule; with `only_due` only to those whose time has come.
 * CLI_YES: done for all of them; CLI_NO: not for all of them; CLI_CANNOT. */
int backup_carry(struct cli *c, bool only_due, const char *state, backup_make *make);

#endif
