/* SPDX-License-Identifier: Apache-2.0 */
/* What a role says of itself in numbers, as people and programs read it (docs/json.md). */
#ifndef SEKISHO_CONTROL_ROLE_JSON_H
#define SEKISHO_CONTROL_ROLE_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* `index`: which worker or gate. Owned by the caller. */
json_t *role_json(const struct msg_body *says, uint32_t index);

#endif
