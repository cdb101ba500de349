/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams that nDPI 4.2 does not know although they are what was promised: SNMP whose lengths take more than one byte,
 * which is every message of more than 127 bytes, and syslog that ends with a zero byte. Asked when nDPI has no name; all of
 * the datagram must fit. Pure; owns nothing.
 */
#ifndef SEKISHO_DPI_DATAGRAM_H
#define SEKISHO_DPI_DATAGRAM_H

#include <stdbool.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/protocols.h"

bool datagram_is(enum protocol p, struct bytes payload);

#endif
