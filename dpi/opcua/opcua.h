/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of OPC UA, binary over TCP.
 *
 * A client says hello, opens a secure channel and sends requests over it. In a channel without
 * security each request is read: service, nodes, attributes, values. Contents of a channel with
 * security can be read only by its ends; they pass only if a row names the channel's security
 * policy. An answer must belong to an open request by number and service. Sequence numbers must be
 * consecutive. The enforcer owns nothing but the flow's inline state, and never sees packets, time
 * or other flows.
 */
#ifndef SEKISHO_DPI_OPCUA_OPCUA_H
#define SEKISHO_DPI_OPCUA_OPCUA_H

#include "dpi/opcua/chunk.h"
#include "dpi/protocol.h"

/* Requests that may wait for their answers in one flow. Clients keep several Publish requests
 * waiting. */
#define OPCUA_OPEN_MAX 64u

#endif
