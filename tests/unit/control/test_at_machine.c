/* SPDX-License-Identifier: Apache-2.0 */
/*
 * at_machine.c, and judged.c for orders that the supervisor takes: what a login other than root may
 * ask. The test has every message and every role of
 * people in a table of its own, written by hand, so that it notices a question that is allowed by
 * mistake. A new message is root's alone.
 * LINK: appliance/control/at_machine.c appliance/wire/duty.c appliance/wire/orders.c
 * LINK: appliance/wire/judged.c appliance/wire/msg.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/bytes.c appliance/base/err.c
 * LINK: appliance/base/sentence.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/clock.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "appliance/control/at_machine.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/wire/judged.h"
#include "appliance/wire/orders.h"

/* By role, in the order of duty.def: viewer, author, approver, operator, accounts, auditor, log,
 * backup, supervisor. */
#define STATE "1111111110"
#define RULES "1111010000"
#define EVENTS "0111011000"
#define ACCOUNTS "0000110000"
#define LOG "0000001000"
#define MACHINE "0001000000"
#define REVIEW "0000010000"
#define EDIT "0100000000"
#define APPROVE "0010000000"
#define APPLY "0001000000"
#define BACKUP "0000000100"
#define ISOLATE "0001000010"
#define NOBODY "0000000000"

static const struct {
	enum msg_type type;
	unsigned order;
	const char *may;
} open_to[] = {
	{ MSG_STATUS, 0, STATE },
	{ MSG_EFFECTIVE, 0, RULES },
	{ MSG_VERIFY, 0, RULES },
	{ MSG_HISTORY, 0, RULES },
	{ MSG_SHOW, 0, RULES },
	{ MSG_FLOWS, 0, EVENTS },
	{ MSG_EVENTS, 0, EVENTS },
	{ MSG_EXPLAIN, 0, EVENTS },
	{ MSG_COPY, 0, EVENTS },
	{ MSG_REVIEW, 0, REVIEW },
	{ MSG_CHECKPOINT, 0, REVIEW },
	{ MSG_PRESERVE, 0, REVIEW },
	{ MSG_BACKUP, 0, BACKUP },
	{ MSG_HOLD, HOLD_LIST, EVENTS },
	{ MSG_HOLD, HOLD_PLACE, LOG },
	{ MSG_HOLD, HOLD_LIFT, LOG },
	{ MSG_DEVICES, DEVICES_LIST, EVENTS },
	{ MSG_DEVICES, DEVICES_ACCEPT, MACHINE },
	{ MSG_DEVICES, DEVICES_FORGET, MACHINE },
	{ MSG_ATTACKS, ATTACKS_LIST, EVENTS },
	{ MSG_ATTACKS, ATTACKS_ACKNOWLEDGE, ISOLATE },
	{ MSG_ATTACKS, ATTACKS_SILENCE, MACHINE },
	{ MSG_ATTACKS, ATTACKS_TEST, MACHINE },
	{ MSG_DRAFT, 0, RULES },
	{ MSG_CHANGE, CHANGE_SAVE, EDIT },
	{ MSG_CHANGE, CHANGE_CHECK, EDIT },
	{ MSG_CHANGE, CHANGE_TRY, EDIT },
	{ MSG_CHANGE, CHANGE_ASK, EDIT },
	{ MSG_CHANGE, CHANGE_APPROVE, APPROVE },
	{ MSG_CHANGE, CHANGE_DECLINE, APPROVE },
	{ MSG_CHANGE, CHANGE_DISCARD, EDIT },
	{ MSG_CHANGE, CHANGE_APPLY, APPLY },
	{ MSG_CHANGE, CHANGE_CONFIRM, APPLY },
	{ MSG_CHANGE, CHANGE_ROLLBACK, APPLY },
	{ MSG_CHANGE, CHANGE_ISOLATE, ISOLATE },
	{ MSG_CHANGE, CHANGE_REJOIN_READS, ISOLATE },
	{ MSG_CHANGE, CHANGE_REJOIN, ISOLATE },
	{ MSG_CHANGE, CHANGE_OPEN, ISOLATE },
	{ MSG_CHANGE, CHANGE_SHUT, ISOLATE },
	{ MSG_CHANGE, CHANGE_REVIEW_DOOR, REVIEW },
	{ MSG_CHANGE, CHANGE_HAND_OVER, ISOLATE },
	{ MSG_CHANGE, CHANGE_SERVICE, MACHINE },
	{ MSG_CTL_USER, USER_LIST, ACCOUNTS },
	{ MSG_CTL_USER, USER_SHOW, ACCOUNTS },
	{ MSG_CTL_USER, USER_KEYS, ACCOUNTS },
	{ MSG_CTL_USER, USER_CERTIFICATES, ACCOUNTS },
	{ MSG_CTL_USER, USER_TOKENS, ACCOUNTS },
	{ MSG_CTL_USER, USER_SESSIONS, ACCOUNTS },
	{ MSG_CTL_USER, USER_ROLES, ACCOUNTS },
	{ MSG_CTL_USER, USER_APPROVAL, ACCOUNTS },
	{ MSG_CTL_USER, USER_LEAKED, ACCOUNTS },
};

static const char *expected(enum msg_type type, unsigned order)
{
	for (size_t i = 0; i < sizeof(open_to) / sizeof(open_to[0]); i++)
		if (open_to[i].type == type && open_to[i].order == order)
			return open_to[i].may;
	return NOBODY;
}

/* A message of this type; `order` counts for types with orders. */
static struct msg_body body(enum msg_type type, unsigned order)
{
	struct msg_body b = { .type = type };

	if (type == MSG_HOLD)
		b.hold.order = (uint8_t)order;
	else if (type == MSG_DEVICES)
		b.devices.order = (uint8_t)order;
	else if (type == MSG_ATTACKS)
		b.attacks.order = (uint8_t)order;
	else if (type == MSG_CTL_USER)
		b.ctl_user.order = (uint8_t)order;
	else if (type == MSG_CHANGE)
		b.change.order = (uint8_t)order;
	return b;
}

static unsigned orders(enum msg_type type)
{
	return type == MSG_HOLD	      ? UINT8_MAX + 1u
	       : type == MSG_DEVICES  ? UINT8_MAX + 1u
	       : type == MSG_ATTACKS  ? UINT8_MAX + 1u
	       : type == MSG_CHANGE   ? UINT8_MAX + 1u
	       : type == MSG_CTL_USER ? UINT8_MAX + 1u
				      : 1;
}

static enum right right_of(const struct msg_body *b)
{
	return order_is_signed(b) ? order_signed_right(b) : at_machine_right(b);
}

static bool is_own(const struct msg_body *b)
{
	return order_is_signed(b) ? order_signed_right(b) != RIGHT_COUNT : at_machine_own(b);
}

static void every_message_and_every_role(void **state)
{
	unsigned asked = 0, yes = 0;

	(void)state;
	assert_int_equal(DUTY_COUNT, strlen(NOBODY));
	for (unsigned t = 0; t < MSG_TYPE_COUNT; t++)
		for (unsigned o = 0; o < orders((enum msg_type)t); o++) {
			struct msg_body b = body((enum msg_type)t, o);
			enum right r = right_of(&b);
			const char *may = expected((enum msg_type)t, o);

			for (unsigned d = 0; d < DUTY_COUNT; d++, asked++) {
				bool allowed = r != RIGHT_COUNT && duty_may(UINT32_C(1) << d, r);

				if (allowed != (may[d] == '1'))
					fail_msg("message %u, order %u, as %s: %d", t, o, duty_word(d), allowed);
				yes += allowed;
			}
		}
	assert_true(yes > 0 && asked > yes);
	/* All rights together are less than root. */
	assert_false(duty_may(DUTIES_ALL, RIGHT_COUNT));
}

/* Only root may do these: changes of the box without a second person, and changes of who may do
 * what. */
static void what_stays_with_root(void **state)
{
	static const enum msg_type roots[] = { MSG_CTL_CHANGE, MSG_CTL_RELEASE, MSG_CTL_RECORD, MSG_CTL_CLOCK,
					       MSG_SEAL,       MSG_SEALED,	MSG_RECORDS,	MSG_JUDGE,
					       MSG_AT_MACHINE, MSG_LOGIN,	MSG_USER };

	(void)state;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		struct msg_body b = body(roots[i], 0);

		assert_int_equal(at_machine_right(&b), RIGHT_COUNT);
	}
	assert_int_equal(at_machine_right(&(struct msg_body){ .type = (enum msg_type)(MSG_TYPE_COUNT + 7) }),
			 RIGHT_COUNT);
}

/* Orders that leave a person's name, or decide something: the list is written by hand a second
 * time. They are not accepted from a login of another person. Reading is. */
static void in_ones_own_name(void **state)
{
	static const struct {
		enum msg_type type;
		unsigned order;
	} own[] = { { MSG_REVIEW, 0 },
		    { MSG_CHECKPOINT, 0 },
		    { MSG_PRESERVE, 0 },
		    { MSG_BACKUP, 0 },
		    { MSG_HOLD, HOLD_PLACE },
		    { MSG_HOLD, HOLD_LIFT },
		    { MSG_DEVICES, DEVICES_ACCEPT },
		    { MSG_DEVICES, DEVICES_FORGET },
		    { MSG_ATTACKS, ATTACKS_ACKNOWLEDGE },
		    { MSG_ATTACKS, ATTACKS_SILENCE },
		    { MSG_ATTACKS, ATTACKS_TEST },
		    { MSG_CHANGE, CHANGE_SAVE },
		    { MSG_CHANGE, CHANGE_CHECK },
		    { MSG_CHANGE, CHANGE_TRY },
		    { MSG_CHANGE, CHANGE_ASK },
		    { MSG_CHANGE, CHANGE_APPROVE },
		    { MSG_CHANGE, CHANGE_DECLINE },
		    { MSG_CHANGE, CHANGE_DISCARD },
		    { MSG_CHANGE, CHANGE_APPLY },
		    { MSG_CHANGE, CHANGE_CONFIRM },
		    { MSG_CHANGE, CHANGE_ROLLBACK },
		    { MSG_CHANGE, CHANGE_ISOLATE },
		    { MSG_CHANGE, CHANGE_REJOIN_READS },
		    { MSG_CHANGE, CHANGE_REJOIN },
		    { MSG_CHANGE, CHANGE_OPEN },
		    { MSG_CHANGE, CHANGE_SHUT },
		    { MSG_CHANGE, CHANGE_REVIEW_DOOR },
		    { MSG_CHANGE, CHANGE_HAND_OVER },
		    { MSG_CHANGE, CHANGE_SERVICE } };
	size_t found = 0;

	(void)state;
	for (unsigned t = 0; t < MSG_TYPE_COUNT; t++)
		for (unsigned o = 0; o < orders((enum msg_type)t); o++) {
			struct msg_body b = body((enum msg_type)t, o);
			bool mine = false;

			for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
				mine |= own[i].type == t && own[i].order == o;
			if (is_own(&b) != mine)
				fail_msg("message %u, order %u: %d", t, o, !mine);
			found += mine;
			/* An order with a person's name is never one that only root may give. */
			assert_true(!mine || right_of(&b) != RIGHT_COUNT);
		}
	assert_int_equal(found, sizeof(own) / sizeof(own[0]));
	assert_false(at_machine_own(&(struct msg_body){ .type = (enum msg_type)(MSG_TYPE_COUNT + 7) }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_and_every_role),
		cmocka_unit_test(what_stays_with_root),
		cmocka_unit_test(in_ones_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
