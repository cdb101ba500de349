/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a client that speaks Extended MEMOBUS: an allowed command and
 * forbidden ones of the same length overlap, are cut at any two bytes in any order, come byte by
 * byte or twice, follow each other in one segment, and state a wrong length. No receiver may read
 * what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/memobus/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/memobus/memobus.h"
#include "dpi/memobus/words.h"
#include "tests/unit/dpi/evasion_tricks.h"

#define SIZE 24u

/* Two of the holding registers 0 to 99 may be read, in a list. */
static void policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, 0x200d, 0x200d);
	desk_space(d, row, MEMOBUS_HOLDING, desk_range(d, 0, 99));
}

static const struct speech speech = {
	.name = "MEMOBUS",
	.enforcer = &memobus_enforcer,
	.port = 9999,
	.read = "1100 0000 0000 1800 00000000 0a00 200d 10 00 0200 0500 6300",
	.answer = "1900 0000 0000 1800 00000000 0a00 200d 01 00 0200 0700 0700",
	.writes = { "1100 0000 0000 1800 00000000 0a00 200b 10 00 0500 0100 0700",
		    "1100 0000 0000 1800 00000000 0a00 200d 10 00 0200 0500 6400" },
	.lengths = { { 6, 2, true }, { 12, 2, true } },
	.policy = policy,
};

/* Messages get increasing numbers, so that many requests may wait. */
static void number(uint8_t *message, unsigned k)
{
	message[1] = (uint8_t)k;
}

static int setup(void **state)
{
	(void)state;
	tricks_use(&speech, (struct tricks){ .train = 15, .stride = 1, .twice = SIZE, .number = number });
	return 0;
}

/* Every value of each of the two lengths, for the allowed and the forbidden commands, with others
 * behind them. Only the allowed command with its right lengths arrives: a server might carry out a
 * command without waiting for the rest. */
static void lengths(void **state)
{
	static uint8_t stream[14 * SIZE];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 3 * 256; v++)
			for (unsigned rest = 0; rest < 2; rest++) {
				uint32_t n = rest ? sizeof(stream) : SIZE;

				put_train(stream, sizeof(stream) / SIZE, 0, w < WRITES ? &now.writes[w] : &now.read);
				/* the first length, the second, both consistently */
				if (v / 256 != 1)
					stream[6] = (uint8_t)v;
				if (v / 256 != 0)
					stream[12] = (uint8_t)(v - (v / 256 == 2 ? 14 : 0));
				tricks_begin();
				trial.mute = true;
				say_at(0, stream, n, false);
				assert_true(trial.next == 0 ||
					    (w == WRITES && stream[6] == SIZE && stream[12] == SIZE - 14));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
