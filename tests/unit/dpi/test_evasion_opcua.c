/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a client that speaks OPC UA, whose messages are numbered: an
 * allowed request and forbidden ones of the same length overlap, are cut in any order, come byte by
 * byte or twice, follow each other in one segment, state a wrong size, and come in chunks. No
 * receiver may read what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/opcua/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/opcua/opcua.h"
#include "dpi/opcua/words.h"
#include "tests/unit/dpi/evasion_tricks.h"

#define SIZE 91u
#define TRAIN 12u
#define STRIDE 5u /* bytes between two places at which a message is cut */
#define SEQUENCE_AT 16u
#define REQUEST_AT 20u
#define FIRST 52u

/* Node 100 of namespace 2 may be read. */
static void policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, 631, 631);
	row->targets[OPCUA_POLICY] = desk_range(d, 1, 1);
	desk_space(d, row, OPCUA_NODES, desk_range(d, UINT64_C(2) << 32 | 100, UINT64_C(2) << 32 | 100));
}

#define BEGINS "4d534746 5b000000 07000000 01000000 34000000 02000000"
#define HEADER "0000 0000000000000000 01000000 00000000 ffffffff 10270000 000000"

static const struct speech speech = {
	.name = "OPC UA",
	.enforcer = &opcua_enforcer,
	.port = 4840,
	.greeting = { { "48454c46 2d000000 00000000 ffff0000 ffff0000 00000000 00000000 0d000000"
			"6f70632e7463703a2f2f706c63",
			"41434b46 1c000000 00000000 ffff0000 ffff0000 00000000 00000000" },
		      { "4f504e46 84000000 00000000 2f000000"
			"687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65"
			"ffffffff ffffffff 33000000 01000000 0100be01" HEADER "00000000 00000000 01000000 ffffffff"
			"80ee3600",
			"4f504e46 87000000 07000000 2f000000"
			"687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65"
			"ffffffff ffffffff 01000000 01000000 0100c101 0000000000000000 01000000 00000000 00 00000000"
			"000000 00000000 07000000 01000000 0000000000000000 80ee3600 ffffffff" } },
	.read = BEGINS "01007702" HEADER "0000000000000000 02000000 01000000 01026400 0d000000 ffffffff 0000ffffffff",
	.answer = "4d534746 3e000000 07000000 01000000 02000000 02000000 01007a02 0000000000000000 01000000 00000000"
		  "00 00000000 000000 01000000 01 0605000000",
	.writes = { BEGINS "0100a102" HEADER "01000000 01026400 0d000000 ffffffff 05 080100000000000000"
			   "0500000000000000",
		    BEGINS "01007702" HEADER "0000000000000000 02000000 01000000 0102c800 0d000000 ffffffff"
			   "0000ffffffff" },
	.lengths = { { 4, 2, true } },
	.policy = policy,
};

/* Each request of a train has its own number. */
static void number(uint8_t *message, unsigned k)
{
	message[SEQUENCE_AT] = (uint8_t)(FIRST + k);
	message[REQUEST_AT] = (uint8_t)(2 + k);
}

static int setup(void **state)
{
	(void)state;
	tricks_use(&speech, (struct tricks){ .train = TRAIN, .stride = STRIDE, .twice = SIZE / 2, .number = number });
	assert_int_equal(now.read.n, SIZE);
	return 0;
}

/* Sizes near the right one, for the allowed and the forbidden requests, with others behind them.
 * Only the allowed request with its right size arrives whole: a server might carry out a request
 * without waiting for the rest. */
static void sizes(void **state)
{
	static uint8_t stream[TRAIN * SIZE];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 1200; v++)
			for (unsigned rest = 0; rest < 2; rest++) {
				uint32_t n = rest ? sizeof(stream) : SIZE;

				put_train(stream, TRAIN, 0, w < WRITES ? &now.writes[w] : &now.read);
				stream[4] = (uint8_t)v;
				stream[5] = (uint8_t)(v >> 8);
				tricks_begin();
				trial.mute = true;
				say_at(0, stream, n, false);
				/* The first message must not arrive whole unless it is allowed and
				 * its size is right. */
				assert_true(trial.next < SIZE || (v == SIZE && w == WRITES));
				assert_true(end_trial() >= 0);
			}
}

/* A message in two chunks, cut between them and inside each; the second part is sent first. */
static void chunks(void **state)
{
	static uint8_t pieces[SIZE + 24];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (uint32_t split = 25; split < SIZE; split += STRIDE)
			for (uint32_t cut = 1; cut < sizeof(pieces); cut += STRIDE)
				for (unsigned turned = 0; turned < 2; turned++) {
					const uint8_t *m = (w < WRITES ? &now.writes[w] : &now.read)->b;

					memcpy(pieces, m, split);
					pieces[3] = 'C';
					pieces[4] = (uint8_t)split;
					memcpy(pieces + split, m, 24);
					pieces[split + 4] = (uint8_t)(SIZE - split + 24);
					number(pieces + split, 1);
					pieces[split + REQUEST_AT] = 2;
					memcpy(pieces + split + 24, m + split, SIZE - split);
					tricks_begin();
					trial.mute = true;
					for (unsigned i = 0; i < 2; i++)
						if ((i ^ turned) == 0)
							say_at(0, pieces, cut, false);
						else
							say_at(cut, pieces + cut, sizeof(pieces) - cut, false);
					assert_int_equal(end_trial(),
							 w == WRITES && (!turned || trial.next == sizeof(pieces)));
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(overlaps, setup, tricks_end),
		cmocka_unit_test_setup_teardown(cuts, setup, tricks_end),
		cmocka_unit_test_setup_teardown(trains, setup, tricks_end),
		cmocka_unit_test_setup_teardown(sizes, setup, tricks_end),
		cmocka_unit_test_setup_teardown(chunks, setup, tricks_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
