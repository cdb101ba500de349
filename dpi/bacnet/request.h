/* SPDX-License-Identifier: Apache-2.0 */
/* What a client's datagram asks for. Part of the BACnet enforcer, used by nobody else. Pure; knows
 * no policy. */
#ifndef SEKISHO_DPI_BACNET_REQUEST_H
#define SEKISHO_DPI_BACNET_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/bacnet/frame.h"

/* The kind of message that acknowledges a confirmed service. */
enum bacnet_answer { BACNET_ANSWER_SIMPLE, BACNET_ANSWER_COMPLEX, BACNET_ANSWER_ANY };

/* An operation with this code and the datagram's route and way, without an object. */
struct operation bacnet_operation(const struct bacnet_unit *u, uint32_t code);
/* The code of the datagram, as rows name it. A service that writes has its plain code here. */
uint32_t bacnet_code(const struct bacnet_unit *u);
/* Sets `n`, the operations and `wrong` of a client's request; there is at least one operation. */
void bacnet_request_parse(const struct bacnet_unit *u, struct parsed *ret);
/* How this confirmed service is acknowledged. */
enum bacnet_answer bacnet_answer_of(uint8_t service);
/* Whether tagged data of this service are whole, to their end. */
bool bacnet_is_whole(uint32_t code, struct bytes rest);
/* The object and property that tagged data begin with; all ones where there is none. */
void bacnet_begins_with(struct bytes rest, uint32_t *ret_object, uint32_t *ret_property);

#endif
