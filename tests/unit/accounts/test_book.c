/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register on the disk: what is written is read again. A file that is cut at any byte, or has
 * one wrong bit, lets nobody in and is set aside; no part of it is used. What people see of the
 * register has no secret. Also sessions and failed logins, which are in memory.
 * LINK: appliance/accounts/book.c appliance/accounts/book_file.c appliance/base/columns.c
 * LINK: appliance/base/bytes.c
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c
 * LINK: appliance/accounts/challenges.c appliance/accounts/lockout.c appliance/accounts/sessions.c
 * LINK: appliance/wire/duty.c
 * LINK: appliance/base/utf8.c appliance/base/json.c appliance/base/sha256.c
 * LINK: appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/addr.c appliance/base/memfd.c appliance/base/logins.c
 * LIBS: libcrypt jansson nettle
 */
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/accounts/totp.h"
#include "appliance/wire/duty.h"

#define S UINT64_C(1000000000)
#define HASH "$y$j9T$aaaaaaaaaaaaaaaaaaaaaa$bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char folder[] = "/tmp/sekisho-book-XXXXXX";
static int dirfd_;
static struct book one, two;

static void fill(struct book *b)
{
	struct account *a;
	struct token *t;
	char codes[RECOVERY_CODES][RECOVERY_TEXT];

	memset(b, 0, sizeof(*b));
	b->dirfd = dirfd_;
	a = book_add(b);
	snprintf(a->name, sizeof(a->name), "suzuki");
	snprintf(a->full, sizeof(a->full), "鈴木 花子");
	snprintf(a->reason, sizeof(a->reason), "night shift");
	snprintf(a->by, sizeof(a->by), "tanaka");
	snprintf(a->hash, sizeof(a->hash), "%s", HASH);
	a->duties = UINT32_C(1) << DUTY_AUTHOR | UINT32_C(1) << DUTY_VIEWER;
	a->since = 1700000000;
	a->used = 1700100000;
	a->totp_step = 56670000;
	assert_true(secret_make(a->totp, sizeof(a->totp)));
	assert_true(account_recovery(a, codes));
	a = book_add(b);
	snprintf(a->name, sizeof(a->name), "sato.2");
	snprintf(a->hash, sizeof(a->hash), "%s", HASH);
	snprintf(a->disabled_by, sizeof(a->disabled_by), "tanaka");
	a->disabled = true;
	a->disabled_since = 1700000001;
	t = book_add_token(b);
	snprintf(t->id, sizeof(t->id), "0badcafe");
	snprintf(t->label, sizeof(t->label), "prometheus");
	t->duties = UINT32_C(1) << DUTY_VIEWER;
	t->until = 1800000000;
	memset(t->digest, 0xab, sizeof(t->digest));
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	dirfd_ = open(folder, O_RDONLY | O_DIRECTORY);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	(void)state;
	unlinkat(dirfd_, "accounts", 0);
	unlinkat(dirfd_, "accounts.damaged", 0);
	close(dirfd_);
	return rmdir(folder);
}

static void put(const char *p, size_t n)
{
	int fd = openat(dirfd_, "accounts", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	close(fd);
}

static size_t get(char *out, size_t size)
{
	int fd = openat(dirfd_, "accounts", O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, out, size) : -1;

	assert_true(n > 0);
	close(fd);
	return (size_t)n;
}

static enum book_found reread(void)
{
	enum book_found found;
	struct err e = { 0 };

	assert_int_equal(book_open(dirfd_, &two, &found, &e), 0);
	return found;
}

static void what_is_written_is_read(void **state)
{
	struct err e = { 0 };
	struct stat st;

	(void)state;
	unlinkat(dirfd_, "accounts", 0);
	assert_int_equal(reread(), BOOK_NEW);
	assert_int_equal(two.n_accounts, 0);
	fill(&one);
	assert_int_equal(book_save(&one, &e), 0);
	assert_int_equal(reread(), BOOK_READ);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_int_equal(fstatat(dirfd_, "accounts", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* With damage at any byte, not a single account may remain. */
static void torn_and_turned_files_let_nobody_in(void **state)
{
	char whole[16384], part[16384];
	struct err e = { 0 };
	size_t n;

	(void)state;
	fill(&one);
	assert_int_equal(book_save(&one, &e), 0);
	n = get(whole, sizeof(whole));
	assert_in_range(n, 800, sizeof(whole) - 1);
	for (size_t cut = 0; cut < n; cut++) {
		put(whole, cut);
		assert_int_equal(reread(), BOOK_DAMAGED);
		assert_int_equal(two.n_accounts + two.n_tokens, 0);
		assert_int_equal(faccessat(dirfd_, "accounts", F_OK, 0), -1);
		assert_int_equal(faccessat(dirfd_, "accounts.damaged", F_OK, 0), 0);
	}
	for (size_t bit = 0; bit < 8 * n; bit++) {
		memcpy(part, whole, n);
		part[bit / 8] = (char)(part[bit / 8] ^ (1 << bit % 8));
		put(part, n);
		assert_int_equal(reread(), BOOK_DAMAGED);
		assert_int_equal(two.n_accounts, 0);
	}
	memcpy(part, whole, n);
	part[n] = ' ';
	put(part, n + 1);
	assert_int_equal(reread(), BOOK_DAMAGED);
	put(whole, n);
	assert_int_equal(reread(), BOOK_READ);
}

/* Contents that the program would never write are refused, also if their digest is right. */
static void what_the_program_would_not_write_is_refused(void **state)
{
	static const char *const keys[] = { "name", "full", "roles",	 "since",   "disabled",
					    "hash", "totp", "totp_step", "recovery" };
	json_t *all, *account;

	(void)state;
	fill(&one);
	for (size_t i = 0; i < 2 * sizeof(keys) / sizeof(keys[0]); i++) {
		all = book_to_json(&one);
		account = json_array_get(json_object_get(all, "accounts"), 0);
		if (i % 2 == 0)
			json_object_del(account, keys[i / 2]);
		else
			json_object_set_new(account, keys[i / 2], json_real(0.5));
		memset(&two, 0, sizeof(two));
		if (book_of_json(all, &two))
			fail_msg("%s", keys[i / 2]);
		json_decref(all);
	}
	all = book_to_json(&one);
	account = json_array_get(json_object_get(all, "accounts"), 0);
	json_object_set_new(account, "roles", json_pack("[s]", "root"));
	memset(&two, 0, sizeof(two));
	assert_false(book_of_json(all, &two));
	json_object_set_new(account, "roles", json_pack("[s]", "viewer"));
	json_object_set_new(account, "hash", json_string(""));
	memset(&two, 0, sizeof(two));
	assert_false(book_of_json(all, &two));
	json_object_set_new(account, "hash", json_string(HASH));
	memset(&two, 0, sizeof(two));
	assert_true(book_of_json(all, &two));
	json_array_append(json_object_get(all, "accounts"), account); /* the same name twice */
	memset(&two, 0, sizeof(two));
	assert_false(book_of_json(all, &two));
	json_decref(all);
}

static void what_people_see_has_no_secret(void **state)
{
	char totp[BASE32_TEXT(TOTP_SECRET)], *text;
	json_t *j;

	(void)state;
	fill(&one);
	base32_text(one.accounts[0].totp, TOTP_SECRET, totp);
	j = json_pack("[o, o]", book_account_json(&one.accounts[0], 1700000000),
		      book_token_json(&one.tokens[0], 1700000000));
	text = json_dumps(j, 0);
	assert_non_null(text);
	assert_null(strstr(text, HASH));
	assert_null(strstr(text, totp));
	assert_null(strstr(text, "abababab"));
	assert_non_null(strstr(text, "ot_author"));
	free(text);
	json_decref(j);
}

static void recovery_codes_are_good_once(void **state)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT], small[RECOVERY_TEXT];

	(void)state;
	fill(&one);
	assert_true(account_recovery(&one.accounts[0], codes));
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		for (size_t k = 0; k < RECOVERY_TEXT; k++)
			small[k] = codes[i][k] >= 'A' && codes[i][k] <= 'Z' ? (char)(codes[i][k] + 32) : codes[i][k];
		assert_true(account_use_recovery(&one.accounts[0], i % 2 == 0 ? codes[i] : small));
		assert_false(account_use_recovery(&one.accounts[0], codes[i]));
		assert_int_equal(one.accounts[0].recovery_left, RECOVERY_CODES - 1 - i);
	}
	assert_false(account_use_recovery(&one.accounts[0], "AAAA-AAAA-AAAA-AAAA"));
	assert_false(account_use_recovery(&one.accounts[0], ""));
}

static void thirty_days_unused(void **state)
{
	struct account a = { .since = 1000000, .used = 2000000 };

	(void)state;
	assert_false(account_unused(&a, 2000000 + UNUSED_S - 1));
	assert_true(account_unused(&a, 2000000 + UNUSED_S));
	a.used = 0;
	assert_true(account_unused(&a, 1000000 + UNUSED_S));
	a.disabled = true;
	assert_false(account_unused(&a, 1000000 + UNUSED_S));
}

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void sessions_end_by_idleness_age_and_number(void **state)
{
	static struct sessions s;
	uint8_t secret[8][SECRET_BYTES], wrong[SECRET_BYTES];
	const struct addr from = at("192.0.2.10");
	struct session *x;

	(void)state;
	x = sessions_begin(&s, "suzuki", &from, 100 * S, 0, secret[0]);
	assert_non_null(x);
	assert_ptr_equal(sessions_find(&s, secret[0], 100 * S), x);
	memcpy(wrong, secret[0], sizeof(wrong));
	wrong[31] ^= 1;
	assert_null(sessions_find(&s, wrong, 100 * S));
	memset(wrong, 0, sizeof(wrong));
	assert_null(sessions_find(&s, wrong, 100 * S));
	assert_non_null(sessions_find(&s, secret[0], 100 * S + SESSION_IDLE_NS - 1));
	assert_null(sessions_find(&s, secret[0], 100 * S + SESSION_IDLE_NS));
	/* A session that is used all the time ends all the same. */
	x = sessions_begin(&s, "suzuki", &from, 1000 * S, 0, secret[1]);
	for (uint64_t t = 0; t < SESSION_LIMIT_NS; t += 600 * S) {
		assert_ptr_equal(sessions_find(&s, secret[1], 1000 * S + t), x);
		x->used = 1000 * S + t;
	}
	assert_null(sessions_find(&s, secret[1], 1000 * S + SESSION_LIMIT_NS));
	/* The fifth session replaces the oldest one of the same account, and no session of another
	 * account. */
	sessions_begin(&s, "sato", &from, 90000 * S, 0, secret[7]);
	for (size_t i = 0; i < SESSIONS_EACH + 1; i++)
		assert_non_null(sessions_begin(&s, "suzuki", &from, (100000 + i) * S, 0, secret[i]));
	assert_null(sessions_find(&s, secret[0], 100010 * S));
	for (size_t i = 1; i < SESSIONS_EACH + 1; i++)
		assert_non_null(sessions_find(&s, secret[i], 100010 * S));
	assert_int_equal(sessions_count(&s, "suzuki", 100010 * S), SESSIONS_EACH);
	assert_int_equal(sessions_end_of(&s, "suzuki", 100010 * S), SESSIONS_EACH);
	assert_int_equal(sessions_count(&s, "suzuki", 100010 * S), 0);
}

static void five_failures_lock_one_name_for_one_address(void **state)
{
	static struct lockout l;
	const struct addr here = at("192.0.2.10"), there = at("192.0.2.66"), six = at("2001:db8::1"),
			  same = at("2001:db8::ffff:2");
	uint64_t t = 5000 * S;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(lockout_failed(&l, "suzuki", &there, t += S));
	assert_false(lockout_locked(&l, "suzuki", &there, t));
	assert_null(lockout_next(&l, "suzuki", t, NULL)); /* failures alone are shown to nobody */
	assert_true(lockout_failed(&l, "suzuki", &there, t += S));
	assert_true(lockout_locked(&l, "suzuki", &there, t));
	assert_non_null(lockout_next(&l, "suzuki", t, NULL));
	assert_null(lockout_next(&l, "suzuki", t + LOCKOUT_NS, NULL));
	/* The person is not locked out from their own address, and nobody else is locked out
	 * there. */
	assert_false(lockout_locked(&l, "suzuki", &here, t));
	assert_false(lockout_locked(&l, "sato", &there, t));
	assert_int_equal(lockout_count(&l, t), 1);
	assert_true(lockout_locked(&l, "suzuki", &there, t + LOCKOUT_NS - 1));
	assert_false(lockout_locked(&l, "suzuki", &there, t + LOCKOUT_NS));
	/* Four failures, then a pause: the first ones no longer count. */
	for (int i = 0; i < 4; i++)
		assert_false(lockout_failed(&l, "sato", &here, t));
	t += LOCKOUT_WINDOW_NS;
	for (int i = 0; i < 4; i++)
		assert_false(lockout_failed(&l, "sato", &here, t));
	lockout_forget(&l, "sato", &here);
	for (int i = 0; i < 4; i++)
		assert_false(lockout_failed(&l, "sato", &here, t));
	/* One /64 counts as one address. */
	for (int i = 0; i < 5; i++)
		lockout_failed(&l, "ito", i % 2 == 0 ? &six : &same, t);
	assert_true(lockout_locked(&l, "ito", &six, t));
	assert_true(lockout_locked(&l, "ito", &same, t));
}

/* Failures with thousands of names, from everywhere, do not displace an active lock. */
static void strangers_cannot_wash_a_lock_away(void **state)
{
	static struct lockout l;
	const struct addr there = at("192.0.2.66");
	uint64_t t = 5000 * S;
	char name[32];

	(void)state;
	for (int i = 0; i < 5; i++)
		lockout_failed(&l, "suzuki", &there, t);
	for (int i = 0; i < 5000; i++) {
		struct addr from = { .family = 4, .b = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		snprintf(name, sizeof(name), "n%d", i);
		lockout_failed(&l, name, &from, t + S);
	}
	assert_true(lockout_locked(&l, "suzuki", &there, t + S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(torn_and_turned_files_let_nobody_in),
		cmocka_unit_test(what_the_program_would_not_write_is_refused),
		cmocka_unit_test(what_people_see_has_no_secret),
		cmocka_unit_test(recovery_codes_are_good_once),
		cmocka_unit_test(thirty_days_unused),
		cmocka_unit_test(sessions_end_by_idleness_age_and_number),
		cmocka_unit_test(five_failures_lock_one_name_for_one_address),
		cmocka_unit_test(strangers_cannot_wash_a_lock_away),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
