/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal leaves to its successor of the generations that it was told, and which of them go
 * when there is no room: never one whose permits live sessions still have, as long as another can
 * go. A journal that ended in the middle of a write leaves the others as they were.
 *
 * LINK: appliance/journal/names.c appliance/journal/remembered.c policy/ir/unseal.c
 * LINK: policy/ir/seal.c policy/ir/objects.c policy/ir/book.c policy/ir/meaning.c
 * LINK: appliance/base/arena.c appliance/base/addr.c appliance/base/json.c appliance/base/memfd.c
 * LINK: $(WIRE_SRC) appliance/base/err.c appliance/base/sha256.c appliance/base/bytes.c
 * LINK: appliance/base/utf8.c appliance/base/messages.c appliance/base/errno_text.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/journal/remembered.h"
#include "appliance/role/roles.h"
#include "appliance/wire/ring.h"
#include "policy/ir/ir.h"
#include "policy/ir/seal.h"

#define PLACES 15u

static uint8_t *sealed;
static size_t n_sealed;
static uint8_t digest[32];
static int memory;
static uint64_t taken[64];
static size_t n_taken;

static struct names_source generation(uint64_t number)
{
	static const uint32_t interfaces[] = { 7, 8 };
	static const uint8_t permits[] = { 0, 0, 0, 9 };

	return (struct names_source){ .number = number,
				      .sealed = sealed,
				      .n_sealed = n_sealed,
				      .permits = bytes_of(permits, sizeof(permits)),
				      .interfaces = interfaces,
				      .n_interfaces = 2 };
}

static struct event_generation which(uint64_t number)
{
	return event_generation(number, digest);
}

static void put(uint64_t number)
{
	const struct names_source from = generation(number);

	remembered_put(memory, &from, which(number));
}

static void take(void *ctx, const struct names_source *from)
{
	(void)ctx;
	assert_int_equal(from->n_sealed, n_sealed);
	assert_memory_equal(from->sealed, sealed, n_sealed);
	assert_int_equal(from->permits.left, 4);
	assert_int_equal(from->permits.p[3], 9);
	assert_int_equal(from->n_interfaces, 2);
	assert_int_equal(from->interfaces[1], 8);
	taken[n_taken++] = from->number;
}

static void take_number(void *ctx, const struct names_source *from)
{
	(void)ctx;
	taken[n_taken++] = from->number;
}

static void holds(const uint64_t *numbers, size_t n)
{
	n_taken = 0;
	remembered_take(memory, take, NULL);
	assert_int_equal(n_taken, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(taken[i], numbers[i]);
}

static int begin(void **state)
{
	struct ir_source text = { .name = "site.cfg", .text = "" };
	struct ir nothing = { .sources = &text,
			      .n_sources = 1,
			      .site_name = "",
			      .site_label = "",
			      .site_contact = "",
			      .records_purpose = "",
			      .records_responsible = "" };
	struct arena *a = arena_new(1u << 20);
	struct ir *ir = arena_alloc(a, sizeof(*ir));
	struct err e;

	(void)state;
	assert_int_equal(ir_seal(&nothing, &sealed, &n_sealed, &e), 0);
	assert_int_equal(ir_unseal(bytes_of(sealed, n_sealed), a, ir, &e), 0);
	memcpy(digest, ir->digest, sizeof(digest));
	arena_free(a);
	memory = shared_create("names", JOURNAL_NAMES_BYTES, &e);
	assert_true(memory >= 0);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	free(sealed);
	close(memory);
	return 0;
}

static void the_successor_gets_them_in_order(void **state)
{
	(void)state;
	holds(NULL, 0);
	put(1);
	put(2);
	put(3);
	put(2); /* it is the newest now, and stands once */
	holds((const uint64_t[]){ 1, 3, 2 }, 3);
}

static void what_sessions_need_stays(void **state)
{
	uint8_t list[24];
	struct outbuf o = outbuf_of(list, sizeof(list));
	struct names_source from;
	uint64_t left[PLACES] = { 1 };

	(void)state;
	event_generation_put(&o, which(1));
	event_generation_put(&o, which(77));
	for (uint64_t g = 1; g <= 40; g++) {
		from = generation(g);
		from.carried = bytes_of(list, sizeof(list));
		remembered_put(memory, &from, which(g));
	}
	for (size_t i = 1; i < PLACES; i++)
		left[i] = 40 - PLACES + 1 + i;
	holds(left, PLACES);
	/* Nobody needs it any more. */
	put(41);
	holds((const uint64_t[]){ 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41 }, PLACES);
}

static void half_a_generation_is_none(void **state)
{
	uint8_t nothing[256] = { 0 };
	struct names_source longer;

	(void)state;
	for (uint64_t g = 1; g <= 3; g++)
		put(g);
	/* It ended before it had written the beginning of the second place. */
	assert_int_equal(pwrite(memory, nothing, sizeof(nothing), (off_t)(JOURNAL_NAMES_BYTES / PLACES)), 256);
	holds((const uint64_t[]){ 1, 3 }, 2);
	put(4);
	holds((const uint64_t[]){ 1, 3, 4 }, 3);
	/* It cannot write all of a generation that takes the place of another. */
	close(memory);
	memory = memfd_create("names", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(memory, (off_t)(4096 + n_sealed + 4)), 0);
	assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_GROW), 0);
	put(5);
	holds((const uint64_t[]){ 5 }, 1);
	longer = generation(5);
	longer.permits = bytes_of(nothing, sizeof(nothing));
	remembered_put(memory, &longer, which(5));
	holds(NULL, 0);
}

/* The journal before was compromised, and wrote any numbers there. What is told from then on is
 * kept. */
static void anything_may_stand_there(void **state)
{
	static const uint64_t orders[] = { UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 2, UINT64_MAX / 4,
					   UINT64_MAX / 4 - 1 };

	(void)state;
	for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
		for (size_t i = 0; i < PLACES; i++)
			assert_int_equal(pwrite(memory, &orders[k], 8, (off_t)(i * (JOURNAL_NAMES_BYTES / PLACES))), 8);
		for (uint64_t g = 1; g <= PLACES; g++)
			put(g);
		n_taken = 0;
		remembered_take(memory, take_number, NULL);
		assert_true(n_taken >= PLACES - 1);
		for (uint64_t g = 0; g < PLACES - 1; g++)
			assert_int_equal(taken[n_taken - 1 - g], PLACES - g);
	}
}

/* A place claims more bytes than it has, so that their sum is small or in another place: it is
 * free. */
static void lengths_that_lie(void **state)
{
	/* behind `n_sealed` */
	const off_t permits = (off_t)(8 + sizeof(struct event_generation) + 8 + 8);
	static const uint64_t lies[] = { UINT64_MAX, UINT64_MAX - 4096, JOURNAL_NAMES_BYTES / PLACES };

	(void)state;
	for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
		put(1);
		holds((const uint64_t[]){ 1 }, 1);
		assert_int_equal(pwrite(memory, &lies[k], 8, permits), 8);
		holds(NULL, 0);
	}
}

/* A record of that generation finds its names. */
static bool knows(const struct names *names, uint64_t number)
{
	struct event e = { .generation = which(number) };
	struct named n;

	e.row.line = 1;
	names_of_event(names, &e, &n);
	return n.row_file != NULL;
}

/* The newest generation decides about thresholds, however many older ones sessions still need. */
static void names_of_live_sessions_stay(void **state)
{
	uint8_t list[12];
	struct outbuf o = outbuf_of(list, sizeof(list));
	struct names names = { .n = 0 };
	struct event_generation newest;
	struct attack_rule rule;
	struct err e;

	(void)state;
	event_generation_put(&o, which(2));
	for (uint64_t g = 1; g <= 2 * NAMES_KEPT; g++) {
		struct names_source from = generation(g);

		from.carried = bytes_of(list, sizeof(list));
		assert_int_equal(names_add(&names, &from, &e), 0);
		assert_true(names_attack_rule(&names, &rule, &newest));
		assert_true(event_generation_same(newest, which(g)));
		assert_int_equal(knows(&names, 1), g <= NAMES_KEPT);
		assert_int_equal(knows(&names, 2), g >= 2);
	}
	assert_int_equal(names.n, NAMES_KEPT);
	names_forget(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_successor_gets_them_in_order, begin, finish),
		cmocka_unit_test_setup_teardown(what_sessions_need_stays, begin, finish),
		cmocka_unit_test_setup_teardown(half_a_generation_is_none, begin, finish),
		cmocka_unit_test_setup_teardown(anything_may_stand_there, begin, finish),
		cmocka_unit_test_setup_teardown(lengths_that_lie, begin, finish),
		cmocka_unit_test_setup_teardown(names_of_live_sessions_stay, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
