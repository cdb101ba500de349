/* SPDX-License-Identifier: Apache-2.0 */
/* What stands (docs/json.md, effective), for all verbs that print a part of it. */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_ASKED_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_ASKED_H

#include "mgmt/cli/box/request.h"

/* As box_request_long; without a daemon sekishod itself looks (box/standing.h): *ret_standing. */
bool effective_ask(struct cli *c, struct box_answer *ret, bool *ret_standing, int *ret_status);

#endif
