/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody at the machine may ask who is not root, but whose login the register of accounts names: the right that each question of the control
 * socket takes, in one table. Pure.
 */
#ifndef SEKISHO_CONTROL_AT_MACHINE_H
#define SEKISHO_CONTROL_AT_MACHINE_H

#include <stdbool.h>

#include "appliance/wire/msg.h"

/* RIGHT_COUNT: root alone, which is so of whatever the table does not name. */
enum right at_machine_right(const struct msg_body *b);
/* It is done in somebody's own name: he is on record for it, or decides by it. So it is not taken from who logged in as somebody else (su, sudo -u). */
bool at_machine_own(const struct msg_body *b);

#endif
