/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the texts of a backup to files, with the names of this machine's cards, so that the next
 * edit of the policy begins with the texts in force. Existing files are kept as NAME.before. A
 * backup is hostile input: nothing is written outside the folder.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_TEXTS_H
#define SEKISHO_MGMT_CLI_BACKUP_TEXTS_H

#include "appliance/base/json.h"
#include "mgmt/cli/backup/cards.h"
#include "mgmt/cli/cli.h"

/* Checks whether the texts can be written there. `into`: the path for the main text; the others go
 * into the same folder. False: the reason was printed; *ret_status. */
bool texts_fit(struct cli *c, const json_t *sources, const char *into, int *ret_status);
/* Writes the texts that differ from the existing files. CLI_YES, or the status for the verb, after
 * the reason was printed. */
int texts_write(struct cli *c, const json_t *sources, struct card_places *places, const char *into);

#endif
