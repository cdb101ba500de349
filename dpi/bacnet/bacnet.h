/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of BACnet/IP.
 *
 * Of each request of a client, the service, route, way, objects, properties, priorities and values
 * must be allowed. If a request has several elements, each must be allowed. A server may answer an
 * open request by its invoke id with what was asked for. By itself it may send only what a client
 * has subscribed to or what a row names. The enforcer owns nothing but the flow's inline state, and
 * never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_BACNET_BACNET_H
#define SEKISHO_DPI_BACNET_BACNET_H

#include "dpi/bacnet/frame.h"
#include "dpi/protocol.h"

#define BACNET_OPEN_MAX 24u /* requests that may wait for their answers in one flow */
#define BACNET_TOLD_MAX 16u /* requests of the server that may wait for their answers in one flow */

#endif
