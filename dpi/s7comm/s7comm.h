/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S7comm enforcer: TPKT (RFC 1006), COTP class 0 (RFC 905), and the S7 PDUs in it.
 *
 * Runs in dpi workers and in replay. A PDU is one TPDU, or all DT TPDUs of a fragmented message.
 * The lengths of all layers must agree exactly. A session begins with one connection request; then
 * both ends agree on a PDU size, and nothing larger passes. Each item of a request is an operation.
 * An answer must fit an open request. A message that the server sends by itself must have been
 * subscribed to, or belong to an allowed download. S7comm-plus (0x72) is another protocol, and is
 * refused here. The enforcer owns nothing but the flow's inline state, and never sees packets, time
 * or other flows.
 */
#ifndef SEKISHO_DPI_S7COMM_S7COMM_H
#define SEKISHO_DPI_S7COMM_S7COMM_H

#include "dpi/protocol.h"

#endif
