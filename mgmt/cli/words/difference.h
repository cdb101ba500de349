/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that differ between the texts of two generations. */
#ifndef SEKISHO_MGMT_CLI_WORDS_DIFFERENCE_H
#define SEKISHO_MGMT_CLI_WORDS_DIFFERENCE_H

#include "mgmt/cli/cli.h"

/*
 * `before` and `after`: arrays of {"name", "text"}. Returns the lines that only one of both has,
 * file by file and in order, in the form of docs/json.md. Owned by the caller.
 */
json_t *difference_json(const json_t *before, const json_t *after);
/* Prints lines as "- 12: old line", at most `most` of them, then the number of the others. */
void difference_print(struct cli *c, const json_t *difference, size_t most);

#endif
