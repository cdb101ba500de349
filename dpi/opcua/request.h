/* SPDX-License-Identifier: Apache-2.0 */
/* What a request asks for, by the table services.def. Part of the OPC UA enforcer, used by nobody
 * else. Pure; knows no policy. */
#ifndef SEKISHO_DPI_OPCUA_REQUEST_H
#define SEKISHO_DPI_OPCUA_REQUEST_H

#include "dpi/opcua/builtin.h"
#include "dpi/protocol.h"

/* The node id of a service's request, in namespace 0 (OPC 10000-6, 5.2.2.9). False: it is none. */
bool opcua_service_take(struct bytes *body, uint32_t *ret);
/* Of an answer the request's; 0: nobody knows it. */
uint32_t opcua_service_of_answer(uint32_t service);
/* The answer's of a request; 0: nobody knows it. */
uint32_t opcua_answer_of_service(uint32_t service);
/*
 * The operations of a request, into ret->operations; values are borrowed. `body` begins with its
 * node id. Without security all of it has to be there; `policy` is the channel's.
 */
void opcua_request_parse(struct bytes body, uint8_t policy, struct parsed *ret);
/* Whether `body`, of which more is to come, is a request already. */
bool opcua_request_is_whole(struct bytes body);
/* Takes the header of a request off, behind its node id. */
bool opcua_request_header_take(struct bytes *b);
/* The same of an answer; *ret_bad: it reports an error. */
bool opcua_answer_header_take(struct bytes *b, bool *ret_bad);
/* One operation that says nothing of itself but its code. */
struct operation opcua_operation(uint32_t service, uint8_t policy);

#endif
