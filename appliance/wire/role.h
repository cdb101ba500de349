/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles: processes of the box, and the programs at its control socket.
 */
#ifndef SEKISHO_WIRE_ROLE_H
#define SEKISHO_WIRE_ROLE_H

#include <stdint.h>

enum role {
	ROLE_SUPERVISOR = 0,
	ROLE_ENFORCE,
	ROLE_GATE,
	ROLE_DPI,
	ROLE_TAP,
	ROLE_COMPILE,
	ROLE_JOURNAL,
	ROLE_MGMT,
	ROLE_ACCOUNTS,
	ROLE_CLI, /* a peer of the control socket, not a process of ours */
	ROLE_CONTROL,
	ROLE_COUNT
};

const char *role_name(enum role r);
/* The role whose process has this slot (slot.h), and its index among the processes of that role. */
enum role slot_role(unsigned slot);
uint32_t slot_index(unsigned slot);

#endif
