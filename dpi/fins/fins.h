/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of FINS, in datagrams and over TCP.
 *
 * Every address that a command touches, and every value that it writes, must be allowed. Commands
 * whose addresses or values are not in the frame are allowed only by rows without limits. An answer
 * must fit an open request by service id, command, both ends and length. The enforcer owns nothing
 * but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_FINS_FINS_H
#define SEKISHO_DPI_FINS_FINS_H

#include "dpi/fins/frame.h"
#include "dpi/protocol.h"

#define FINS_PDU_MAX (FINS_TCP_HEADER + FINS_FRAME_MAX)
#define FINS_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

#endif
