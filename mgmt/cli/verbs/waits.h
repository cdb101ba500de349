/* SPDX-License-Identifier: Apache-2.0 */
/* Finds conduits of a policy's text that would not open on this box because its clock is not
 * trusted. For the verbs that tell the effect of a policy. */
#ifndef SEKISHO_MGMT_CLI_VERBS_WAITS_H
#define SEKISHO_MGMT_CLI_VERBS_WAITS_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/policy/source.h"

/* "clock" as in the answer to `apply`, made from what this machine's daemon tells about its clock.
 * NULL: no conduit would wait, or no daemon tells. */
json_t *waits_here(struct cli *c, const struct ir *ir);

#endif
