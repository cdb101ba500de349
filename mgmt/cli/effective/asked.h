/* SPDX-License-Identifier: Apache-2.0 */
/* The effective rules (docs/json.md), for all verbs that print a part of them. */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_ASKED_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_ASKED_H

#include "mgmt/cli/box/request.h"

/* As box_request_long. Without a daemon, sekishod answers (box/standing.h), and *ret_standing is
 * set. `at`: the moment; 0 = now. */
bool effective_ask(struct cli *c, uint64_t at, struct box_answer *ret, bool *ret_standing, int *ret_status);

#endif
