/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a table of the hosts that the box itself may contact from the admin namespace, and of the
 * hosts that may contact it there (docs/json.md). */
#ifndef SEKISHO_MGMT_CLI_WORDS_REACH_H
#define SEKISHO_MGMT_CLI_WORDS_REACH_H

#include "mgmt/cli/cli.h"

/* `reach` of an answer. Prints nothing for NULL or null, as in the answer of an older release. */
void reach_print(struct cli *c, const json_t *reach);
/*
 * If there is anything to report: a line with the number of hosts that the box may contact and of
 * packets to others that were refused, or that the rules are missing. If terminals are named, a
 * second line about them.
 */
void reach_line(struct cli *c, const json_t *reach);

/* Prints a table of the hosts for which the box answers on an interface (docs/json.md). */

/*
 * Elements of `list` without `ranges` are left out. `count` and `ranges` are in the element or in
 * its `answers`; the interface's name is under `key`. At most `most` ranges of each are printed,
 * 0 = all. Prints nothing when there are none.
 */
void answers_print(struct cli *c, const json_t *list, const char *key, size_t most);

#endif
