/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the box itself may reach from the admin namespace, and who may reach it there
 * (docs/json.md), as a table for people. */
#ifndef SEKISHO_MGMT_CLI_WORDS_REACH_H
#define SEKISHO_MGMT_CLI_WORDS_REACH_H

#include "mgmt/cli/cli.h"

/* `reach` of an answer; NULL or null prints nothing, as a box of an older release says. */
void reach_print(struct cli *c, const json_t *reach);
/* One line, where there is something to say: how many it may reach, and how much to others
 * was refused. */
void reach_line(struct cli *c, const json_t *reach);

/* For whom the box answers on an interface (docs/json.md), as a table for people. */

/* Each element of `list` has `count` and `ranges`, or has them as `answers`, and the interface's
 * name under `key`; others are left out. Of each at most `most` ranges are named, 0 = all. Nothing
 * is printed where there is none. */
void answers_print(struct cli *c, const json_t *list, const char *key, size_t most);

#endif
