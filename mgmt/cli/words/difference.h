/* SPDX-License-Identifier: Apache-2.0 */
/* The difference of lines between the texts of two generations. */
#ifndef SEKISHO_MGMT_CLI_WORDS_DIFFERENCE_H
#define SEKISHO_MGMT_CLI_WORDS_DIFFERENCE_H

#include "mgmt/cli/cli.h"

/*
 * `before` and `after`: arrays of {"name", "text"}. The lines that only one of them has, file by
 * file and in their order, as docs/json.md has them. The caller owns it.
 */
json_t *difference_json(const json_t *before, const json_t *after);
/* "- 12: old line", at most `most` of them, and how many more there are. */
void difference_print(struct cli *c, const json_t *difference, size_t most);

#endif
