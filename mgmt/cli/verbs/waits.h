/* SPDX-License-Identifier: Apache-2.0 */
/* Conduits of a policy's text that would wait on this box because its clock is not trusted: for the
 * verbs that say what it would do. */
#ifndef SEKISHO_MGMT_CLI_VERBS_WAITS_H
#define SEKISHO_MGMT_CLI_VERBS_WAITS_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/policy/source.h"

/* As "clock" in the answer to `apply`, by what the daemon here says of its clock; NULL: none waits,
 * or there is no daemon that would tell. */
json_t *waits_here(struct cli *c, const struct ir *ir);

#endif
