/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of IEC 60870-5-104.
 *
 * For each command of a controlling station (the client), type, common address, object, value and
 * qualifier must be allowed, both to select and to execute. A controlled station (the server) may
 * send monitored values at any time. An ASDU of a command's type must confirm an open command by
 * type, common address and object. I frames must have consecutive numbers, and data are sent only
 * after STARTDT. The enforcer owns nothing but the flow's inline state, and never sees packets,
 * time or other flows.
 */
#ifndef SEKISHO_DPI_IEC104_IEC104_H
#define SEKISHO_DPI_IEC104_IEC104_H

#include "dpi/iec104/frame.h"
#include "dpi/protocol.h"

#define IEC104_OPEN_MAX 32u /* commands that may wait for their confirmations in one flow */

#endif
