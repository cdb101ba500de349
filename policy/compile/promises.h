/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the texts of a policy promise and its rules do not show: `never` statements, equipment that
 * cannot be updated, the owner of a zone. For reports. Pure.
 */
#ifndef SEKISHO_POLICY_COMPILE_PROMISES_H
#define SEKISHO_POLICY_COMPILE_PROMISES_H

#include <stddef.h>

#include "appliance/base/diag.h"
#include "appliance/base/json.h"

/*
 * Compiles the texts of a policy, the main one first, and returns what they promise:
 * {"nevers":2,"broken":0,"unattended":0,"ways":0,"zones":[{"name","label","owner","patchable"}]},
 * owned by the caller. `unattended`: statements that hold only while an inspector runs; `ways`:
 * warnings that an outside zone reaches one that cannot be updated, including accepted ones. NULL
 * when the texts do not compile here.
 */
json_t *promises_json(const struct source_text *texts, size_t n);

#endif
