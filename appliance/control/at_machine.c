/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/control.h"

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
	[MSG_REVIEW] = SIGNS(RIGHT_REVIEW),
	[MSG_BACKUP] = SIGNS(RIGHT_BACKUP),
	/* The box signs its answers to these two, and each answer is recorded with the name of the
	 * auditor who asked. */
	[MSG_CHECKPOINT] = SIGNS(RIGHT_REVIEW),
	[MSG_PRESERVE] = SIGNS(RIGHT_REVIEW),
	[MSG_DRAFT] = NEEDS(RIGHT_READ_RULES),
};

static const uint8_t holds[HOLD_ORDERS] = {
	[HOLD_LIST] = NEEDS(RIGHT_READ_EVENTS),
	[HOLD_PLACE] = SIGNS(RIGHT_LOG),
	[HOLD_LIFT] = SIGNS(RIGHT_LOG),
};

/* Export and import of the register are not listed, so they need root: they are part of backups. */
static const uint8_t devices[DEVICES_ORDERS] = {
	[DEVICES_LIST] = NEEDS(RIGHT_READ_EVENTS),
	[DEVICES_ACCEPT] = SIGNS(RIGHT_MACHINE),
	[DEVICES_FORGET] = SIGNS(RIGHT_MACHINE),
};

/* An operator hears the alarms and acknowledges them. */
static const uint8_t attacks[ATTACKS_ORDERS] = {
	[ATTACKS_LIST] = NEEDS(RIGHT_READ_EVENTS),
	[ATTACKS_ACKNOWLEDGE] = SIGNS(RIGHT_MACHINE),
	[ATTACKS_SILENCE] = SIGNS(RIGHT_MACHINE),
	[ATTACKS_TEST] = SIGNS(RIGHT_MACHINE),
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

static uint8_t of_order(const uint8_t *table, unsigned n, unsigned order)
{
	return order < n ? table[order] : 0;
}

static uint8_t row_of(const struct msg_body *b)
{
	if (b->type == MSG_HOLD)
		return of_order(holds, HOLD_ORDERS, b->hold.order);
	if (b->type == MSG_DEVICES)
		return of_order(devices, DEVICES_ORDERS, b->devices.order);
	if (b->type == MSG_ATTACKS)
		return of_order(attacks, ATTACKS_ORDERS, b->attacks.order);
	if (b->type == MSG_CTL_USER)
		return of_order(users, USER_ORDERS, b->ctl_user.order);
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
