/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles of people and their rights, as duty.def has them. Sets of either are bits: bit n = the
 * row n. Pure. Several programs use it to show rights; only the process `accounts` decides by them.
 */
#ifndef SEKISHO_WIRE_DUTY_H
#define SEKISHO_WIRE_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/messages.h"

enum right {
#define RIGHT(id, word, name) id,
#include "appliance/wire/duty.def"
	RIGHT_COUNT
};

enum duty {
#define DUTY(id, word, name, rights) id,
#include "appliance/wire/duty.def"
	DUTY_COUNT
};

#define DUTIES_ALL ((UINT32_C(1) << DUTY_COUNT) - 1)
#define RIGHTS_ALL ((UINT32_C(1) << RIGHT_COUNT) - 1)

/* The word of a role in files, in answers and on the command line; NULL beyond the table. */
const char *duty_word(unsigned duty);
const char *right_word(unsigned right);
/* The name of a role for people. */
enum message duty_name(enum duty d);
enum message right_name(enum right r);
/* DUTY_COUNT when no role has that word. */
enum duty duty_by_word(const char *word);
/* The rights of all these roles together; bits beyond the table give no right. */
uint32_t duty_rights(uint32_t duties);
bool duty_may(uint32_t duties, enum right r);

#endif
