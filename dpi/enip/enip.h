/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer (The CIP Networks Library, volumes 1 and 2): sessions over TCP with
 * unconnected and connected requests; the List commands, over UDP as well; and I/O data over UDP,
 * for connections that were opened over TCP (struct bond).
 *
 * All lengths of a message must agree, or it is refused: those of the header, the items, the CIP
 * path and data, the parts of a Multiple Service Packet, and the request in an Unconnected Send.
 * Each service in a message is one operation. Its target is the route to the device, which comes
 * from an Unconnected Send or from the path of the connection. A connected request is read
 * according to the purpose for which its connection was opened. An answer must fit a waiting
 * request. The enforcer owns nothing but the flow's inline state, and never sees packets, time or
 * other flows.
 */
#ifndef SEKISHO_DPI_ENIP_ENIP_H
#define SEKISHO_DPI_ENIP_ENIP_H

#include "dpi/protocol.h"

#define ENIP_PDU_MAX 4608u	/* bytes: large connections of controllers carry 4,002 */
#define ENIP_OPEN_MAX 12u	/* requests that may wait for their answers in one flow */
#define ENIP_CONNECTIONS_MAX 8u /* connections for requests that one session may have */
#define ENIP_IO_MAX 32u		/* connections for I/O whose originator is remembered in one flow */

#endif
