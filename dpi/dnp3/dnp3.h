/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of DNP3, over TCP and in datagrams.
 *
 * A master (the client) asks: function, outstation, objects, points, values and operations of each
 * request must be allowed. OPERATE has to repeat the bytes of the SELECT before it. An outstation
 * (the server) answers an open request by its number, and sends unsolicited responses when it
 * likes; a master confirms what asked for it. It owns nothing but the flow's inline state, and
 * never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_DNP3_DNP3_H
#define SEKISHO_DPI_DNP3_DNP3_H

#include "dpi/dnp3/frame.h"
#include "dpi/protocol.h"

#define DNP3_OPEN_MAX 16u    /* requests that may wait for their answers in one flow */
#define DNP3_TOLD_MAX 64u    /* responses that may wait to be confirmed */
#define DNP3_SELECT_MAX 512u /* bytes of a SELECT: 42 outputs by the shorter index */
#define DNP3_DATAGRAM_MAX 8u /* fragments in one datagram */

#endif
