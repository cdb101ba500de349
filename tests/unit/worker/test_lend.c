/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a worker catches up with the handshakes that passed in the kernel, and counts the requests of
 * a former worker's leases.
 *
 * LINK: $(INSPECT_PARTS) appliance/worker/lend.c appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include <sys/mman.h>
#include <unistd.h>

#include "appliance/worker/lend.h"
#include "tests/unit/dpi/inspect_setup.h"

#define MANY 1000u

static struct lends lends;

/* `n` handshakes in this state, as the kernel has written them. */
static struct once_handshakes *begun(uint32_t n, uint32_t state)
{
	int fd = memfd_create("handshakes", MFD_CLOEXEC);
	struct once_handshakes *h;

	assert_true(fd >= 0 && ftruncate(fd, sizeof(*h)) == 0);
	memset(&lends, 0, sizeof(lends));
	assert_true(lends_follow(&lends, fd));
	h = lends.handshakes;
	for (uint32_t k = 0; k < n; k++)
		h->of[k] = (struct once_handshake){ .state = state,
						    .mark = mark_make(P_TOY, lane_number(desk_lane(P_TOY)), 0),
						    .client = { 1 },
						    .server = { 2 },
						    .client_port = (uint16_t)(1000 + k),
						    .server_port = 502,
						    .family = 4,
						    .passed = 3,
						    .number = { k, k },
						    .since_ns = desk_now };
	return h;
}

static uint32_t left(const struct once_handshakes *h)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < ONCE_HANDSHAKES; k++)
		n += h->of[k].mark != 0;
	return n;
}

static void end(struct once_handshakes *h)
{
	munmap(h, sizeof(*h));
}

/* A flood of handshakes does not keep the worker from its packets: it takes some, and looks again
 * soon. */
static void some_at_a_time(void **state)
{
	struct once_handshakes *h = begun(MANY, ONCE_GIVEN);
	uint32_t before = MANY, looks = 0;
	uint64_t due;

	(void)state;
	assert_int_equal(lends_look(&lends, desk_i, desk_now), 1000000000);
	assert_int_equal(h->alive_ns, desk_now);
	assert_int_equal(left(h), MANY); /* the handshakes may still be going on */
	desk_now += 1000000001;
	while ((due = lends_look(&lends, desk_i, desk_now)) < 1000000000) {
		assert_true(due > 0 && left(h) < before && before - left(h) <= MANY / 5);
		before = left(h);
		desk_now += due;
		looks++;
	}
	assert_true(looks >= 5);
	assert_int_equal(left(h), 0);
	assert_int_equal(stats().packets, 3 * MANY);
	end(h);
}

/* What a former worker may have left in the memory does not stop the next one. */
static void whatever_the_former_worker_left(void **state)
{
	(void)state;
	for (uint32_t s = ONCE_BACK; s <= ONCE_RECALLED + 1u; s++) {
		struct once_handshakes *h = begun(3, s);

		alarm(10);
		lends_begin(&lends, desk_i);
		lends_take_all_back(&lends, desk_i);
		alarm(0);
		assert_int_equal(left(h), 0);
		end(h);
	}
}

static int memory(size_t n)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	assert_true(fd >= 0 && ftruncate(fd, (off_t)n) == 0);
	return fd;
}

/* A worker crashed, so all its leases are void. What passed by them is counted once. */
static void requests_of_void_leases(void **state)
{
	static struct kept_counts kept;
	struct conn k = desk_conn(P_TOY);
	uint8_t pdu[12];

	(void)state;
	memset(&lends, 0, sizeof(lends));
	assert_true(lends_open(&lends, &kept, memory(ONCE_LEASES * sizeof(struct once_lease)),
			       memory(ONCE_TEMPLATES * sizeof(struct once_template))));
	inspector_keep_counts(desk_i, &kept);
	desk_handshake(&k);
	toy_pdu(pdu, sizeof(pdu), 1);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, sizeof(pdu)), OUTCOME_ACCEPT);
	lends.leases[5] = (struct once_lease){ .asked = { 5 }, .counted = { 2 } };
	/* makes no sense */
	lends.leases[9] = (struct once_lease){ .asked = { 1 }, .counted = { 2 } };
	lends.again[5].of[0] = lends.again[9].of[0] =
		(struct count_again){ .epoch = 1, .n = 1, .kinds = { 0 }, .times = { 1 } };
	lends_begin(&lends, desk_i);
	lends_begin(&lends, desk_i);
	desk.n_events = 0;
	inspector_finish(desk_i);
	assert_int_equal(desk_count(EVENT_COUNTS, R_ALLOWED), 1);
	for (size_t n = 0; n < desk.n_events; n++)
		if (desk.events[n].kind == EVENT_COUNTS)
			assert_int_equal(desk.events[n].count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(some_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(whatever_the_former_worker_left, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_of_void_leases, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
