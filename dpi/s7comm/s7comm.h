/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S7comm enforcer: TPKT (RFC 1006), COTP class 0 (RFC 905), and the S7 PDUs in it.
 *
 * Runs in dpi workers and in replay. A PDU is one TPDU, or all DTs up to the one that ends a message. Lengths of every layer agree
 * exactly; a session begins with one connection request, then the size of its PDUs is agreed on, and nothing larger passes. Each item
 * of a request is an operation. Answers fit open requests; what a server sends by itself was subscribed to, or belongs to a
 * download that was allowed. S7comm-plus (0x72) is another protocol and refused here. It owns nothing but the flow's inline
 * state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_S7COMM_S7COMM_H
#define SEKISHO_DPI_S7COMM_S7COMM_H

#include "dpi/protocol.h"

#endif
