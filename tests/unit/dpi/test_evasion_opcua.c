/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a client that speaks OPC UA, whose messages are numbered: an
 * allowed request and forbidden ones of the same length that overlap, are cut in any order, come
 * byte by byte and twice, stand in trains, say another size, and come in chunks. No receiver ever
 * reads what the policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/opcua/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/opcua/opcua.h"
#include "dpi/opcua/words.h"
#include "tests/unit/dpi/evasion_desk.h"

#define SIZE 91u
#define TRAIN 12u
#define BATCH 100u /* flows between clearings of the table */
#define STRIDE 5u  /* between two places of a cut */
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
	use_speech(&speech);
	assert_int_equal(now.read.n, SIZE);
	for (unsigned w = 0; w < WRITES; w++)
		assert_int_equal(now.writes[w].n, SIZE);
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
		for (uint32_t a = 1; a < SIZE - 1; a += STRIDE)
			for (uint32_t b = a + 1; b < SIZE; b += STRIDE)
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

		for (uint32_t a = 1; a < SIZE - 1; a += STRIDE)
			for (uint32_t b = a + 1; b < SIZE; b += STRIDE)
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
				for (unsigned k = 0; k <= (twice && at < SIZE / 2); k++)
					say_at(at, m->b + at, 1, false);
			assert_int_equal(end_trial(), w == WRITES);
		}
	}
}

/* The requests of a train have numbers of their own. */
static void number(uint8_t *message, unsigned k)
{
	message[SEQUENCE_AT] = (uint8_t)(FIRST + k);
	message[REQUEST_AT] = (uint8_t)(2 + k);
}

/* The forbidden one at each place of a train: in one segment, cut before, at and behind where it
 * begins. */
static void trains(void **state)
{
	static uint8_t train[TRAIN * SIZE];

	(void)state;
	for (unsigned n = 1; n <= TRAIN; n++)
		for (unsigned k = 0; k <= n * 4 * WRITES; k++) {
			unsigned at = k / 4 / WRITES, cut = k % 4;
			uint32_t place = cut > 0 && at < n ? at * SIZE + cut - 2 : 0;

			if (place >= n * SIZE)
				continue;
			for (unsigned j = 0; j < n; j++) {
				memcpy(train + j * SIZE, (j == at ? &now.writes[k / 4 % WRITES] : &now.read)->b, SIZE);
				number(train + j * SIZE, j);
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

/* Each size there is near it, of allowed and forbidden ones, with others behind it: nothing that a
 * server could carry out arrives that does not wait for the rest. */
static void sizes(void **state)
{
	static uint8_t stream[TRAIN * SIZE];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 1200; v++)
			for (unsigned rest = 0; rest < 2; rest++) {
				uint32_t n = rest ? sizeof(stream) : SIZE;

				for (unsigned j = 0; j < TRAIN; j++) {
					memcpy(stream + j * SIZE,
					       (j == 0 && w < WRITES ? &now.writes[w] : &now.read)->b, SIZE);
					number(stream + j * SIZE, j);
				}
				stream[4] = (uint8_t)v;
				stream[5] = (uint8_t)(v >> 8);
				begin();
				trial.mute = true;
				say_at(0, stream, n, false);
				/* All of the first must not be there. */
				assert_true(trial.next < SIZE || (v == SIZE && w == WRITES));
				assert_true(end_trial() >= 0);
			}
}

/* A message in two chunks, cut between them and in each, the second said first. */
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
					begin();
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
		cmocka_unit_test_setup_teardown(overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(trains, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(chunks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
