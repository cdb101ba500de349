/* SPDX-License-Identifier: Apache-2.0 */
/* For whom the box answers on an interface (docs/json.md), as a table for people. */
#ifndef SEKISHO_MGMT_CLI_WORDS_ANSWERS_H
#define SEKISHO_MGMT_CLI_WORDS_ANSWERS_H

#include "mgmt/cli/cli.h"

/* Each element of `list` has `count` and `ranges`, or has them as `answers`, and the interface's name under `key`; others are left out. Of
 * each at most `most` ranges are named, 0 = all. Nothing is printed where there is none. */
void answers_print(struct cli *c, const json_t *list, const char *key, size_t most);

#endif
