/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of IEC 60870-5-104.
 *
 * A controlling station (the client) sends commands: type, common address, object, value and
 * qualifier of each must be allowed, whether it selects or executes. A controlled station (the
 * server) sends what it monitors when it likes; what it sends of a command's type must confirm an
 * open command by type, common address and object. Numbers of I frames follow one another, and
 * transfer is started before it begins. It owns nothing but the flow's inline state, and never sees
 * packets, time or other flows.
 */
#ifndef SEKISHO_DPI_IEC104_IEC104_H
#define SEKISHO_DPI_IEC104_IEC104_H

#include "dpi/iec104/frame.h"
#include "dpi/protocol.h"

#define IEC104_OPEN_MAX 32u /* commands that may wait for their confirmations in one flow */

#endif
