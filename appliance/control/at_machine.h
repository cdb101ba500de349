/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The right that each question at the control socket needs, for people at the machine who are not
 * root but have an account. One table. Pure.
 */
#ifndef SEKISHO_CONTROL_AT_MACHINE_H
#define SEKISHO_CONTROL_AT_MACHINE_H

#include <stdbool.h>

#include "appliance/wire/duty.h"

struct msg_body;

/* RIGHT_COUNT: only root may ask. This applies to every question that is not in the table. */
enum right at_machine_right(const struct msg_body *b);
/* Whether the order is recorded under the person's own name, or is a personal decision. Such an
 * order is refused from a person who has changed to another login (su, sudo -u). */
bool at_machine_own(const struct msg_body *b);

#endif
