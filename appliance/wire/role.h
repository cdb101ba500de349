/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles: processes of the box, and the programs at its control socket.
 */
#ifndef SEKISHO_WIRE_ROLE_H
#define SEKISHO_WIRE_ROLE_H

#include <stdint.h>

enum role {
#define ROLE(id, ...) id,
#include "appliance/wire/role.def"
	ROLE_COUNT
};

const char *role_name(enum role r);
/* The role whose process has this slot (slot.h), and its index among the processes of that role. */
enum role slot_role(unsigned slot);
uint32_t slot_index(unsigned slot);

#endif
