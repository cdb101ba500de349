/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of MELSEC communication protocol (MC protocol) and SLMP: 3E and 4E frames, binary
 * and ASCII, in streams and in datagrams.
 *
 * All PDUs of a session have the form of the first one. Every device that a request touches, and
 * every value that it writes, must be allowed. Requests whose addresses are not in the frame
 * (labels, extended device specifications, files) are allowed only by rows without limits. Answers
 * carry no command: they must fit an open request by serial number (4E), route and length. The
 * enforcer owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_SLMP_SLMP_H
#define SEKISHO_DPI_SLMP_SLMP_H

#include "dpi/protocol.h"

/* largest value of the length field: 960 words in ASCII need 3864, 7168 bits in binary 3596 */
#define SLMP_LENGTH_MAX 4096u
#define SLMP_PDU_MAX (26u + SLMP_LENGTH_MAX)
#define SLMP_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

#endif
