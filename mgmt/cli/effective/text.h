/* SPDX-License-Identifier: Apache-2.0 */
/* The effective rules (docs/json.md) as text for people. Prints, owns nothing, decides nothing. */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_TEXT_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_TEXT_H

#include <stdio.h>

#include "mgmt/cli/cli.h"

/* False: no memory, and nothing was printed. */
bool effective_render(struct cli *c, const json_t *effective);
/* Prints without a newline when the conduit was last used or, if it never was, since when its use
 * is watched. Then prints the spans since then in which nobody watched. */
void effective_last_use(const json_t *conduit, enum lang l, FILE *to);

#endif
