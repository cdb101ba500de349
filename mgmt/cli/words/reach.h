/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a table of the hosts that the box itself may contact from the admin namespace, and of the
 * hosts that may contact it there (docs/json.md). */
#ifndef SEKISHO_MGMT_CLI_WORDS_REACH_H
#define SEKISHO_MGMT_CLI_WORDS_REACH_H

#include "mgmt/cli/cli.h"

/* `reach` of an answer. Prints nothing for NULL or null, as in the answer of an older release. */
void reach_print(struct cli *c, const json_t *reach);
/* One line, if there is anything to report: how many hosts the box may contact, and how many
 * packets to others were refused. */
void reach_line(struct cli *c, const json_t *reach);

/* Prints a table of the hosts for which the box answers on an interface (docs/json.md). */

/* Each element of `list` has `count` and `ranges`, directly or in `answers`, and the interface's
 * name under `key`; other elements are left out. At most `most` ranges of each are printed, 0 =
 * all. Prints nothing when there are none. */
void answers_print(struct cli *c, const json_t *list, const char *key, size_t most);

#endif
