/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may open a door, for how long, with what, and who may agree and review: each order about a
 * door, by what it is judged. And when a door is over.
 *
 * LINK: appliance/enforce/door_book.c appliance/base/json.c appliance/base/sentence.c
 * LINK: appliance/base/messages.c appliance/base/utf8.c appliance/base/memfd.c
 * LINK: appliance/base/err.c appliance/base/errno_text.c appliance/base/addr.c
 * LINK: appliance/base/bytes.c
 * LINK: appliance/wire/settings.c appliance/base/sha256.c appliance/wire/duty.c policy/ir/meaning.c
 * LIBS: jansson nettle
 */
#include "policy/ir/meaning.h"
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
	{ .name = "plain",
	  .at_most = 3600,
	  .opened_by = 1u << DUTY_SUPERVISOR,
	  .needs = 1u << DOOR_TICKET,
	  .organisation = "" },
	{ .name = "two",
	  .at_most = 3600,
	  .opened_by = 1u << DUTY_SUPERVISOR,
	  .second_person = true,
	  .organisation = "" },
	{ .name = "glass", .at_most = 3600, .opened_by = DUTIES_ALL, .break_glass = true, .organisation = "" },
	{ .name = "firm",
	  .at_most = 3600,
	  .opened_by = DUTIES_ALL,
	  .organisation = "acme",
	  .contract_until = NOW + 600 },
};
static struct ir_zone zones[] = { { .name = "it" }, { .name = "ot" } };
static struct addr_range hosts[] = { { { .family = 4, .b = { 10, 1, 0, 1 } }, { .family = 4, .b = { 10, 1, 0, 1 } } },
				     { { .family = 4, .b = { 10, 2, 0, 1 } }, { .family = 4, .b = { 10, 2, 0, 9 } } } };
static struct ir_port ports[] = { { 6, 502, 502 } };
static struct ir_service services[] = { { .name = "plc", .ports = ports, .n_ports = 1, .whole = true } };
static uint32_t service[] = { 0 };
#define CONDUIT(name_, door_)                                                                                          \
	{                                                                                                              \
		.name = name_, .to = 1, .sources = hosts, .n_sources = 1, .destinations = hosts + 1,                   \
		.n_destinations = 1, .services = service, .n_services = 1, .window = UINT32_MAX, .door = door_         \
	}
static struct ir_conduit conduits[] = { CONDUIT("a", 1), CONDUIT("b", 0), CONDUIT("c", 1) };
static struct ir ir = { .doors = doors,
			.n_doors = 4,
			.zones = zones,
			.n_zones = 2,
			.services = services,
			.n_services = 1,
			.conduits = conduits,
			.n_conduits = 2 };
static const char *comment = "";
static const char *request = ""; /* to which the next order agrees */

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

static struct door_scene usual = { .ir = &ir, .number = 7, .trusted = true };

/* The name of the door's request that waits; NULL: none does. */
static const char *asked(const json_t *list, const char *door)
{
	const json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		if (json_is_true(json_object_get(x, "asked")) && strcmp(text_in(x, "door"), door) == 0)
			return text_in(x, "request");
	return NULL;
}

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
	m.comment = comment;
	snprintf((char *)m.request, sizeof(m.request), "%s", request);
	(void)ir_door_meaning(c->ir, door, m.meant);
	r = door_ordered(list, c, &m, &why);
	assert_int_equal(r == DOOR_REFUSED || r == DOOR_VOID, sentence_said(&why));
	return r;
}

#define OPENS(list, scene, ...) orders(list, scene, CHANGE_OPEN, __VA_ARGS__)

/* Agrees to the present request, or to the one of that name. */
static enum door_done agrees(json_t *list, const char *to, const char *account)
{
	char name[DOOR_REQUEST];
	enum door_done r;

	snprintf(name, sizeof(name), "%s", to != NULL ? to : asked(list, "two") != NULL ? asked(list, "two") : "");
	request = name;
	r = OPENS(list, &usual, "two", 0, account, DUTY_SUPERVISOR, "");
	request = "";
	return r;
}

static int begin(void **state)
{
	now_s = NOW;
	memset(recorded, 0, sizeof(recorded));
	*state = json_array();
	usual.openers = json_loads("[{\"name\":\"ume\",\"roles\":[\"viewer\",\"supervisor\"]}]", 0, NULL);
	return 0;
}

static int finish(void **state)
{
	json_decref(*state);
	json_decref((json_t *)(uintptr_t)usual.openers);
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
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_SUPERVISOR, "  "), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_SUPERVISOR, "\u3000"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", 3601, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "plain", DOOR_LEAST - 1, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &unsure, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &busy, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_REFUSED);
	assert_int_equal(recorded[POLICY_DOOR_REFUSED], 9);
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
	char first[DOOR_REQUEST];

	/* root has no account, and so is nobody's second person */
	assert_int_equal(OPENS(list, &usual, "two", 600, "", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	assert_int_equal(agrees(list, "1-0", "take"), DOOR_REFUSED);
	assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
	assert_int_equal(agrees(list, NULL, "ume"), DOOR_REFUSED);
	assert_int_equal(agrees(list, NULL, ""), DOOR_REFUSED);
	assert_int_equal(agrees(list, "", "take"), DOOR_REFUSED); /* to nothing in particular */
	assert_int_equal(door_until(list, &doors[1]), 0);
	now_s += 60;
	snprintf(first, sizeof(first), "%s", asked(list, "two"));
	assert_int_equal(strncmp(first, "1-", 2), 0);
	assert_int_equal(agrees(list, first, "take"), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[1]), NOW + 660);
	/* what was agreed to once opens nothing more */
	assert_int_equal(agrees(list, first, "take"), DOOR_REFUSED);
	/* a request is over after a quarter of an hour, and if the clock was set back before it */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
		now_s += i == 0 ? (uint64_t)-120 : 901;
		assert_int_equal(agrees(list, NULL, "take"), DOOR_VOID);
		assert_null(asked(list, "two"));
		assert_int_equal(recorded[POLICY_DOOR_LAPSED], i + 1);
		now_s += i == 0 ? 120 : 0;
	}
	/* without anybody's order too */
	assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
	now_s += 901;
	assert_true(doors_follow(list, &usual) && !doors_follow(list, &usual));
	assert_int_equal(recorded[POLICY_DOOR_LAPSED], 3);
}

/* The second person agrees to what he saw, and to nothing else. */
static void agreed_to_as_seen(void **state)
{
	json_t *list = *state;
	char seen[DOOR_REQUEST];

	assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_ASKED);
	snprintf(seen, sizeof(seen), "%s", asked(list, "two"));
	/* asked anew in between, for other times, or with the same words */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(OPENS(list, &usual, "two", i == 0 ? 3600 : 600, "ume", DUTY_SUPERVISOR, "1"),
				 DOOR_ASKED);
		assert_int_equal(recorded[POLICY_DOOR_ANEW], i + 1);
		assert_string_not_equal(asked(list, "two"), seen);
		assert_int_equal(agrees(list, seen, "take"), DOOR_REFUSED);
	}
	assert_int_equal(agrees(list, NULL, "take"), DOOR_CHANGED);
	assert_int_equal(door_until(list, &doors[1]), NOW + 600);
}

/* Whatever the request rests on: when it changes, the request is void, and its record says why. */
static void requests_that_are_void(void **state)
{
	static const struct {
		enum policy_event why;
		bool holds;
	} cases[] = { { POLICY_DOOR_VOID_ACCOUNT, false },
		      { POLICY_DOOR_VOID_ACCOUNT, false },
		      { POLICY_DOOR_VOID_TIME, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_NOTHING, true },
		      { POLICY_NOTHING, true },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false },
		      { POLICY_DOOR_VOID_POLICY, false } };
	json_t *list = *state, *openers = (json_t *)(uintptr_t)usual.openers;
	struct ir_server server = { .name = "gate.example" };

	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ir before = ir;
		const struct ir_conduit first = conduits[0], other = conduits[1];
		const struct addr_range end = hosts[1];
		unsigned k = i / 2, n = recorded[cases[k].why];
		/* nobody tells the accounts that changed meanwhile */
		bool follows = i % 2 == 1 && k > 1;

		assert_int_equal(OPENS(list, &usual, "two", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_ASKED);
		usual.openers = k == 0 ? NULL : openers;
		if (k == 1)
			json_object_set_new(json_array_get(openers, 0), "roles", json_pack("[s]", "viewer"));
		doors[1].at_most = k == 2 ? 599 : k == 3 ? 3000 : 3600;
		doors[1].needs = k == 4 ? 1u << DOOR_NAME : 0;
		conduits[0].until = k == 5 ? NOW + 9000 : 0; /* its times */
		hosts[1].hi.b[3] = k == 6 ? 10 : 9;	     /* its ends */
		ir.n_conduits = k == 7 ? 3 : 2;		     /* a conduit more behind the door */
		if (k == 8)
			conduits[0].name = "d";
		conduits[0].line = k == 9 ? 7 : 0; /* the same at another place of the text */
		if (k == 10)
			conduits[1].until = NOW + 60; /* of another door */
		/* what happens without inspection, and whom it lets in */
		conduits[0].when_down = k == 11 ? FAIL_OPEN : FAIL_CLOSED;
		conduits[0].when_overloaded = k == 12 ? FAIL_OPEN : FAIL_CLOSED;
		conduits[0].when_midstream = k == 13 ? MID_PICK_UP : MID_DROP;
		conduits[0].deny_weak_tls = k == 14;
		conduits[0].tighten_new_flows = k == 15;
		conduits[0].servers = k == 16 ? &server : NULL;
		conduits[0].n_servers = k == 16;
		if (follows)
			assert_int_equal(doors_follow(list, &usual), !cases[k].holds);
		assert_int_equal(agrees(list, NULL, "take"), cases[k].holds ? DOOR_CHANGED
							     : follows	    ? DOOR_REFUSED
									    : DOOR_VOID);
		if (!cases[k].holds)
			assert_int_equal(recorded[cases[k].why], n + 1);
		assert_int_equal(door_until(list, &doors[1]) != 0, cases[k].holds);
		assert_null(asked(list, "two"));
		if (k == 1)
			json_object_set_new(json_array_get(openers, 0), "roles", json_pack("[s]", "supervisor"));
		if (cases[k].holds)
			assert_int_equal(orders(list, &usual, CHANGE_SHUT, "two", 0, "ume", DUTY_SUPERVISOR, ""),
					 DOOR_CHANGED);
		usual.openers = openers;
		ir = before;
		conduits[0] = first;
		conduits[1] = other;
		hosts[1] = end;
		doors[1].at_most = 3600;
		doors[1].needs = 0;
	}
}

/* An order that waited while the policy changed opens nothing that nobody asked for. */
static void an_order_means_what_it_meant(void **state)
{
	struct msg_door m = {
		.order = CHANGE_OPEN, .for_s = 600, .duties = DUTIES_ALL, .object = "glass", .comment = ""
	};
	struct sentence why = { 0 };
	json_t *list = *state;

	(void)ir_door_meaning(&ir, "glass", m.meant);
	conduits[0].door = 2;
	assert_int_equal(door_ordered(list, &usual, &m, &why), DOOR_REFUSED);
	conduits[0].door = 1;
	assert_int_equal(door_ordered(list, &usual, &m, &why), DOOR_CHANGED);
}

static void broken_glass_is_reviewed_by_another(void **state)
{
	json_t *list = *state;

	assert_int_equal(OPENS(list, &usual, "glass", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(recorded[POLICY_DOOR_GLASS], 1);
	now_s += 601;
	assert_true(doors_follow(list, &usual));
	assert_int_equal(recorded[POLICY_DOOR_ENDED], 1);
	/* the use is to be reviewed until somebody does */
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "unreviewed")));
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "ume", DUTY_SUPERVISOR, ""),
			 DOOR_REFUSED);
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "take", DUTY_SUPERVISOR, ""),
			 DOOR_CHANGED);
	assert_false(json_is_true(json_object_get(json_array_get(list, 0), "unreviewed")));
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
	assert_true(doors_follow(list, &usual) && door_until(list, &doors[3]) == 0);
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

/* What is told of the opening with this number; NULL: it is not in the list any more. */
static const json_t *opening(const json_t *list, uint64_t number)
{
	const json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		if (count_in(x, "opening") == number)
			return x;
	return NULL;
}

static void openings_are_numbered_and_noted(void **state)
{
	json_t *list = *state;

	assert_int_equal(OPENS(list, &usual, "glass", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	/* opened again while it is open: another opening, and the first one is over */
	now_s += 60;
	assert_int_equal(OPENS(list, &usual, "glass", 600, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(count_in(opening(list, 1), "ended"), now_s);
	assert_int_equal(count_in(opening(list, 2), "ended"), 0);
	/* the note can be given after the end, for all openings that lack it, and once */
	now_s += 601;
	assert_true(doors_follow(list, &usual));
	assert_int_equal(count_in(opening(list, 2), "ended"), now_s - 1);
	assert_int_equal(orders(list, &usual, CHANGE_SHUT, "glass", 0, "ume", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	comment = "nothing was changed";
	assert_int_equal(orders(list, &usual, CHANGE_SHUT, "glass", 0, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(recorded[POLICY_DOOR_NOTED], 2);
	assert_int_equal(orders(list, &usual, CHANGE_SHUT, "glass", 0, "ume", DUTY_SUPERVISOR, ""), DOOR_REFUSED);
	/* whoever shuts a door can give it at once */
	assert_int_equal(OPENS(list, &usual, "plain", 600, "ume", DUTY_SUPERVISOR, "1"), DOOR_CHANGED);
	assert_int_equal(orders(list, &usual, CHANGE_SHUT, "plain", 0, "ume", DUTY_SUPERVISOR, ""), DOOR_CHANGED);
	assert_int_equal(recorded[POLICY_DOOR_NOTED], 3);
	comment = "";
	/* later what is over goes, but the last number stays known, and so does what lacks
	 * a note */
	assert_int_equal(orders(list, &usual, CHANGE_REVIEW_DOOR, "glass", 0, "take", DUTY_SUPERVISOR, ""),
			 DOOR_CHANGED);
	now_s += 7201;
	assert_int_equal(OPENS(list, &usual, "plain", 60, "ume", DUTY_SUPERVISOR, "1"), DOOR_CHANGED);
	assert_true(opening(list, 1) == NULL && opening(list, 2) == NULL && opening(list, 4) != NULL);
	now_s += 7201;
	assert_true(doors_follow(list, &usual));
	assert_true(opening(list, 3) == NULL && opening(list, 4) != NULL);
}

/* Notes that nobody gives keep no door shut: the oldest entries go. */
static void notes_take_no_room(void **state)
{
	json_t *list = *state;

	for (unsigned i = 0; i <= DOORS_KEPT; i++) {
		assert_int_equal(OPENS(list, &usual, "plain", 60, "ume", DUTY_SUPERVISOR, "1"), DOOR_CHANGED);
		now_s += 61;
		assert_true(doors_follow(list, &usual));
	}
	assert_int_equal(json_array_size(list), DOORS_KEPT);
	assert_true(opening(list, 1) == NULL && opening(list, 2) != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_may_open_a_door, begin, finish),
		cmocka_unit_test_setup_teardown(two_persons, begin, finish),
		cmocka_unit_test_setup_teardown(agreed_to_as_seen, begin, finish),
		cmocka_unit_test_setup_teardown(requests_that_are_void, begin, finish),
		cmocka_unit_test_setup_teardown(an_order_means_what_it_meant, begin, finish),
		cmocka_unit_test_setup_teardown(broken_glass_is_reviewed_by_another, begin, finish),
		cmocka_unit_test_setup_teardown(when_a_door_is_over, begin, finish),
		cmocka_unit_test_setup_teardown(openings_are_numbered_and_noted, begin, finish),
		cmocka_unit_test_setup_teardown(notes_take_no_room, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
