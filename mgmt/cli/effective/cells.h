/* SPDX-License-Identifier: Apache-2.0 */
/* The packets that a conduit lets in, as `effective` shows them: grouped by interfaces, ports, lane and end. */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_CELLS_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_CELLS_H

#include "mgmt/cli/cli.h"

/* Prints these cells below `head`. Returns how many there are; when there are none nothing is printed. */
size_t effective_cells(struct cli *c, const json_t *cells, enum message head);

#endif
