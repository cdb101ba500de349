/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may open a door, for how long, with what, and who may agree and review: each order about a
 * door, by what it is judged. And when a door is over.
 *
 * LINK: appliance/enforce/door_book.c appliance/base/json.c appliance/base/sentence.c
 * LINK: appliance/base/messages.c appliance/base/utf8.c appliance/base/memfd.c
 * LINK: appliance/base/err.c appliance/base/errno_text.c appliance/base/addr.c
 * LINK: appliance/base/bytes.c
 * LINK: appliance/wire/settings.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/door_book.h"
#include "appliance/role/said.h"
#include "appliance/wire/orders.h"

#define NOW 1800000000u /* seconds since 1970 */

static uint64_t now_s;
static unsigned recorded[256]; /* by enum policy_event */
static struct ir_door doors[] = {
	{ .name = "plain", .at_most = 3600, .opened_by = 1u << DUTY_SUPERVISOR, .needs = 1u << DOOR_TICKET },
	{ .name = "two", .at_most = 3600, .opened_by = DUTIES_ALL, .second_person = true },
	{ .name = "glass", .at_most = 3600, .opened_by = DUTIES_ALL, .break_glass = true },
	{ .name = "firm",
	  .at_most = 3600,
	  .opened_by = DUTIES_ALL,
	  .organisation = "acme",
	  .contract_until = NOW + 600 },
};
static struct ir ir = { .doors = doors, .n_doors = 4 };

uint64_t clock_wall_ns(void)
{
	return now_s * 1000000000u;
}

void event_record(struct event_port *p, enum event_kind kind, uint8_t code, uint64_t value, struct said x)
{
	(void)p;
	(void)value;
	(void)x;
	assert_int_equal(kind, EVENT_POLICY);
	recorded[code]++;
}

static const struct door_scene usual = { .ir = &ir, .number = 7, .trusted = true };

static enum door_done orders(json_t *list, const struct door_scene *c, enum change_order order, const char *door,
			     uint32_t for_s, const char *account, unsigned duty, const char *ticket)
{
	struct msg_door m = { .order = (uint8_t)order, .for_s = for_s, .duties = 1u << duty, .comment = "" };
	struct sentence why = { 0 };
	enum door_done r;

	snprintf((char *)m.object, sizeof(m.object), "%s", door);
	snprintf((char *)m.account, sizeof(m.account), "%s", account);
	snprintf((char *)m.by, sizeof(m.by), "%s", account);
	snprintf((char *)m.ticket, sizeof(m.ticket), "%s", ticket);
	r = door_ordered(list, c, &m, &why);
	assert_int_equal(r == DOOR_REFUSED, sentence_said(&why));
	return r;
}

#define OPENS(list, scene, ...) orders(list, scene, CHANGE_OPEN, __VA_ARGS__)

static int begin(void **state)
{
	now_s = NOW;
	memset(recorded, 0, sizeof(recorded));
	*state = json_array();
	return 0;
}

static int finish(void **state)
{
	json_decref(*state);
	return 0;
}

static void who_may_open_a_door(void **state)
{
	static const struct door_scene unsure = { .ir = &ir, .trusted = false },
				       busy = { .ir = &ir, .trusted = true, .busy = true };
	json_t *list = *state;

	assert_int_equal(OPENS(list, &usual, "none", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_OPERATOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", 3601, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", DOOR_LEAST - 1, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &unsure, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &busy, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(recorded[POLICY_DOOR_REFUSED], 7);
	assert_true(json_array_size(list) == 0 && door_until(list, &doors[0]) == 0);
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[0]), NOW + 600);
	assert_int_equal(recorded[POLICY_DOOR_OPENED], 1);
	/* anybody who may order it shuts it, also where the clock is not trusted */
	assert_int_equal(orders(list, &unsure, CHANGE_SHUT, "plain", 0, "take", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[0]), 0);
	assert_int_equal(orders(list, &usual, CHANGE_SHUT, "plain", 0, "take", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
}

static void two_persons(void **state)
{
	json_t *list = *state;

	/* root has no account, and so is nobody's second person */
	assert_int_equal(OPENS(list, &usual, "two", 600, "", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "two", 0, "take", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
	assert_int_equal(OPENS(list, &usual, "two", 0, "ume", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "two", 0, "", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(door_until(list, &doors[1]), 0);
	now_s += 60;
	assert_int_equal(OPENS(list, &usual, "two", 0, "take", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[1]), NOW + 660);
	/* what was agreed to once opens nothing more */
	assert_int_equal(OPENS(list, &usual, "two", 0, "take", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	/* a request is over after a quarter of an hour, and if the clock was set back before it */
	assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
	now_s -= 120;
	assert_int_equal(OPENS(list, &usual, "two", 0, "take", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	now_s += 120 + 901;
	assert_int_equal(OPENS(list, &usual, "two", 0, "take", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
}

static void broken_glass_is_reviewed_by_another(void **state)
{
	json_t *list = *state;

	assert_int_equal(OPENS(list, &usual, "glass", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(recorded[POLICY_DOOR_GLASS], 1);
	now_s += 601;
	assert_true(doors_follow(list, &usual));
	assert_int_equal(recorded[POLICY_DOOR_ENDED], 1);
	/* the use stays until somebody has reviewed it */
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "ume", DUTY_SUPERVISOR, ""),
			 DOOR_REFUSED);
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "take", DUTY_SUPERVISOR, ""),
			 DOOR_CHANGED);
	assert_int_equal(json_array_size(list), 0);
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "take", DUTY_SUPERVISOR, ""),
			 DOOR_REFUSED);
}

static void when_a_door_is_over(void **state)
{
	struct ir_door narrower[1] = { doors[2] };
	struct ir less = { .doors = narrower, .n_doors = 1 }, none = { .n_doors = 0 };
	const struct door_scene narrowed = { .ir = &less, .trusted = true }, gone = { .ir = &none, .trusted = true };
	json_t *list = *state;

	/* a contract ends a door of its organisation, and opens none afterwards */
	assert_int_equal(OPENS(list, &usual, "firm", 3600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[3]), NOW + 600);
	now_s = NOW + 600;
	assert_true(doors_follow(list, &usual) && json_array_size(list) == 0);
	assert_int_equal(OPENS(list, &usual, "firm", 60, "ume", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	/* a policy that allows less shortens an open door; one without it shuts it */
	assert_int_equal(OPENS(list, &usual, "glass", 3600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_false(doors_follow(list, &usual));
	narrower[0].at_most = 300;
	assert_int_equal(door_until(list, narrower), now_s + 300);
	assert_true(doors_follow(list, &narrowed));
	assert_int_equal(door_until(list, &doors[2]), now_s + 300);
	assert_true(doors_follow(list, &gone));
	assert_int_equal(door_until(list, &doors[2]), 0);
	/* the clock was set back: the door would be open for longer than it may */
	assert_int_equal(OPENS(list, &usual, "glass", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	now_s -= 3600;
	assert_true(doors_follow(list, &usual));
	assert_int_equal(door_until(list, &doors[2]), 0);
	assert_int_equal(recorded[POLICY_DOOR_SHUT], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_may_open_a_door, begin, finish),
		cmocka_unit_test_setup_teardown(two_persons, begin, finish),
		cmocka_unit_test_setup_teardown(broken_glass_is_reviewed_by_another, begin, finish),
		cmocka_unit_test_setup_teardown(when_a_door_is_over, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
