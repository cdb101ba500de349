/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permit ids: an equal identity keeps its id, a new one gets a new id, and no id is assigned twice,
 * over restarts and when the numbers wrap.
 *
 * LINK: appliance/store/permit_ids.c appliance/base/atomic_file.c appliance/base/bytes.c
 * LINK: appliance/base/err.c
 * LINK: appliance/base/sha256.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/permit_ids.h"
#include "appliance/wire/mark.h"
#include "tests/unit/folder.h"

/* Identity number n: its first bytes contain n so that identities are not in the order of
 * numbers. */
static uint8_t made[70000][32];

static const uint8_t *identity(const void *ctx, size_t i)
{
	uint32_t n = ((const uint32_t *)ctx)[i];

	for (size_t k = 0; k < 4; k++)
		made[i][k] = (uint8_t)(n >> (8 * k));
	return made[i];
}

static const uint8_t somewhere[32];

static void assign(struct permit_ids *p, const uint32_t *numbers, size_t n, uint32_t *ids)
{
	struct permit_wanted *wanted = calloc(n, sizeof(*wanted));
	struct err e = { 0 };

	assert_non_null(wanted);
	for (size_t i = 0; i < n; i++)
		wanted[i] = (struct permit_wanted){ identity(numbers, i), somewhere, 0 };
	assert_int_equal(permit_ids_assign(p, n, wanted, ids, &e), 0);
	free(wanted);
	for (size_t i = 0; i < n; i++) {
		assert_in_range(ids[i], 1, PERMIT_MAX);
		for (size_t k = 0; k < i && n < 100; k++)
			assert_int_not_equal(ids[i], ids[k]);
	}
}

static void same_identity_keeps_its_id(void **state)
{
	struct permit_ids p = { 0 };
	uint32_t a[3], b[3], c[3];

	(void)state;
	assign(&p, (const uint32_t[]){ 7, 8, 9 }, 3, a);
	assert_int_equal(a[0], 1);
	assign(&p, (const uint32_t[]){ 9, 10, 7 }, 3, b);
	assert_int_equal(b[0], a[2]);
	assert_int_equal(b[2], a[0]);
	/* A new permit never gets the id of one that is gone. */
	assert_int_not_equal(b[1], a[1]);
	/* A permit that comes back gets its old id. */
	assign(&p, (const uint32_t[]){ 8, 7, 10 }, 3, c);
	assert_int_equal(c[0], a[1]);
	assert_int_equal(c[2], b[1]);
	permit_ids_free(&p);
}

/* The place of a permit counts as well, unless the caller knows that it continues at another place.
 * Then the new place is stored. */
static void places_and_successors(void **state)
{
	static const uint8_t one[32] = { 1 }, here[32] = { 2 }, there[32] = { 3 };
	struct permit_ids p = { 0 };
	struct permit_wanted w = { one, here, 0 };
	struct err e = { 0 };
	uint32_t first, id;

	(void)state;
	assert_int_equal(permit_ids_assign(&p, 1, &w, &first, &e), 0);
	assert_int_equal(permit_ids_assign(&p, 1, &w, &id, &e), 0);
	assert_int_equal(id, first);
	w = (struct permit_wanted){ one, there, first };
	assert_int_equal(permit_ids_assign(&p, 1, &w, &id, &e), 0);
	assert_int_equal(id, first);
	/* Live sessions may have this id: a permit at its former place is another permit now. */
	w = (struct permit_wanted){ one, here, 0 };
	assert_int_equal(permit_ids_assign(&p, 1, &w, &id, &e), 0);
	assert_int_not_equal(id, first);
	w = (struct permit_wanted){ one, there, 0 };
	assert_int_equal(permit_ids_assign(&p, 1, &w, &id, &e), 0);
	assert_int_equal(id, first);
	permit_ids_free(&p);
}

/* A permit continues at a place that another one had before. A caller that asks only by meaning, as
 * at a start, gets the id that live sessions have now, not the one that they once had. */
static void the_last_one_of_a_meaning(void **state)
{
	static const uint8_t one[32] = { 1 }, here[32] = { 2 }, there[32] = { 3 };
	struct permit_wanted w = { one, here, 0 };
	struct permit_ids p = { 0 }, again;
	struct folder *f = *state;
	uint32_t first, second, id;
	struct err e = { 0 };
	bool damaged;

	assert_int_equal(permit_ids_assign(&p, 1, &w, &first, &e), 0);
	w.place = there;
	assert_int_equal(permit_ids_assign(&p, 1, &w, &second, &e), 0);
	assert_int_not_equal(second, first);
	w = (struct permit_wanted){ one, here, second };
	assert_int_equal(permit_ids_assign(&p, 1, &w, &id, &e), 0);
	assert_int_equal(id, second);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	assert_int_equal(permit_ids_load(f->fd, &again, &damaged, &e), 0);
	w.keep = 0;
	assert_int_equal(permit_ids_assign(&again, 1, &w, &id, &e), 0);
	assert_int_equal(id, second);
	permit_ids_free(&again);
	permit_ids_free(&p);
}

static void twins_get_two_ids(void **state)
{
	struct permit_ids p = { 0 };
	uint32_t a[2], b[3];

	(void)state;
	assign(&p, (const uint32_t[]){ 5, 5 }, 2, a);
	assign(&p, (const uint32_t[]){ 5, 5, 5 }, 3, b);
	assert_true((b[0] == a[0] && b[1] == a[1]) || (b[0] == a[1] && b[1] == a[0]));
	permit_ids_free(&p);
}

static void kept_over_restarts(void **state)
{
	struct folder *f = *state;
	struct permit_ids p, q;
	struct err e = { 0 };
	uint32_t a[2], b[3];
	bool damaged;

	assert_int_equal(permit_ids_load(f->fd, &p, &damaged, &e), 0);
	assert_false(damaged);
	assign(&p, (const uint32_t[]){ 1, 2 }, 2, a);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	assert_int_equal(permit_ids_load(f->fd, &q, &damaged, &e), 0);
	assert_false(damaged);
	assign(&q, (const uint32_t[]){ 3, 2, 1 }, 3, b);
	assert_int_equal(b[1], a[1]);
	assert_int_equal(b[2], a[0]);
	/* Ids that may have been given out while they could not be written are skipped. */
	assert_int_equal(b[0], 3 + PERMIT_IDS_SPARE);
	permit_ids_free(&p);
	permit_ids_free(&q);
}

static void damage_is_noticed(void **state)
{
	struct folder *f = *state;
	struct permit_ids p = { 0 };
	struct err e = { 0 };
	uint32_t a[2];
	bool damaged;
	uint8_t b;
	int fd;

	assign(&p, (const uint32_t[]){ 1, 2 }, 2, a);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	permit_ids_free(&p);
	for (off_t at = 0; at < 24 + 2 * 76 + 32; at += 7) {
		fd = openat(f->fd, "permit-ids", O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, &b, 1, at), 1);
		b ^= 0x10;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
		assert_int_equal(permit_ids_load(f->fd, &p, &damaged, &e), 0);
		assert_true(damaged);
		assert_int_equal(p.n, 0);
		assert_in_range(p.next, 1, PERMIT_MAX);
		b ^= 0x10;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
		close(fd);
	}
	/* A file that is cut short is damaged as well. */
	fd = openat(f->fd, "permit-ids", O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 50), 0);
	close(fd);
	assert_int_equal(permit_ids_load(f->fd, &p, &damaged, &e), 0);
	assert_true(damaged);
}

static void wraps_and_skips(void **state)
{
	struct permit_ids p = { 0 };
	uint32_t a[2], b[2];

	(void)state;
	assign(&p, (const uint32_t[]){ 1 }, 1, a); /* id 1 */
	p.next = PERMIT_MAX;
	assign(&p, (const uint32_t[]){ 2, 3 }, 2, b);
	assert_int_equal(b[0], PERMIT_MAX);
	assert_int_equal(b[1], 2); /* 0 is no permit, 1 is taken */
	permit_ids_free(&p);
}

static void oldest_are_forgotten_first(void **state)
{
	struct permit_ids p = { 0 };
	uint32_t *many = calloc(70000, sizeof(*many)), *ids = calloc(70000, sizeof(*ids)), old, again;

	(void)state;
	assert_true(many != NULL && ids != NULL);
	assign(&p, (const uint32_t[]){ 900000 }, 1, &old);
	for (uint32_t i = 0; i < 66000; i++)
		many[i] = i;
	assign(&p, many, 66000, ids);
	/* More ids than are kept, but all in force: none of them may be removed, so the old one
	 * is. */
	assert_int_equal(p.n, 66000);
	assign(&p, (const uint32_t[]){ 900000 }, 1, &again);
	assert_int_not_equal(again, old);
	assert_int_equal(p.n, PERMIT_IDS_KEPT);
	permit_ids_free(&p);
	free(many);
	free(ids);
}

/* A start and a rollback need no room: known ids are not written again. */
static void known_ids_are_not_written(void **state)
{
	struct folder *f = *state;
	struct permit_ids p = { 0 };
	struct err e = { 0 };
	uint32_t ids[3];
	bool damaged;

	assign(&p, (const uint32_t[]){ 7, 8, 9 }, 3, ids);
	assert_true(p.unsaved);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	permit_ids_free(&p);
	assert_int_equal(permit_ids_load(f->fd, &p, &damaged, &e), 0);
	assert_int_equal(unlinkat(f->fd, "permit-ids", 0), 0);
	assign(&p, (const uint32_t[]){ 9, 7 }, 2, ids);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	assert_int_equal(faccessat(f->fd, "permit-ids", F_OK, 0), -1);
	assign(&p, (const uint32_t[]){ 9, 10 }, 2, ids);
	assert_int_equal(permit_ids_save(f->fd, &p, &e), 0);
	assert_int_equal(faccessat(f->fd, "permit-ids", F_OK, 0), 0);
	permit_ids_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known_ids_are_not_written, setup, teardown),
		cmocka_unit_test(same_identity_keeps_its_id),
		cmocka_unit_test(places_and_successors),
		cmocka_unit_test_setup_teardown(the_last_one_of_a_meaning, setup, teardown),
		cmocka_unit_test(twins_get_two_ids),
		cmocka_unit_test_setup_teardown(kept_over_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_noticed, setup, teardown),
		cmocka_unit_test(wraps_and_skips),
		cmocka_unit_test(oldest_are_forgotten_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
