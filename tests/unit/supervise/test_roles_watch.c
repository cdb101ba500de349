/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the supervisor takes a gate, running or in its start, or a worker with a table, for hung.
 * The pulse and the kernel's data about the process are scripted.
 *
 * LINK: appliance/supervise/watch.c appliance/role/vigil.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/clock.c
 */
#include "appliance/supervise/ground.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/watch.h"
#include "appliance/wire/ring.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK 20000000ull

static struct supervisor s;
static struct pulse pulse;
static unsigned poked, killed, ended;
static uint64_t now;

void supervisor_say(const struct supervisor *of, enum message m, ...)
{
	(void)of, (void)m;
}

void role_event(struct supervisor *of, enum role role, uint32_t index, enum role_event what)
{
	(void)of, (void)role, (void)index;
	assert_int_equal(what, ROLE_HUNG);
}

void role_kill(struct supervisor *of, struct slot *sl)
{
	(void)of;
	if (sl == &s.slots[SLOT_DPI]) {
		ended++;
		return;
	}
	assert_ptr_equal(sl, &s.slots[SLOT_GATE]);
	killed++;
}

bool role_send(struct supervisor *of, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n)
{
	(void)of, (void)fds;
	if (sl == &s.slots[SLOT_DPI]) {
		(void)watch_answered(of, sl, &(struct msg){ .id = id });
		return true;
	}
	assert_ptr_equal(sl, &s.slots[SLOT_GATE]);
	assert_int_equal(id, 0);
	assert_int_equal(body->type, MSG_PING);
	assert_int_equal(n, 0);
	poked++;
	return true;
}

bool slot_alive(const struct slot *sl)
{
	return sl->state == SLOT_STARTING || sl->state == SLOT_RUNNING;
}

const char *slot_title(const struct slot *sl, char out[SLOT_TITLE])
{
	(void)sl;
	out[0] = 0;
	return out;
}

static void is(char state)
{
	char text[] = "1 (sekishod) S 1";

	text[13] = state;
	assert_int_equal(pwrite(s.workforce.pairs[0].vigil.stat, text, sizeof(text), 0), sizeof(text));
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	memset(&s, 0, sizeof(s));
	poked = killed = ended = 0;
	now = 0;
	assert_int_equal(watch_open(&s, &e), 0);
	s.slots[SLOT_GATE].state = SLOT_RUNNING;
	s.slots[SLOT_GATE].role = ROLE_GATE;
	s.slots[SLOT_GATE].asked = 1; /* a slow question has a limit of its own */
	s.slots[SLOT_GATE].vigil.stat = -1;
	s.workforce.pairs[0].pulse = &pulse;
	s.workforce.pairs[0].pulse_seen = pulse_feel(&pulse);
	vigil_begin(&s.workforce.pairs[0].vigil, 0, memfd_create("stat", 0));
	pulse_beat(&pulse);
	watch_due(&s, now);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	close(s.workforce.pairs[0].vigil.stat);
	free(s.watch);
	return 0;
}

static void looks(unsigned n, char state, bool turns)
{
	is(state);
	for (unsigned i = 0; i < n && killed == 0; i++) {
		now += LOOK;
		if (turns)
			pulse_beat(&pulse);
		watch_due(&s, now);
	}
}

static void one_that_turns_is_left_alone(void **state)
{
	(void)state;
	looks(40, 'S', true);
	assert_int_equal(poked, 0);
	assert_int_equal(killed, 0);
}

static void one_that_sleeps_on_is_hung(void **state)
{
	(void)state;
	looks(1, 'S', true);
	looks(2, 'S', false);
	assert_int_equal(poked, 1);
	assert_int_equal(killed, 0);
	looks(1, 'S', false);
	assert_int_equal(killed, 1);
}

/* The gate's core stands still: no alarm, and a message is sent to the gate so that it asks for its
 * core. */
static void one_without_a_core_is_left_alone(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		looks(1, 'S', true);
		looks(1, 'S', false);
		assert_int_equal(poked, round); /* once in each silence, however long it is */
		looks(40, 'R', false);
		assert_int_equal(poked, round);
		assert_int_equal(killed, 0);
	}
}

static void begins(struct slot *sl)
{
	sl->state = SLOT_STARTING;
	sl->asked = 0;
	vigil_begin(&sl->vigil, 0, memfd_create("stat", 0));
	vigil_begin(&sl->work, 0, sl->vigil.stat);
}

/* Lets `ms` pass at the pace of the supervisor's looks. The gate has not been asked and has no
 * pulse, so only its own activity counts. */
static void starts(unsigned ms, char state)
{
	char text[] = "1 (sekishod) S 1";

	text[13] = state;
	assert_int_equal(pwrite(s.slots[SLOT_GATE].vigil.stat, text, sizeof(text), 0), sizeof(text));
	for (uint64_t end = now + ms * 1000000ull; now < end && killed == 0; now += LOOK)
		watch_due(&s, now);
}

static void one_that_stands_still_at_its_start_is_hung(void **state)
{
	struct slot *sl = &s.slots[SLOT_GATE];

	(void)state;
	begins(sl);
	starts(9000, 'R');
	starts(7000, 'D'); /* the kernel reads from the disk for the gate */
	assert_int_equal(killed, 0);
	starts(2000, 'T');
	assert_int_equal(killed, 0);
	starts(2000, 'T');
	assert_int_equal(killed, 1);
	close(sl->vigil.stat);
}

/* A role that has no core is not ended: neither because of its start time, nor because the start
 * takes long on a busy machine. */
static void one_that_has_no_core_may_start_for_long(void **state)
{
	struct slot *sl = &s.slots[SLOT_GATE];

	(void)state;
	begins(sl);
	starts(60000, 'R');
	assert_int_equal(killed, 0);
	/* The service manager counts this role as one that answers. */
	assert_true(sl->heard + 3000000000ull >= now);
	/* Always busy, and never ready. */
	for (unsigned i = 0; i < 4; i++) {
		starts(2000, 'S');
		assert_int_equal(killed, 0);
		starts(1000, 'R');
	}
	starts(2000, 'S');
	assert_int_equal(killed, 1);
	close(sl->vigil.stat);
}

/* Lets `ms` pass in which a worker answers pings, but has not answered its table. */
static void owes(unsigned ms, char state)
{
	char text[] = "1 (sekishod) S 1";

	text[13] = state;
	assert_int_equal(pwrite(s.slots[SLOT_DPI].stat, text, sizeof(text), 0), sizeof(text));
	for (uint64_t end = now + ms * 1000000ull; now < end && ended == 0; now += LOOK) {
		pulse_beat(&pulse);
		watch_due(&s, now);
	}
}

static void begin_worker(void)
{
	struct slot *sl = &s.slots[SLOT_DPI];

	sl->state = SLOT_RUNNING;
	sl->role = ROLE_DPI;
	sl->stat = memfd_create("stat", 0);
	s.slots[SLOT_GATE].state = SLOT_OFF;
	vigil_begin(&sl->vigil, 0, sl->stat);
	s.workforce.pairs[0].owed = 1;
}

static void one_that_has_no_core_may_keep_its_table(void **state)
{
	(void)state;
	begin_worker();
	owes(60000, 'R');
	assert_int_equal(ended, 0);
	/* An answer ends the waiting, and the next table begins anew. */
	owes(2000, 'S');
	s.workforce.pairs[0].awaited = false;
	owes(2000, 'S');
	assert_int_equal(ended, 0);
	s.workforce.pairs[0].owed = 0;
	owes(60000, 'S');
	assert_int_equal(ended, 0);
	close(s.slots[SLOT_DPI].stat);
}

static void one_that_only_answers_pings_may_not(void **state)
{
	uint64_t begun;

	(void)state;
	begin_worker();
	begun = now;
	owes(60000, 'S');
	assert_int_equal(ended, 1);
	assert_true(now - begun >= 2500000000ull && now - begun < 5000000000ull);
	close(s.slots[SLOT_DPI].stat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_turns_is_left_alone, begin, finish),
		cmocka_unit_test_setup_teardown(one_that_sleeps_on_is_hung, begin, finish),
		cmocka_unit_test_setup_teardown(one_without_a_core_is_left_alone, begin, finish),
		cmocka_unit_test_setup_teardown(one_that_stands_still_at_its_start_is_hung, begin, finish),
		cmocka_unit_test_setup_teardown(one_that_has_no_core_may_start_for_long, begin, finish),
		cmocka_unit_test_setup_teardown(one_that_has_no_core_may_keep_its_table, begin, finish),
		cmocka_unit_test_setup_teardown(one_that_only_answers_pings_may_not, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
