/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks of test_evasion.c with a client that speaks Extended MEMOBUS: an allowed command and
 * forbidden ones of the same length that overlap, are cut at any two bytes in any order, come byte
 * by byte and twice, stand in trains, and say another length. No receiver ever reads what the
 * policy forbids.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: dpi/memobus/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/memobus/memobus.h"
#include "dpi/memobus/words.h"
#include "tests/unit/dpi/evasion_desk.h"

#define SIZE 24u
#define TRAIN 15u
#define NUMBER_AT 1u
#define BATCH 100u /* flows between clearings of the table */

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
 * begins. Numbered as they come, so many that requests may wait. */
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
				train[j * SIZE + NUMBER_AT] = (uint8_t)j;
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

/* Each length there is in either place, of allowed and forbidden ones, with others behind it:
 * nothing that a server could carry out arrives that does not wait for the rest. */
static void lengths(void **state)
{
	static uint8_t stream[14 * SIZE];

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++)
		for (unsigned v = 0; v < 3 * 256; v++)
			for (unsigned rest = 0; rest < 2; rest++) {
				uint32_t n = rest ? sizeof(stream) : SIZE;

				for (unsigned j = 0; j < sizeof(stream) / SIZE; j++) {
					memcpy(stream + j * SIZE,
					       (j == 0 && w < WRITES ? &now.writes[w] : &now.read)->b, SIZE);
					stream[j * SIZE + NUMBER_AT] = (uint8_t)j;
				}
				if (v / 256 != 1) /* the one, the other, both alike */
					stream[6] = (uint8_t)v;
				if (v / 256 != 0)
					stream[12] = (uint8_t)(v - (v / 256 == 2 ? 14 : 0));
				begin();
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
		cmocka_unit_test_setup_teardown(overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(trains, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
