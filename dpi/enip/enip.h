/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer (The CIP Networks Library, volumes 1 and 2): sessions on TCP, in them requests by themselves and over
 * connections; the List commands, on UDP too; and on UDP the data of I/O connections that were opened over TCP (struct bond).
 *
 * Every length agrees with every other, or the message is refused: header, items, CIP's path and data, the parts of a Multiple Service
 * Packet, what an Unconnected Send holds. Each service within is an operation; the way that it goes, by an Unconnected Send or by the
 * connection's own path, is whom it is for. Requests over connections are read as what those were opened for. An answer fits a request
 * that waits for one. It owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_ENIP_ENIP_H
#define SEKISHO_DPI_ENIP_ENIP_H

#include "dpi/protocol.h"

#define ENIP_PDU_MAX 4608u	/* bytes: large connections of controllers carry 4,002 */
#define ENIP_OPEN_MAX 12u	/* requests that may wait for their answers in one flow */
#define ENIP_CONNECTIONS_MAX 8u /* for requests, opened in one session */
#define ENIP_IO_MAX 32u		/* ... and for I/O, of which it is known who opened them */

#endif
