/* SPDX-License-Identifier: Apache-2.0 */
/* A pass phrase from whoever sits at the terminal, unseen and twice, or from a pipe, one line. */
#ifndef SEKISHO_MGMT_CLI_USER_PHRASE_H
#define SEKISHO_MGMT_CLI_USER_PHRASE_H

#include "mgmt/cli/cli.h"

#define PHRASE_MOST 512u

/* False: *ret_status is what the verb returns, and why was said. The caller wipes `out`. */
bool phrase_read(struct cli *c, char out[PHRASE_MOST], int *ret_status);

#endif
