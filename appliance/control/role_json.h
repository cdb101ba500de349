/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a role as JSON (docs/json.md). */
#ifndef SEKISHO_CONTROL_ROLE_JSON_H
#define SEKISHO_CONTROL_ROLE_JSON_H

#include <stdint.h>

#include "appliance/base/json.h"

struct msg_body;

/* `index`: which worker or gate. Owned by the caller. */
json_t *role_json(const struct msg_body *says, uint32_t index);

#endif
