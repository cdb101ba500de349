/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of MEMOBUS in its extended form, binary, in datagrams and over TCP.
 *
 * Every coil, relay and register that a message touches, and every value that it writes, must be
 * allowed. Messages with unknown addresses or values are allowed only by rows without limits. An
 * answer must fit an open request by number, function, CPU numbers and length. The enforcer owns
 * nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_MEMOBUS_MEMOBUS_H
#define SEKISHO_DPI_MEMOBUS_MEMOBUS_H

#include "dpi/memobus/frame.h"
#include "dpi/protocol.h"

#define MEMOBUS_PDU_MAX (MEMOBUS_HEADER + MEMOBUS_LENGTH + MEMOBUS_MESSAGE_MAX)
#define MEMOBUS_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

#endif
