/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an ASDU of a controlling station into an operation. Part of the IEC 60870-5-104 enforcer,
 * used by nobody else. Pure; knows no policy. */
#ifndef SEKISHO_DPI_IEC104_REQUEST_H
#define SEKISHO_DPI_IEC104_REQUEST_H

#include "appliance/wire/operation.h"
#include "dpi/iec104/frame.h"

/* A command has one object, which becomes one operation; its values are borrowed from the PDU.
 * Returns R_ALLOWED, or what is wrong with the command. */
enum reason iec104_request_parse(const struct iec104_head *h, struct operation *ret);

#endif
