/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a generation, for the verbs that compare them. */
#ifndef SEKISHO_MGMT_CLI_VERBS_SHOW_H
#define SEKISHO_MGMT_CLI_VERBS_SHOW_H

#include "mgmt/cli/box/request.h"

/* Asks the box for generation `number`, 0 = the one in force. As box_request. */
bool show_request(struct cli *c, unsigned long long number, struct box_answer *ret, int *ret_status);

#endif
