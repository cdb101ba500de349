/* SPDX-License-Identifier: Apache-2.0 */
/* The part of `sekisho status` that fits on a screen of 24 lines: one line for each thing that
 * --all lists. */
#ifndef SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H
#define SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H

#include "mgmt/cli/cli.h"

/* `head`: what stands above, as it was printed; of more than fits the first lines are kept, and how
 * many are left out is said. */
void overview_head(struct cli *c, const char *head);
/* One line for interfaces, processes, what was refused, inspection, records and certificates, and
 * how to see all. */
void overview_print(struct cli *c, const json_t *status);
/* Says so where the policy file of this box is not what is in force. */
void overview_file(struct cli *c);

#endif
