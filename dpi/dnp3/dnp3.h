/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of DNP3, over TCP and in datagrams.
 *
 * For each request of a master (the client), function, outstation, objects, points, values and
 * operations must be allowed. OPERATE has to repeat the bytes of the SELECT before it. An
 * outstation (the server) answers an open request by its number, and may send unsolicited responses
 * at any time; a master confirms only responses that asked for it. The enforcer owns nothing but
 * the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_DNP3_DNP3_H
#define SEKISHO_DPI_DNP3_DNP3_H

#include "dpi/dnp3/frame.h"
#include "dpi/protocol.h"

#define DNP3_OPEN_MAX 16u /* requests that may wait for their answers in one flow */
#define DNP3_TOLD_MAX 64u /* responses that may wait to be confirmed */
/* bytes of the objects of a SELECT that are kept: 42 outputs with one-byte indexes */
#define DNP3_SELECT_MAX 512u
#define DNP3_DATAGRAM_MAX 8u /* fragments in one datagram */

#endif
