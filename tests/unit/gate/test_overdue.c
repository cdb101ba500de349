/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/gate/overdue.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/gate/gate.h"
#include "appliance/gate/overdue.h"

#define LOOK 20000000u
#define BEATS 40u

/* A queue of the kernel and a worker that takes packets in order. */
struct desk {
	struct overdue o;
	struct queue_state q;
	struct overdue_lane lane; /* with the packets of the other queues of the lane */
	uint32_t next;		  /* the id that the worker decides next */
};

static void arrive(struct desk *d, uint32_t n)
{
	d->q.last_id += n;
	d->q.outstanding += n;
	d->lane.waiting += n;
}

static void decide(struct desk *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		overdue_verdict(&d->o, ++d->next);
	d->q.outstanding -= n;
	d->lane.waiting -= n;
	d->lane.verdicts += n;
}

static bool look(struct desk *d)
{
	return overdue_look(&d->o, &d->q, &d->lane, LOOK, BEATS);
}

/* Looks until a packet is overdue, at most `most` times; returns the number of looks, 0 = none
 * was. */
static unsigned until_overdue(struct desk *d, unsigned most, uint32_t arriving, uint32_t decided)
{
	for (unsigned i = 1; i <= most; i++) {
		arrive(d, arriving);
		decide(d, decided);
		if (look(d))
			return i;
	}
	return 0;
}

static void nothing_waits(void **state)
{
	struct desk d = { 0 };

	(void)state;
	assert_int_equal(until_overdue(&d, 100, 0, 0), 0);
	assert_int_equal(until_overdue(&d, 100, 50, 50), 0);
}

static void none_decided(void **state)
{
	struct desk d = { .q.last_id = UINT32_MAX - 1, .next = UINT32_MAX - 1 };

	(void)state;
	arrive(&d, 3);
	/* One look to see the packets, five more for 100 ms. */
	assert_int_equal(until_overdue(&d, 100, 0, 0), 6);
}

/* 4,000 waiting packets are a high load, but not overdue as long as some are decided, in order. */
static void slow_is_not_forgetful(void **state)
{
	struct desk d = { 0 };

	(void)state;
	arrive(&d, 4000);
	assert_int_equal(until_overdue(&d, 400, 10, 10), 0);
}

static void one_forgotten(void **state)
{
	struct desk d = { .q.last_id = UINT32_MAX - 100, .next = UINT32_MAX - 100 };
	unsigned looks;

	(void)state;
	for (int round = 0; round < 50; round++) {
		arrive(&d, 10);
		decide(&d, 10);
		assert_false(look(&d));
	}
	arrive(&d, 1);
	d.next++; /* nobody decides this packet */
	looks = until_overdue(&d, 100, 10, 10);
	assert_in_range(looks, 5, 12);
}

/* A device that disappears takes its packets out of the queue, and a full socket loses packets
 * before they get there. */
static void what_the_kernel_takes_is_nobodys_fault(void **state)
{
	struct desk d = { 0 };

	(void)state;
	arrive(&d, 100);
	assert_false(look(&d));
	d.q.outstanding -= 60;
	d.next += 60;
	decide(&d, 40);
	for (int round = 0; round < 60; round++) {
		arrive(&d, 20);
		d.q.outstanding -= 10; /* dropped at the socket */
		d.q.dropped_user += 10;
		decide(&d, 10);
		d.next += 10;
		assert_false(look(&d));
	}
}

/* One packet behind 5,000 packets of other queues of the lane, of which the worker takes 100
 * between two looks: its turn comes. */
static void behind_a_crowd(void **state)
{
	struct desk d = { .lane.waiting = 5000 };
	unsigned looks;

	(void)state;
	arrive(&d, 1);
	for (int i = 0; i < 50; i++) {
		assert_false(look(&d));
		d.lane.verdicts += 100;
	}
	decide(&d, 1);
	assert_false(look(&d));

	/* The next packet is passed over: packets that waited before it are decided, and later ones
	 * too. */
	arrive(&d, 1);
	d.next++;
	looks = 0;
	do {
		d.lane.verdicts += 100;
		d.lane.waiting += 100;
		looks++;
		assert_in_range(looks, 1, 60);
	} while (!look(&d));
	assert_in_range(looks, 5, 60);
}

/* The packets before the forgotten one are decided, and then no more come. */
static void last_of_its_lane(void **state)
{
	struct desk d = { .lane.waiting = 300 };

	(void)state;
	arrive(&d, 1);
	for (int i = 0; i < 3; i++) {
		assert_false(look(&d));
		d.lane.verdicts += 100;
		d.lane.waiting -= 100;
	}
	assert_in_range(until_overdue(&d, 100, 0, 0), 5, 7);
}

/* When the queue was empty, earlier time no longer counts. */
static void emptied_between(void **state)
{
	struct desk d = { 0 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		arrive(&d, 1);
		/* the packet is not decided, and gone at the next look; each round has another
		 * packet */
		d.next++;
		for (int i = 0; i < 4; i++)
			assert_false(look(&d));
		d.q.outstanding = 0;
		assert_false(look(&d));
	}
}

/* Time in which the worker hardly had a core does not count. */
static void without_a_core(void **state)
{
	struct desk d = { 0 };

	(void)state;
	arrive(&d, 3);
	for (int i = 0; i < 8; i++)
		assert_false(overdue_look(&d.o, &d.q, &d.lane, LOOK, i == 7));
	/* If the watching process slept for a second, this second does not count. */
	assert_false(overdue_look(&d.o, &d.q, &d.lane, 1000000000u, 0));
	assert_true(overdue_look(&d.o, &d.q, &d.lane, LOOK, BEATS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_waits),	 cmocka_unit_test(none_decided),
		cmocka_unit_test(slow_is_not_forgetful), cmocka_unit_test(emptied_between),
		cmocka_unit_test(one_forgotten),	 cmocka_unit_test(what_the_kernel_takes_is_nobodys_fault),
		cmocka_unit_test(without_a_core),	 cmocka_unit_test(behind_a_crowd),
		cmocka_unit_test(last_of_its_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
