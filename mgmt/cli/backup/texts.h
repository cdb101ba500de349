/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a backup as files again, under the names of this machine's cards, so that whoever edits the policy next begins with what is
 * in force. What lay there stays beside them as NAME.before. A backup is hostile input: nothing is written outside of the folder.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_TEXTS_H
#define SEKISHO_MGMT_CLI_BACKUP_TEXTS_H

#include "appliance/base/json.h"
#include "mgmt/cli/backup/cards.h"
#include "mgmt/cli/cli.h"

/* Could they be written there? `into`: where the main text goes; the others lie below its folder. False: it was said why not, *ret_status. */
bool texts_fit(struct cli *c, const json_t *sources, const char *into, int *ret_status);
/* Writes those that say something else than what lies there; CLI_YES, or what the verb returns after it was said what went wrong. */
int texts_write(struct cli *c, const json_t *sources, struct card_places *places, const char *into);

#endif
