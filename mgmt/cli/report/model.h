/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the texts of the policy in force say that the rules do not show: `never` statements, equipment that cannot be updated, who answers
 * for a zone.
 */
#ifndef SEKISHO_MGMT_CLI_REPORT_MODEL_H
#define SEKISHO_MGMT_CLI_REPORT_MODEL_H

#include "appliance/base/json.h"

/*
 * `sources`: [{"name","text"}], as `show` has them.
 * {"nevers":2,"broken":0,"unattended":0,"ways":0,"zones":[{"name","label","owner","patchable"}]}: the caller's; `unattended`: statements
 * that
 * hold only as long as somebody inspects; `ways`: warnings that a zone outside reaches one that cannot be updated, accepted ones among
 * them. NULL when these texts do not compile here.
 */
json_t *model_of(const json_t *sources);

#endif
