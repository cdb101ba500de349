/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/at_machine.h"

#include "appliance/wire/judged.h"
#include "appliance/wire/orders.h"

#define NEEDS(right) ((uint8_t)((right) + 1u))
#define IN_OWN_NAME 0x80u
#define SIGNS(right) ((uint8_t)(NEEDS(right) | IN_OWN_NAME))

_Static_assert(RIGHT_COUNT < IN_OWN_NAME, "a right and this bit in one byte");

/* The right that each question needs, whatever it contains. 0: only root may ask. SIGNS: the asker
 * must be a person with a name, who then stands in the record. The same rights as over the web
 * (mgmt/web/api). */
static const uint8_t questions[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = NEEDS(RIGHT_READ_STATE),
	[MSG_EFFECTIVE] = NEEDS(RIGHT_READ_RULES),
	[MSG_VERIFY] = NEEDS(RIGHT_READ_RULES),
	[MSG_HISTORY] = NEEDS(RIGHT_READ_RULES),
	[MSG_SHOW] = NEEDS(RIGHT_READ_RULES),
	[MSG_FLOWS] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_EVENTS] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_EXPLAIN] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_COPY] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_BACKUP] = SIGNS(RIGHT_BACKUP),
	/* The box signs its answer, which is recorded with the name of the auditor who asked. */
	[MSG_CHECKPOINT] = SIGNS(RIGHT_REVIEW),
	[MSG_DRAFT] = NEEDS(RIGHT_READ_RULES),
	/* lists; the supervisor takes the orders */
	[MSG_HOLD] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_DEVICES] = NEEDS(RIGHT_READ_EVENTS),
	[MSG_ATTACKS] = NEEDS(RIGHT_READ_EVENTS),
};

/* Changes of accounts are not listed, so they need root: with them, one person could create the two
 * who have to agree on a policy. */
static const uint8_t users[USER_ORDERS] = {
	[USER_LIST] = NEEDS(RIGHT_READ_ACCOUNTS),   [USER_SHOW] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_KEYS] = NEEDS(RIGHT_READ_ACCOUNTS),   [USER_CERTIFICATES] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_TOKENS] = NEEDS(RIGHT_READ_ACCOUNTS), [USER_SESSIONS] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_ROLES] = NEEDS(RIGHT_READ_ACCOUNTS),  [USER_APPROVAL] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_LEAKED] = NEEDS(RIGHT_READ_ACCOUNTS),
};

static uint8_t row_of(const struct msg_body *b)
{
	/* A copy of the register needs root, because it is part of backups. */
	if (order_is_signed(b) || (b->type == MSG_DEVICES && b->devices.order != DEVICES_LIST))
		return 0;
	if (b->type == MSG_CTL_USER)
		return b->ctl_user.order < USER_ORDERS ? users[b->ctl_user.order] : 0;
	if (b->type == MSG_CHANGE)
		return b->change.order < CHANGE_ORDERS ? SIGNS(change_right((enum change_order)b->change.order)) : 0;
	return (unsigned)b->type < MSG_TYPE_COUNT ? questions[b->type] : 0;
}

enum right at_machine_right(const struct msg_body *b)
{
	uint8_t need = row_of(b) & (uint8_t)~IN_OWN_NAME;

	return need != 0 ? (enum right)(need - 1) : RIGHT_COUNT;
}

bool at_machine_own(const struct msg_body *b)
{
	return (row_of(b) & IN_OWN_NAME) != 0;
}
