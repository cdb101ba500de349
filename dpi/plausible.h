/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on names that nDPI 4.2 gives too easily, at full confidence: nearly any bytes on port 53 are DNS to
 * it, one byte of a certain shape on port 123 is NTP, a length that fits on port 445 is SMB, and binary data whose fourth
 * and fifth byte are zero can be TLS. A name counts only when the bytes could be that protocol at all; where there is a
 * recogniser of our own, it must agree about the packet. Pure; owns nothing. Other names stand as they are given.
 */
#ifndef SEKISHO_DPI_PLAUSIBLE_H
#define SEKISHO_DPI_PLAUSIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/protocols.h"
#include "dpi/protocol.h"

/* `payload`: of the packet after which the name was given; `l4proto`: IANA number. */
bool plausible(enum protocol p, enum direction dir, uint8_t l4proto, struct bytes payload);

#endif
