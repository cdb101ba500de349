/* SPDX-License-Identifier: Apache-2.0 */
/* The short form of `sekisho status`, which fits on a screen of 24 lines: one line for each list of
 * --all. */
#ifndef SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H
#define SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H

#include "mgmt/cli/cli.h"

/* Prints `head`, the lines above. If they are too many, only the first ones, and the number of the
 * others. */
void overview_head(struct cli *c, const char *head);
/* Prints one line each for interfaces, processes, refusals, inspection, records and certificates,
 * and how to see everything. */
void overview_print(struct cli *c, const json_t *status);
/* If the policy file of this box is not what is in force, says so. */
void overview_file(struct cli *c);

#endif
