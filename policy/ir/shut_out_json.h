/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts that another box.cfg shuts out of the management. */
#ifndef SEKISHO_POLICY_IR_SHUT_OUT_JSON_H
#define SEKISHO_POLICY_IR_SHUT_OUT_JSON_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/*
 * Finds terminals of `now` that `next` does not name; all other hosts, if only `next` names
 * terminals; management addresses of the box that `next` does not have, and all hosts if it has
 * none. A new object (docs/json.md, shut_out); NULL when no host loses access. Without a policy, or
 * without a management address, no host has access.
 */
json_t *ir_shut_out_json(const struct ir *now, const struct ir *next);

#endif
