/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/at_machine.h"

#include "appliance/wire/change.h"

#define NEEDS(right) ((uint8_t)((right) + 1u))

/* Of the questions that are one thing whatever stands in them; 0 = root alone. The same rights as over the web (mgmt/web/api). */
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
	[MSG_REVIEW] = NEEDS(RIGHT_REVIEW),
	[MSG_BACKUP] = NEEDS(RIGHT_BACKUP),
	/* What the box signs for him is the auditor's to ask for: each is a record. */
	[MSG_CHECKPOINT] = NEEDS(RIGHT_REVIEW),
	[MSG_PRESERVE] = NEEDS(RIGHT_REVIEW),
	[MSG_DRAFT] = NEEDS(RIGHT_READ_RULES),
};

static const uint8_t holds[HOLD_ORDERS] = {
	[HOLD_LIST] = NEEDS(RIGHT_READ_EVENTS),
	[HOLD_PLACE] = NEEDS(RIGHT_LOG),
	[HOLD_LIFT] = NEEDS(RIGHT_LOG),
};

/* A copy of the register, and back, is a matter of root's backups. */
static const uint8_t devices[DEVICES_ORDERS] = {
	[DEVICES_LIST] = NEEDS(RIGHT_READ_EVENTS),
	[DEVICES_ACCEPT] = NEEDS(RIGHT_MACHINE),
	[DEVICES_FORGET] = NEEDS(RIGHT_MACHINE),
};

/* Who may change accounts could make himself any two persons, so that stays with root. */
static const uint8_t users[USER_ORDERS] = {
	[USER_LIST] = NEEDS(RIGHT_READ_ACCOUNTS),   [USER_SHOW] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_KEYS] = NEEDS(RIGHT_READ_ACCOUNTS),   [USER_CERTIFICATES] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_TOKENS] = NEEDS(RIGHT_READ_ACCOUNTS), [USER_SESSIONS] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_ROLES] = NEEDS(RIGHT_READ_ACCOUNTS),  [USER_APPROVAL] = NEEDS(RIGHT_READ_ACCOUNTS),
	[USER_LEAKED] = NEEDS(RIGHT_READ_ACCOUNTS),
};

static uint8_t of_order(const uint8_t *table, unsigned n, unsigned order)
{
	return order < n ? table[order] : 0;
}

enum right at_machine_right(const struct msg_body *b)
{
	uint8_t need = (unsigned)b->type < MSG_TYPE_COUNT ? questions[b->type] : 0;

	if (b->type == MSG_HOLD)
		need = of_order(holds, HOLD_ORDERS, b->hold.order);
	else if (b->type == MSG_DEVICES)
		need = of_order(devices, DEVICES_ORDERS, b->devices.order);
	else if (b->type == MSG_CTL_USER)
		need = of_order(users, USER_ORDERS, b->ctl_user.order);
	else if (b->type == MSG_CHANGE && b->change.order < CHANGE_ORDERS)
		need = NEEDS(change_right((enum change_order)b->change.order));
	return need != 0 ? (enum right)(need - 1) : RIGHT_COUNT;
}
