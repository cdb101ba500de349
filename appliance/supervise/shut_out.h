/* SPDX-License-Identifier: Apache-2.0 */
/* Who loses the management by a change of policy. Sessions with the box itself stand in no list of those that are cut. */
#ifndef SEKISHO_SUPERVISE_SHUT_OUT_H
#define SEKISHO_SUPERVISE_SHUT_OUT_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/*
 * Of the terminals that box.cfg of `now` names, those that `next` does not; where `now` names none, and so answers everybody, but `next` names
 * some, everybody else; the box's own addresses there that `next` does not have, and with the last of them everybody. A new object
 * (docs/json.md, shut_out); NULL when nobody loses it. Both are policies: without one, or an address there, nobody has it.
 */
json_t *shut_out_json(const struct ir *now, const struct ir *next);

#endif
