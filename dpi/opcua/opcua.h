/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of OPC UA, binary over TCP.
 *
 * A client says hello, opens a secure channel and asks over it. In a channel without security each
 * request is read: service, nodes, attributes, values. What a channel with security carries nobody
 * but its ends can read: only rows that name it let it through, by its security policy. Answers
 * must belong to an open request by number and service. Sequence numbers follow one another. It
 * owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_OPCUA_OPCUA_H
#define SEKISHO_DPI_OPCUA_OPCUA_H

#include "dpi/opcua/chunk.h"
#include "dpi/protocol.h"

/* Requests that may wait for their answers in one flow; clients keep several of Publish waiting. */
#define OPCUA_OPEN_MAX 64u

#endif
