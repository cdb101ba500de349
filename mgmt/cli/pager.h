/* SPDX-License-Identifier: Apache-2.0 */
/* What is longer than the screen is read in `less`: on a terminal only, and never by a program. */
#ifndef SEKISHO_MGMT_CLI_PAGER_H
#define SEKISHO_MGMT_CLI_PAGER_H

#include "mgmt/cli/cli.h"

/* From here on what goes to `c->out` is kept, where a person reads at a terminal; else nothing changes. Again: nothing. PAGER=""
 * or "cat" asks for none. */
void pager_begin(struct cli *c);
/* Shows what was kept, and waits for the reader where it is longer than the screen. `c->out` is standard output again. */
void pager_end(struct cli *c);

#endif
