/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a master that speaks DNP3, in one frame and in two segments: an
 * allowed request and forbidden ones of the same length that overlap, are cut at any two bytes in
 * any order, come byte by byte and twice, stand in trains, and say another length. No outstation
 * ever reads what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/dnp3/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/dnp3/dnp3.h"
#include "dpi/dnp3/words.h"
#include "tests/unit/dpi/evasion_desk.h"

#define SIZE ((uint32_t)now.read.n)
#define SIZE_MAX_ 40u
#define TRAIN 20u
#define BATCH 100u /* flows between clearings of the table */

/* Analog inputs 0 to 9 of outstation 10 may be read. */
static void policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, DNP3_READ, DNP3_READ);
	row->targets[DNP3_OUTSTATION] = desk_range(d, 10, 10);
	desk_space(d, row, DNP3_ANALOG_INPUTS, desk_range(d, 0, 9));
}

/* One more input; counters frozen. */
static const struct speech whole = {
	.name = "DNP3",
	.enforcer = &dnp3_enforcer,
	.port = 20000,
	.read = "05640dc40a00010075bac0c0011e00000009010c",
	.answer = "0564124401000a0073c7c0c08100001e020000000100005571",
	.writes = { "05640dc40a00010075bac0c0011e0000000ae356", "05640dc40a00010075bac0c00714000000099d74" },
	.lengths = { { 2, 1, false } },
	.policy = policy,
};

static const struct speech in_two = {
	.name = "DNP3, two segments",
	.enforcer = &dnp3_enforcer,
	.port = 20000,
	.read = "05640ac40a0001004b6440c0011e00dc40056409c40a0001001bf7810000091cf8",
	.answer = "0564124401000a0073c7c0c08100001e020000000100005571",
	.writes = { "05640ac40a0001004b6440c0011e00dc40056409c40a0001001bf78100000afea2",
		    "05640ac40a0001004b6440c00714003d61056409c40a0001001bf7810000091cf8" },
	.lengths = { { 2, 1, false } },
	.policy = policy,
};

static unsigned tried;

static void begin(void)
{
	if (tried++ % BATCH == 0)
		inspector_finish(desk_i); /* or live flows would fill the table */
	begin_trial();
}

static int setup(void **state)
{
	(void)state;
	use_speech(&whole);
	return 0;
}

static int setup_in_two(void **state)
{
	(void)state;
	use_speech(&in_two);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	inspector_finish(desk_i);
	desk_close();
	return 0;
}

/* Two of three pieces may be of the forbidden one, each piece said once more in between. */
static void overlaps(void **state)
{
	unsigned arrived = 0;

	(void)state;
	for (unsigned w = 0; w < WRITES; w++)
		for (uint32_t a = 1; a < SIZE - 1; a++)
			for (uint32_t b = a + 1; b < SIZE; b++)
				for (unsigned bits = 0; bits < 64; bits++) {
					const uint32_t at[4] = { 0, a, b, SIZE };

					begin();
					for (unsigned k = 0; k < 6; k++)
						say_at(at[k / 2],
						       (bits >> k & 1u ? now.writes[w] : now.read).b + at[k / 2],
						       at[k / 2 + 1] - at[k / 2], k % 2 == 0 && (bits & 1u) != 0);
					assert_true(end_trial() >= 0);
					arrived += trial.next == SIZE;
				}
	assert_true(arrived > 50);
}

static void cuts(void **state)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++) {
		const struct blob *m = w < WRITES ? &now.writes[w] : &now.read;

		for (uint32_t a = 1; a < SIZE - 1; a++)
			for (uint32_t b = a + 1; b < SIZE; b++)
				for (unsigned o = 0; o < 6; o++) {
					const uint32_t at[4] = { 0, a, b, SIZE };

					begin();
					for (unsigned i = 0; i < 3; i++)
						say_at(at[orders[o][i]], m->b + at[orders[o][i]],
						       at[orders[o][i] + 1] - at[orders[o][i]], false);
					assert_int_equal(end_trial(), w == WRITES && (o == 0 || trial.next == SIZE));
				}
		for (unsigned twice = 0; twice < 2; twice++) {
			begin();
			for (uint32_t at = 0; at < SIZE; at++)
				for (unsigned k = 0; k <= twice; k++)
					say_at(at, m->b + at, 1, false);
			assert_int_equal(end_trial(), w == WRITES);
		}
	}
}

/* The forbidden one at each place of a train: in one segment, cut before, at and behind where it
 * begins. */
static void trains(void **state)
{
	static uint8_t train[TRAIN * SIZE_MAX_];

	(void)state;
	for (unsigned n = 1; n <= TRAIN; n++)
		for (unsigned k = 0; k <= n * 4 * WRITES; k++) {
			unsigned at = k / 4 / WRITES, cut = k % 4;
			uint32_t place = cut > 0 && at < n ? at * SIZE + cut - 2 : 0;

			if (place >= n * SIZE)
				continue;
			for (unsigned j = 0; j < n; j++) {
				memcpy(train + j * SIZE, (j == at ? &now.writes[k / 4 % WRITES] : &now.read)->b, SIZE);
			}
			begin();
			trial.mute = true;
			if (place > 0)
				say_at(0, train, place, false);
			say_at(place, train + place, n * SIZE - place, false);
			assert_true(trial.next < (at + 1) * SIZE);
			assert_true(at < n || trial.next == n * SIZE);
			assert_true(end_trial() >= 0);
		}
}

static uint16_t crc(const uint8_t *p, size_t n)
{
	uint16_t c = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			c = (uint16_t)(c >> 1 ^ (((c ^ p[i] >> bit) & 1) != 0 ? 0xa6bcu : 0));
	return (uint16_t)(c ^ 0xffffu);
}

/* Each length there is, with a header's checksum that fits it and with one that does not, of
 * allowed and forbidden ones, with others behind it: what says that it is longer waits for the
 * rest, which is none of it. */
static void lengths(void **state)
{
	static uint8_t stream[20 * SIZE_MAX_];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 256; v++)
			for (unsigned how = 0; how < 4; how++) {
				bool rest = (how & 1) != 0, sums = (how & 2) != 0, right;
				uint32_t n = rest ? 20 * SIZE : SIZE;
				uint16_t sum;

				for (unsigned j = 0; j < 20; j++)
					memcpy(stream + j * SIZE,
					       (j == 0 && w < WRITES ? &now.writes[w] : &now.read)->b, SIZE);
				right = stream[2] == v;
				stream[2] = (uint8_t)v;
				sum = crc(stream, 8);
				if (sums) {
					stream[8] = (uint8_t)sum;
					stream[9] = (uint8_t)(sum >> 8);
				}
				begin();
				trial.mute = true;
				say_at(0, stream, n, false);
				if (right && w == WRITES)
					assert_int_equal(trial.next, n);
				else if (right || rest || !sums)
					assert_int_equal(trial.next, 0);
				assert_true(end_trial() >= 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(trains, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(overlaps, setup_in_two, teardown),
		cmocka_unit_test_setup_teardown(cuts, setup_in_two, teardown),
		cmocka_unit_test_setup_teardown(trains, setup_in_two, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
