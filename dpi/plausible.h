/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on names that nDPI 4.2 gives too easily: it calls nearly any bytes on port 53 DNS and any byte of a
 * certain shape on port 123 NTP, at full confidence. A name counts only when the bytes could be that protocol at all.
 * Pure; owns nothing. Protocols whose detectors look closer are plausible without a test here.
 */
#ifndef SEKISHO_DPI_PLAUSIBLE_H
#define SEKISHO_DPI_PLAUSIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/protocols.h"
#include "dpi/protocol.h"

/* `payload`: of the packet after which the name was given; `l4proto`: IANA number. */
bool plausible(enum protocol p, enum direction dir, uint8_t l4proto, struct bytes payload);

#endif
