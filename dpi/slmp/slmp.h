/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of MELSEC communication protocol (MC protocol) and SLMP: 3E and 4E frames, binary and ASCII, in streams and in
 * datagrams.
 *
 * A session keeps to the form of its first PDU. What a request touches is read out of it device by device; each must be
 * allowed, and each value that is written. What a request does not say (labels, extended device specifications, files) is
 * allowed only where no row limits it. Answers carry no command: they must fit an open request by serial number (4E), route
 * and length. It owns nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_SLMP_SLMP_H
#define SEKISHO_DPI_SLMP_SLMP_H

#include "dpi/protocol.h"

#define SLMP_LENGTH_MAX                                                                                                \
	4096u /* what a header may say that follows: 960 words in ASCII need 3864, 7168 bits in binary 3596 */
#define SLMP_PDU_MAX (26u + SLMP_LENGTH_MAX)
#define SLMP_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

#endif
