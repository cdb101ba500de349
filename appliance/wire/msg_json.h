/* SPDX-License-Identifier: Apache-2.0 */
/* A body as an object, its fields under the names that message.def gives them. */
#ifndef SEKISHO_WIRE_MSG_JSON_H
#define SEKISHO_WIRE_MSG_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* Numbers, digests and texts; whoever knows what a list, a session or a filter means adds those. Owned by the caller. */
json_t *msg_json(const struct msg_body *b);

#endif
