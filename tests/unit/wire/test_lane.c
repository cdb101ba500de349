/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes, their queues, and which worker serves them. */
#include "tests/unit/cmocka.h"

#include "appliance/wire/lane.h"

static void numbers_are_contents(void **state)
{
	struct lane l;

	(void)state;
	for (uint32_t n = 0; n < LANE_COUNT; n++) {
		if (n == LANE_NONE || n > 54) {
			assert_false(lane_of(n, &l));
			continue;
		}
		assert_true(lane_of(n, &l));
		assert_int_equal(lane_number(l), n);
		assert_int_equal(lane_kind_of(n), l.kind);
	}
	assert_int_equal(lane_kind_of(LANE_CUT), LANE_COMMANDS);
}

static void queues_lead_back(void **state)
{
	(void)state;
	for (uint32_t lane = 0; lane < LANE_COUNT; lane++)
		for (uint32_t slot = 0; slot < LANE_SLOTS; slot++) {
			uint16_t q = lane_queue(lane, slot);

			assert_int_equal(queue_lane(q), lane);
			assert_int_equal(queue_slot(q), slot);
			assert_int_equal(q, lane_queue(lane, 0) + slot);
		}
	assert_int_equal(queue_lane(0), LANE_COUNT);
	assert_int_equal(queue_lane(QUEUE_BASE - 1), LANE_COUNT);
	assert_int_equal(queue_lane(QUEUE_BASE + LANE_COUNT * LANE_SLOTS), LANE_COUNT);
	assert_int_equal(queue_lane(UINT16_MAX), LANE_COUNT);
}

/* Whatever the number of workers: every slot belongs to exactly one worker. */
static void every_slot_is_one_pairs(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= WORKER_MAX; n++) {
		uint8_t all = 0;

		for (uint32_t place = 0; place < n; place++) {
			uint8_t has = pair_slots(place, n);

			assert_int_not_equal(has, 0);
			assert_int_equal(all & has, 0);
			all |= has;
		}
		assert_int_equal(all, (1u << LANE_SLOTS) - 1);
	}
}

static void numbers_of_pairs(void **state)
{
	uint32_t seen = 0;

	(void)state;
	for (unsigned kind = 0; kind < LANE_KINDS; kind++)
		for (uint32_t place = 0; place < WORKER_MAX; place++) {
			uint32_t pair = pair_number((enum lane_kind)kind, place);

			assert_true(pair < PAIR_MAX);
			assert_int_equal(seen >> pair & 1, 0);
			seen |= 1u << pair;
			assert_int_equal(pair_kind(pair), kind);
			assert_int_equal(pair_place(pair), place);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_contents),
		cmocka_unit_test(queues_lead_back),
		cmocka_unit_test(every_slot_is_one_pairs),
		cmocka_unit_test(numbers_of_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
