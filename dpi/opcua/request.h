/* SPDX-License-Identifier: Apache-2.0 */
/* Reads requests into operations, by the table services.def. Part of the OPC UA enforcer, used by
 * nobody else. Pure; knows no policy. */
#ifndef SEKISHO_DPI_OPCUA_REQUEST_H
#define SEKISHO_DPI_OPCUA_REQUEST_H

#include "dpi/opcua/builtin.h"
#include "dpi/protocol.h"

/* Reads the node id of a service, in namespace 0 (OPC 10000-6, 5.2.2.9). False: there is no such
 * node id. */
bool opcua_service_take(struct bytes *body, uint32_t *ret);
/* The service of the request that an answer of this service belongs to; 0: not known. */
uint32_t opcua_service_of_answer(uint32_t service);
/* The service of the answer to a request; 0: not known. */
uint32_t opcua_answer_of_service(uint32_t service);
/*
 * Reads a request into ret->operations; values are borrowed. `body` begins with the node id of the
 * service, and has the whole request. `policy`: number of the channel's security policy.
 */
void opcua_request_parse(struct bytes body, uint8_t policy, struct parsed *ret);
/* Whether `body`, the beginning of a message, is already a complete request. */
bool opcua_request_is_whole(struct bytes body);
/* Reads the header of a request, after the node id of its service. */
bool opcua_request_header_take(struct bytes *b);
/* The same for an answer; *ret_bad: the answer reports an error. */
bool opcua_answer_header_take(struct bytes *b, bool *ret_bad);
/* An operation that has only a code and a security policy. */
struct operation opcua_operation(uint32_t service, uint8_t policy);

#endif
