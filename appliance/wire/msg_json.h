/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in messages: a body as an object, and the one way to answer a question. */
#ifndef SEKISHO_WIRE_MSG_JSON_H
#define SEKISHO_WIRE_MSG_JSON_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

/* The body as an object with the field names of message.def. It has numbers, digests and texts.
 * Callers add lists, sessions and filters, whose meaning they know. Owned by the caller. */
json_t *msg_json(const struct msg_body *b);

/* Answers with a status, and JSON in a sealed memfd. Takes the reference. If memory ran out, so
 * that `j` is NULL where JSON is due, ANSWER_YES becomes ANSWER_CANNOT. 0, or negative errno
 * of sending. */
int msg_answer(int sock, uint32_t id, enum answer_status status, json_t *j);

#endif
