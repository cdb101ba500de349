/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus/TCP enforcer (MODBUS Application Protocol V1.1b3; Messaging on TCP/IP V1.0b).
 *
 * Runs in dpi workers and in replay. Every request must have exactly the form that the
 * specification gives for its function. Every register that it touches, and every value that it
 * writes, must be allowed by one row of one grant. Every response must answer an open request and
 * have the form of its answer. Nothing is repaired or guessed: a request whose effect is not known
 * (the result of a mask write, the addresses of an unknown function) is allowed only by rows
 * without limits. The enforcer owns nothing but the flow's inline state, and never sees packets,
 * time or other flows.
 */
#ifndef SEKISHO_DPI_MODBUS_MODBUS_H
#define SEKISHO_DPI_MODBUS_MODBUS_H

#include "dpi/protocol.h"

#define MODBUS_PDU_MAX 260 /* bytes: 7 of header, 253 of function and data */
#define MODBUS_OPEN_MAX 16 /* requests that may wait for their answers in one flow */

#endif
