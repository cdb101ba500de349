/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a master that speaks DNP3, in one frame and in two segments: an
 * allowed request and forbidden ones of the same length overlap, are cut at any two bytes in any
 * order, come byte by byte or twice, follow each other in one segment, and state a wrong length. No
 * outstation may read what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/dnp3/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/dnp3/dnp3.h"
#include "dpi/dnp3/words.h"
#include "tests/unit/dpi/evasion_tricks.h"

#define SIZE ((uint32_t)now.read.n)
#define SIZE_MAX_ 40u

/* Analog inputs 0 to 9 of outstation 10 may be read. */
static void policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, DNP3_READ, DNP3_READ);
	row->targets[DNP3_OUTSTATION] = desk_range(d, 10, 10);
	desk_space(d, row, DNP3_ANALOG_INPUTS, desk_range(d, 0, 9));
}

/* The forbidden requests: one more input; a freeze of counters. */
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

static int setup(void **state)
{
	(void)state;
	tricks_use(&whole, (struct tricks){ .train = 20, .stride = 1, .twice = 40 });
	return 0;
}

static int setup_in_two(void **state)
{
	(void)state;
	tricks_use(&in_two, (struct tricks){ .train = 20, .stride = 1, .twice = 40 });
	return 0;
}

static uint16_t crc(const uint8_t *p, size_t n)
{
	uint16_t c = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			c = (uint16_t)(c >> 1 ^ (((c ^ p[i] >> bit) & 1) != 0 ? 0xa6bcu : 0));
	return (uint16_t)(c ^ 0xffffu);
}

/* Every value of the length, with a header checksum that fits it and with one that does not, for
 * allowed and forbidden requests, with other requests behind them. A frame that claims to be longer
 * waits for its rest, and the bytes that follow are not its rest. */
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

				put_train(stream, 20, 0, w < WRITES ? &now.writes[w] : &now.read);
				right = stream[2] == v;
				stream[2] = (uint8_t)v;
				sum = crc(stream, 8);
				if (sums) {
					stream[8] = (uint8_t)sum;
					stream[9] = (uint8_t)(sum >> 8);
				}
				tricks_begin();
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
		cmocka_unit_test_setup_teardown(overlaps, setup, tricks_end),
		cmocka_unit_test_setup_teardown(cuts, setup, tricks_end),
		cmocka_unit_test_setup_teardown(trains, setup, tricks_end),
		cmocka_unit_test_setup_teardown(lengths, setup, tricks_end),
		cmocka_unit_test_setup_teardown(overlaps, setup_in_two, tricks_end),
		cmocka_unit_test_setup_teardown(cuts, setup_in_two, tricks_end),
		cmocka_unit_test_setup_teardown(trains, setup_in_two, tricks_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
