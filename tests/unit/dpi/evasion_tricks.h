/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tricks for a protocol with a test of its own: an allowed message and forbidden ones of the
 * same length overlap, are cut at any two bytes in any order, come byte by byte or twice, and
 * follow each other in one segment. No receiver may read what the policy forbids. Wrong lengths are
 * tested by the protocol itself.
 */
#ifndef SEKISHO_TESTS_EVASION_TRICKS_H
#define SEKISHO_TESTS_EVASION_TRICKS_H

#include "tests/unit/dpi/evasion_desk.h"

#define TRICKS_BATCH 100u /* flows after which the table is emptied */
#define TRAIN_BYTES 1120u

/* What the test of a protocol sets before the tricks. */
static struct tricks {
	unsigned train;	 /* messages in one */
	uint32_t stride; /* bytes between two places at which a message is cut */
	uint32_t twice;	 /* so many of the first bytes are sent twice when each byte comes alone */
	/* writes the number of the k-th message of a train; NULL: messages have no number */
	void (*number)(uint8_t *message, unsigned k);
} tricks;

static unsigned tried;

static void tricks_use(const struct speech *speech, struct tricks how)
{
	use_speech(speech);
	tricks = how;
	for (unsigned w = 0; w < WRITES; w++)
		assert_int_equal(now.writes[w].n, now.read.n);
	assert_true(tricks.train * now.read.n <= TRAIN_BYTES);
}

static int tricks_end(void **state)
{
	(void)state;
	inspector_finish(desk_i);
	desk_close();
	return 0;
}

static void tricks_begin(void)
{
	if (tried++ % TRICKS_BATCH == 0)
		inspector_finish(desk_i); /* otherwise live flows would fill the table */
	begin_trial();
}

/* `n` messages of which the k-th is `other`; returns the number of bytes. */
static uint32_t put_train(uint8_t *train, unsigned n, unsigned k, const struct blob *other)
{
	for (unsigned j = 0; j < n; j++) {
		uint8_t *m = train + j * now.read.n;

		memcpy(m, (j == k ? other : &now.read)->b, now.read.n);
		if (tricks.number != NULL)
			tricks.number(m, j);
	}
	return n * (uint32_t)now.read.n;
}

/* Two of three pieces may be from the forbidden message; each piece is sent once more in
 * between. */
static void overlaps(void **state)
{
	uint32_t size = (uint32_t)now.read.n, by = tricks.stride;
	unsigned arrived = 0;

	(void)state;
	for (unsigned w = 0; w < WRITES; w++)
		for (uint32_t a = 1; a < size - 1; a += by)
			for (uint32_t b = a + 1; b < size; b += by)
				for (unsigned bits = 0; bits < 64; bits++) {
					const uint32_t at[4] = { 0, a, b, size };

					tricks_begin();
					for (unsigned k = 0; k < 6; k++)
						say_at(at[k / 2],
						       (bits >> k & 1u ? now.writes[w] : now.read).b + at[k / 2],
						       at[k / 2 + 1] - at[k / 2], k % 2 == 0 && (bits & 1u) != 0);
					assert_true(end_trial() >= 0);
					arrived += trial.next == size;
				}
	assert_true(arrived > 50);
}

static void cuts(void **state)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	uint32_t size = (uint32_t)now.read.n, by = tricks.stride;

	(void)state;
	for (unsigned w = 0; w <= WRITES; w++) {
		const struct blob *m = w < WRITES ? &now.writes[w] : &now.read;

		for (uint32_t a = 1; a < size - 1; a += by)
			for (uint32_t b = a + 1; b < size; b += by)
				for (unsigned o = 0; o < 6; o++) {
					const uint32_t at[4] = { 0, a, b, size };

					tricks_begin();
					for (unsigned i = 0; i < 3; i++)
						say_at(at[orders[o][i]], m->b + at[orders[o][i]],
						       at[orders[o][i] + 1] - at[orders[o][i]], false);
					assert_int_equal(end_trial(), w == WRITES && (o == 0 || trial.next == size));
				}
		for (unsigned twice = 0; twice < 2; twice++) {
			tricks_begin();
			for (uint32_t at = 0; at < size; at++)
				for (unsigned k = 0; k <= (twice && at < tricks.twice); k++)
					say_at(at, m->b + at, 1, false);
			assert_int_equal(end_trial(), w == WRITES);
		}
	}
}

/* The forbidden message at each place of a train: all in one segment, or cut before, at and behind
 * the beginning of the forbidden message. */
static void trains(void **state)
{
	static uint8_t train[TRAIN_BYTES];
	uint32_t size = (uint32_t)now.read.n;

	(void)state;
	for (unsigned n = 1; n <= tricks.train; n++)
		for (unsigned k = 0; k <= n * 4 * WRITES; k++) {
			unsigned at = k / 4 / WRITES, cut = k % 4;
			uint32_t place = cut > 0 && at < n ? at * size + cut - 2 : 0;

			if (place >= n * size)
				continue;
			put_train(train, n, at, &now.writes[k / 4 % WRITES]);
			tricks_begin();
			trial.mute = true;
			if (place > 0)
				say_at(0, train, place, false);
			say_at(place, train + place, n * size - place, false);
			assert_true(trial.next < (at + 1) * size);
			assert_true(at < n || trial.next == n * size);
			assert_true(end_trial() >= 0);
		}
}

#endif
