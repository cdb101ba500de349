/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a message as a JSON object, with the field names of message.def. */
#ifndef SEKISHO_WIRE_MSG_JSON_H
#define SEKISHO_WIRE_MSG_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* The object has numbers, digests and texts. Callers add lists, sessions and filters, whose meaning
 * they know. Owned by the caller. */
json_t *msg_json(const struct msg_body *b);

#endif
