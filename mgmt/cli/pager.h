/* SPDX-License-Identifier: Apache-2.0 */
/* Output that is longer than the screen is shown in `less`, only on a terminal and never for
 * a program. */
#ifndef SEKISHO_MGMT_CLI_PAGER_H
#define SEKISHO_MGMT_CLI_PAGER_H

#include "mgmt/cli/cli.h"

/* From here on, output to `c->out` is collected if it goes to a terminal; otherwise nothing
 * changes. A second call has no effect. PAGER="" or "cat" switches the pager off. */
void pager_begin(struct cli *c);
/* Shows the collected output, in the pager if it is longer than the screen. `c->out` is standard
 * output again. */
void pager_end(struct cli *c);

#endif
