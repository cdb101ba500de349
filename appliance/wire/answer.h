/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to answer a question: a status, and JSON in a sealed memfd. */
#ifndef SEKISHO_WIRE_ANSWER_H
#define SEKISHO_WIRE_ANSWER_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* Takes the reference. If memory ran out, so that `j` is NULL where JSON is due, ANSWER_YES becomes
 * ANSWER_CANNOT. 0, or negative errno of sending. */
int msg_answer(int sock, uint32_t id, enum answer_status status, json_t *j);

#endif
