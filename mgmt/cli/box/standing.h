/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `status` and `effective` when no daemon answers: sekishod itself, which stands beside this program and is run for one answer,
 * reads the kernel and the state folder. Only for root, and only where nothing listens; a daemon that is silent is another matter.
 */
#ifndef SEKISHO_MGMT_CLI_BOX_STANDING_H
#define SEKISHO_MGMT_CLI_BOX_STANDING_H

#include "mgmt/cli/box/request.h"

/* Nobody listens at the control socket, and the caller may look for itself. */
bool standing_wanted(const struct cli *c);
/* As box_request; `question` is "status" or "effective". */
bool standing_request(struct cli *c, const char *question, struct box_answer *ret, int *ret_status);
/* What stands, in the first lines. */
void standing_headline(struct cli *c, const json_t *answer);

#endif
