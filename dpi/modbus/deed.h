/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that went by, kept by kind so that they can be judged again under other rows: what they touch, and between
 * which values they wrote. Part of the Modbus enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_MODBUS_DEED_H
#define SEKISHO_DPI_MODBUS_DEED_H

#include "dpi/protocol.h"

void modbus_deed_note(struct bytes pdu, struct deed *ret);
void modbus_deed_again(const struct deed *d, const struct command_table *t, const struct command_permit *p,
		       struct pdu *ret);

#endif
