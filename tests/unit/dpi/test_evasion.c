/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evasion of the enforced protocols, with the real enforcers and the whole inspector: overlaps,
 * cuts, several requests in a segment, wrong lengths, other protocols within a session. Whatever
 * the segments are, no receiver may read what the policy forbids. Only some of the cases are tried,
 * chosen by a printed seed (SEKISHO_SEED); SEKISHO_ALL=1 tries all.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/dpi/lent.h"

#define SHARE 24u  /* one of so many cases is tried */
#define BATCH 100u /* flows after which the table is emptied */

static uint64_t seed, drawn;
static bool all;

static struct {
	unsigned tried,
		/* cases that were tried in this family, and those in which an allowed request
		 * arrived */
		allowed;
	unsigned total;
} count;

static uint64_t draw(void)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return drawn;
}

/* Whether the next case is tried; if so, its session has begun. */
static bool next_case(void)
{
	if (!all && draw() % SHARE != 0)
		return false;
	if (count.tried++ % BATCH == 0)
		inspector_finish(desk_i); /* otherwise live flows would fill the table */
	begin_trial();
	return true;
}

/* Ends a case; returns how many requests the server has read, which must be at least `least`. */
static int is_over(const char *family, const unsigned which[4], int least)
{
	int whole = end_trial();

	if (whole < least)
		fail_msg("%s, %s %u %u %u %u: %d requests read of %d; seed %llu", now.s->name, family, which[0],
			 which[1], which[2], which[3], whole, least, (unsigned long long)seed);
	return whole;
}

static void family_ends(const char *family, unsigned some)
{
	printf("%-16s %-10s %7u cases, %u in which a request arrived\n", now.s->name, family, count.tried,
	       count.allowed);
	assert_true(count.allowed >= some); /* an allowed request does arrive in some cases */
	count.total += count.tried;
	count.tried = count.allowed = 0;
}

/* ---- overlaps -------------------------------------------------------------------------------- */

#define UNITS 4u
#define CHUNKS 10u /* from unit to unit: 0-1, 0-2, 0-3, 0-4, 1-2, 1-3, 1-4, 2-3, 2-4, 3-4 */

static void chunk(unsigned i, unsigned *ret_from, unsigned *ret_to)
{
	for (unsigned from = 0; from < UNITS; from++) {
		if (i < UNITS - from) {
			*ret_from = from;
			*ret_to = from + 1 + i;
			return;
		}
		i -= UNITS - from;
	}
}

/*
 * All combinations of three chunks, each from the allowed or the forbidden request, each lost
 * behind the box or not: these are all relations of three intervals. Once the request is cut into
 * quarters, once around the first byte in which the two requests differ.
 */
static void overlaps_of(const struct blob *w, bool quarters)
{
	const struct blob *r = &now.read;
	uint32_t same = 0, at[UNITS + 1];

	while (r->b[same] == w->b[same])
		same++;
	for (unsigned i = 0; i <= UNITS; i++)
		at[i] = quarters ? (uint32_t)(r->n * i / UNITS)
				 : (uint32_t[]){ 0, same, same + 1, (uint32_t)r->n - 1, (uint32_t)r->n }[i];
	if (at[UNITS - 1] <= at[UNITS - 2]) /* the requests differ only close to their ends */
		at[2] = same, at[1] = same - 2, at[3] = (uint32_t)r->n - 1;
	for (unsigned t = 0; t < CHUNKS * CHUNKS * CHUNKS * 64; t++) {
		unsigned bits = t % 64, chunks = t / 64;

		if (!next_case())
			continue;
		for (unsigned c = 0; c < 3; c++, chunks /= CHUNKS) {
			unsigned from = 0, to = 0;

			chunk(chunks % CHUNKS, &from, &to);
			say_at(at[from], (bits >> c & 1u ? w : r)->b + at[from], at[to] - at[from],
			       bits >> (3 + c) & 1u);
		}
		count.allowed += is_over("overlap", (unsigned[]){ t, quarters, (unsigned)(w - now.writes), 0 }, 0) > 0;
	}
}

static void overlaps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned w = 0; w < 2 * WRITES; w++)
			overlaps_of(&now.writes[w / 2], w % 2);
		family_ends("overlaps", 50);
		inspector_finish(desk_i);
		desk_close();
	}
}

/* ---- cuts ------------------------------------------------------------------------------------ */

/* A request cut at any two of its bytes, the three pieces in any order. */
static void cuts_of(const struct blob *m, bool allowed)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (uint32_t a = now.s->together + 1u; a + 1 < m->n; a++) {
		for (uint32_t b = a + 1; b < m->n; b++) {
			for (unsigned o = 0; o < 6; o++) {
				const uint32_t at[4] = { 0, a, b, (uint32_t)m->n };

				if (!next_case())
					continue;
				for (unsigned i = 0; i < 3; i++)
					say_at(at[orders[o][i]], m->b + at[orders[o][i]],
					       at[orders[o][i] + 1] - at[orders[o][i]], false);
				count.allowed +=
					is_over("cut", (unsigned[]){ a, b, o, allowed }, allowed && o == 0) > 0;
			}
		}
	}
}

/* Sends a request in one piece up to each byte, and then byte by byte; `twice`: these bytes are
 * sent twice. */
static void bytes_of_one(const struct blob *m, bool allowed, bool twice)
{
	for (uint32_t from = now.s->together + 1u; from < m->n; from++) {
		if (!next_case())
			continue;
		say_at(0, m->b, from, false);
		for (uint32_t at = from; at < m->n; at++) {
			say_at(at, m->b + at, 1, false);
			if (twice)
				say_at(at, m->b + at, 1, false);
		}
		count.allowed += is_over("bytes", (unsigned[]){ from, twice, allowed, 0 }, allowed) > 0;
	}
}

static void cuts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned w = 0; w <= WRITES; w++) {
			const struct blob *m = w < WRITES ? &now.writes[w] : &now.read;

			cuts_of(m, w == WRITES);
			bytes_of_one(m, w == WRITES, false);
			bytes_of_one(m, w == WRITES, true);
		}
		family_ends("cuts", 1);
		inspector_finish(desk_i);
		desk_close();
	}
}

/* ---- trains ---------------------------------------------------------------------------------- */

#define TRAIN 64u

/* 2 to 64 requests at once, the forbidden one at each place: in one segment, or cut before, at and
 * behind its beginning. */
static void trains(void **state)
{
	static uint8_t train[TRAIN * sizeof(((struct blob *)0)->b)];

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned n = 2; n <= TRAIN; n++) {
			for (unsigned k = 0; k < n * 4 * WRITES; k++) {
				unsigned at = k / 4 / WRITES, cut = k % 4;
				uint32_t size = (uint32_t)now.read.n;
				/* 3: behind the first byte of the forbidden request */
				uint32_t place = cut > 0 ? at * size + cut - 2 : 0;

				if (place >= n * size || !next_case())
					continue;
				for (unsigned j = 0; j < n; j++)
					memcpy(train + j * size, (j == at ? &now.writes[k / 4 % WRITES] : &now.read)->b,
					       size);
				if (place > 0)
					say_at(0, train, place, false);
				say_at(place, train + place, n * size - place, false);
				/* Whole requests in front of the cut pass, and never more than what
				 * stands in front of the forbidden request. */
				count.allowed += is_over("train", (unsigned[]){ n, at, cut, k }, 0) > 0;
				assert_true(trial.next < (at + 1) * size);
			}
		}
		family_ends("trains", 1);
		inspector_finish(desk_i);
		desk_close();
	}
}

/* ---- lengths that lie ------------------------------------------------------------------------ */

static uint32_t length_in(const uint8_t *p, const struct length *l)
{
	char digits[5] = { 0 };
	uint32_t v = 0;

	memcpy(digits, p + l->at, 4);
	if (l->size == 4)
		return (uint32_t)strtoul(digits, NULL, 16);
	for (unsigned i = 0; i < l->size; i++)
		v = v << 8 | p[l->at + (l->little ? l->size - 1u - i : i)];
	return v;
}

static void put_length(uint8_t *p, const struct length *l, uint32_t v)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%04X", v);
	for (unsigned i = 0; i < l->size; i++)
		if (l->size == 4)
			p[l->at + i] = (uint8_t)digits[i];
		else
			p[l->at + i] = (uint8_t)(v >> 8 * (l->little ? i : l->size - 1u - i));
}

static void lie(const struct blob *m, const struct length *l, uint32_t value, unsigned rest)
{
	static uint8_t stream[ROOM];
	uint32_t size = (uint32_t)m->n, n = size;

	memcpy(stream, m->b, size);
	put_length(stream, l, value);
	/* other requests fill up what the length claims */
	while (rest > 0 && n + size <= sizeof(stream)) {
		memcpy(stream + n, (rest == 1 ? m : &now.read)->b, size);
		n += size;
	}
	say_at(0, stream, rest > 0 ? size + 1 : size, false);
	if (rest > 0)
		say_at(size + 1, stream + size + 1, n - size - 1, false);
}

/* Each length field: all 256 values of a byte. Of two bytes: values near the right one, near 0,
 * near the sign bit and near the maximum. */
static void lengths(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned k = 0; k < 4 * (WRITES + 1) && now.s->lengths[k / (WRITES + 1)].size > 0; k++) {
			const struct length *l = &now.s->lengths[k / (WRITES + 1)];
			const struct blob *m = k % (WRITES + 1) < WRITES ? &now.writes[k % (WRITES + 1)] : &now.read;
			uint32_t top = l->size == 1 ? 256 : 65536, truth = length_in(m->b, l);

			for (uint32_t v = 0; v < top; v++) {
				bool near = v < 300 || v + 300 > top || (v + 20 > top / 2 && v < top / 2 + 20);

				for (unsigned rest = 0; rest < 3; rest++) {
					if (v == truth || !near || !next_case())
						continue;
					lie(m, l, v, rest);
					is_over("length", (unsigned[]){ l->at, v, rest, k }, 0);
					/* a forbidden request must not arrive whole, because a
					 * server might not wait for the rest */
					if (m != &now.read && trial.next >= m->n)
						fail_msg("%s, length at %u is %u, %u, %u: %u bytes arrived",
							 now.s->name, l->at, v, rest, k, trial.next);
				}
			}
		}
		family_ends("lengths", 0);
		inspector_finish(desk_i);
		desk_close();
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(overlaps), cmocka_unit_test(cuts),
					    cmocka_unit_test(trains), cmocka_unit_test(lengths) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const char *given = getenv("SEKISHO_SEED");
	int failed;

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u % 1000000007u;
	drawn = seed * 0x9e3779b97f4a7c15u | 1u;
	all = getenv("SEKISHO_ALL") != NULL;
	failed = run();
	failed += lent(run);
	printf("%u cases, SEKISHO_SEED=%llu\n", count.total, (unsigned long long)seed);
	return failed;
}
