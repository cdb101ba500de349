/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a client that speaks IEC 60870-5-104, whose APDUs are numbered:
 * an allowed command and forbidden ones of the same length overlap, are cut at any two bytes in any
 * order, come byte by byte or twice, follow each other in one segment, and state a wrong length. No
 * receiver may read what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/iec104/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/iec104/iec104.h"
#include "dpi/iec104/words.h"
#include "tests/unit/dpi/evasion_tricks.h"

#define SIZE 16u

/* Station 1 may be interrogated. */
static void policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, 100, 100);
	row->targets[IEC104_CA] = desk_range(d, 1, 1);
}

static const struct speech speech = {
	.name = "IEC 60870-5-104",
	.enforcer = &iec104_enforcer,
	.port = 2404,
	.greeting = { { "680407000000", "68040b000000" } },
	.read = "680e 0000 0000 64 01 06 00 0100 000000 14",
	.answer = "680e 0000 0200 64 01 07 00 0100 000000 14",
	.writes = { "680e 0000 0000 2d 01 06 00 0100 640000 01", "680e 0000 0000 64 01 06 00 0200 000000 14" },
	.lengths = { { 1, 1, false } },
	.policy = policy,
};

/* Send sequence numbers. */
static void number(uint8_t *message, unsigned k)
{
	message[2] = (uint8_t)(2 * k);
}

static int setup(void **state)
{
	(void)state;
	tricks_use(&speech, (struct tricks){ .train = 20, .stride = 1, .twice = SIZE, .number = number });
	return 0;
}

/* Every value of the length, for the allowed and the forbidden commands, with others behind them.
 * Only the allowed command with its right length arrives: a server might carry out a command
 * without waiting for the rest. */
static void lengths(void **state)
{
	static uint8_t stream[20 * SIZE];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 256; v++)
			for (unsigned rest = 0; rest < 2; rest++) {
				uint32_t n = rest ? sizeof(stream) : SIZE;

				put_train(stream, 20, 0, w < WRITES ? &now.writes[w] : &now.read);
				stream[1] = (uint8_t)v;
				tricks_begin();
				trial.mute = true;
				say_at(0, stream, n, false);
				assert_true(trial.next == 0 || (v == SIZE - 2 && w == WRITES));
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
