/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus/TCP enforcer (MODBUS Application Protocol V1.1b3; Messaging on TCP/IP V1.0b).
 *
 * Runs in dpi workers and in replay. Every request must be exactly what the specification says its function looks
 * like, every register it touches and every value it writes must be allowed by one row of one grant, and every
 * response must answer an open request and look like its answer. Nothing is repaired and nothing is guessed: what
 * cannot be known (a mask write's result, an unknown function's addresses) is allowed only where nothing restricts it.
 * It owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_MODBUS_MODBUS_H
#define SEKISHO_DPI_MODBUS_MODBUS_H

#include "dpi/protocol.h"

#define MODBUS_PDU_MAX 260 /* bytes: 7 of header, 253 of function and data */
#define MODBUS_OPEN_MAX 16 /* requests that may wait for their answers in one flow */

#endif
