/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders of an account manager over the web, and changes of one's own passphrase: what is carried
 * out and in whose name it is recorded, that what was given out works, and every refusal.
 * LINK: appliance/base/logins.c appliance/accounts/desk_enrol.c appliance/accounts/desk.c
 * LINK: appliance/accounts/desk_door.c appliance/accounts/desk_user.c
 * LINK: appliance/accounts/book.c
 * LINK: appliance/accounts/book_file.c appliance/base/columns.c
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c
 * LINK: appliance/accounts/challenges.c appliance/accounts/lockout.c appliance/accounts/sessions.c
 * LINK: appliance/accounts/desk_manage.c appliance/accounts/desk_passphrase.c
 * LINK: appliance/accounts/desk_leaked.c appliance/accounts/leaked.c
 * LINK: appliance/wire/orders.c appliance/wire/leaked.c
 * LINK: appliance/accounts/desk_key.c
 * LINK: appliance/accounts/totp.c appliance/wire/duty.c
 * LINK: appliance/wire/event.c
 * LINK: appliance/base/utf8.c appliance/base/json.c appliance/base/sha256.c
 * LINK: appliance/base/atomic_file.c appliance/base/err.c appliance/base/addr.c
 * LINK: appliance/base/memfd.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/clock.c appliance/base/bytes.c appliance/wire/protocols.c
 * LINK: appliance/accounts/qr.c
 * LIBS: libqrencode libcrypt liboath jansson nettle
 */
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_door.h"
#include "appliance/accounts/desk_key.h"
#include "appliance/accounts/desk_manage.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/leaked.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/wire/duty.h"

#define S UINT64_C(1000000000)
#define PHRASE "three herons argue quietly"
#define OTHER "four lanterns under a bridge"
#define WHO "\"full_name\":\"Kato\",\"reason\":\"policies of berth 2\""

static char folder[] = "/tmp/sekisho-manage-XXXXXX";
static int dirfd_;
static struct desk desk;
static struct moment now = { .ns = 5000 * S, .wall_s = 1750000000 };
static const uint8_t here[4] = { 192, 0, 2, 10 };

static struct {
	bool came;
	enum answer_status status;
	json_t *json;
} said;
static struct hash_question questions[64];
static size_t n_questions;
static bool hasher_gone;
static struct event last, events[32];
static size_t n_events;

static void take_answer(void *ctx, uint32_t id, enum answer_status status, json_t *j)
{
	(void)ctx;
	(void)id;
	assert_false(said.came);
	said.came = true;
	said.status = status;
	said.json = j;
}

static bool take_hash(void *ctx, const struct hash_question *q)
{
	(void)ctx;
	assert_true(n_questions < 64);
	if (!hasher_gone)
		questions[n_questions++] = *q;
	return !hasher_gone;
}

static bool take_proof(void *ctx, const struct webauthn_question *q)
{
	(void)ctx;
	(void)q;
	return false;
}

static void take_event(void *ctx, const struct event *e)
{
	(void)ctx;
	last = *e;
	events[n_events++ % 32] = *e;
}

static const struct desk_out out = {
	.answer = take_answer, .hash = take_hash, .prove = take_proof, .event = take_event
};

static void forget(void)
{
	json_decref(said.json);
	memset(&said, 0, sizeof(said));
	n_events = 0;
}

static void hash_one(void)
{
	struct hash_answer a = { .id = questions[0].id };

	a.ok = passphrase_hash(questions[0].phrase, questions[0].setting, a.hash);
	memmove(questions, questions + 1, --n_questions * sizeof(questions[0]));
	desk_hashed(&desk, &a, now);
}

static void hash_all(void)
{
	while (n_questions > 0)
		hash_one();
}

static const char *text(const char *key)
{
	const char *t = json_string_value(json_object_get(said.json, key));

	return t != NULL ? t : "";
}

static void later(uint64_t seconds)
{
	now.ns += seconds * S;
	now.wall_s += seconds;
}

static void root(enum user_order what, const char *json)
{
	struct msg_user m = { .order = (uint8_t)what, .by = "tanaka", .text = json };

	forget();
	desk_user(&desk, 9, &m, now);
	hash_all();
	if (said.status != ANSWER_YES)
		fail_msg("root: %s", json_dumps(said.json, 0));
}

static void person(const char *name, const char *roles)
{
	char order[400];

	snprintf(order, sizeof(order),
		 "{\"name\":\"%s\",\"full_name\":\"F\",\"reason\":\"r\",\"roles\":\"%s\",\"passphrase\":\"" PHRASE
		 "\"}",
		 name, roles);
	root(USER_ADD, order);
}

static enum answer_status login(const char *name, const char *phrase, uint8_t secret[SECRET_BYTES])
{
	struct msg_login m = { .kind = PROOF_CODE, .family = 4 };
	char code[TOTP_DIGITS + 1];

	later(TOTP_STEP_S);
	assert_true(totp_code(book_account(&desk.book, name)->totp, now.wall_s / TOTP_STEP_S, code));
	m.proof = code;
	memcpy(m.from, here, sizeof(here));
	memcpy(m.name, name, strlen(name));
	memcpy(m.phrase, phrase, strlen(phrase));
	forget();
	desk_login(&desk, 1, &m, now);
	hash_all();
	if (said.status == ANSWER_YES)
		assert_true(hex_read(text("session"), secret, SECRET_BYTES));
	return said.status;
}

static enum answer_status may(const uint8_t secret[SECRET_BYTES], unsigned right)
{
	struct msg_judge m = { .what = CREDENTIAL_SESSION, .right = (uint8_t)right, .family = 4 };

	memcpy(m.from, here, sizeof(here));
	memcpy(m.secret, secret, SECRET_BYTES);
	forget();
	desk_judge(&desk, 2, &m, now);
	return said.status;
}

static void ask(const uint8_t secret[SECRET_BYTES], enum manage_order o, const char *json, const char *phrase)
{
	struct msg_manage m = { .order = (uint8_t)o, .family = 4, .text = json };

	memcpy(m.from, here, sizeof(here));
	memcpy(m.secret, secret, SECRET_BYTES);
	memcpy(m.phrase, phrase, strlen(phrase));
	forget();
	desk_manage(&desk, 5, &m, now);
}

/* The text of an order about the present state of an account; `more` follows in the same object. */
static const char *about(const char *name, const char *more)
{
	static char json[600];
	char seen[ACCOUNT_SEEN] = "";

	if (book_account(&desk.book, name) != NULL)
		account_seen(book_account(&desk.book, name), seen);
	snprintf(json, sizeof(json), "{\"name\":\"%s\",\"seen\":\"%s\"%s}", name, seen, more);
	return json;
}

static bool done(enum answer_status status)
{
	const json_t *d = json_object_get(said.json, "done");

	assert_true(said.came);
	if (said.status != status)
		fail_msg("%d: %s", (int)said.status, json_dumps(said.json, 0));
	assert_true(json_is_boolean(d));
	assert_int_equal(json_is_true(d), status == ANSWER_YES);
	return json_is_true(d);
}

static bool order(const uint8_t secret[SECRET_BYTES], enum manage_order o, const char *json, enum answer_status status)
{
	ask(secret, o, json, PHRASE);
	hash_all();
	return done(status);
}

static bool why(enum message m)
{
	const char *is = json_string_value(json_object_get(json_object_get(said.json, "error"), "en"));
	char want[400];

	message_text(want, sizeof(want), LANG_EN, m, "kato");
	if (is == NULL || strcmp(is, want) != 0)
		fail_msg("%s, not %s", is != NULL ? is : "nothing", want);
	return true;
}

static void own(const uint8_t secret[SECRET_BYTES], const char *phrase, const char *fresh)
{
	struct msg_passphrase m = { .family = 4 };

	memcpy(m.from, here, sizeof(here));
	memcpy(m.secret, secret, SECRET_BYTES);
	memcpy(m.phrase, phrase, strlen(phrase));
	memcpy(m.fresh, fresh, strlen(fresh));
	forget();
	desk_passphrase(&desk, 6, &m, now);
	hash_all();
}

static uint8_t sato[SECRET_BYTES]; /* the session of the account manager */

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
	forget();
	unlinkat(dirfd_, "accounts", 0);
	close(dirfd_);
	return rmdir(folder);
}

static int anew(void **state)
{
	struct err e = { 0 };

	(void)state;
	unlinkat(dirfd_, "accounts", 0);
	later(1000000);
	forget();
	n_questions = 0;
	assert_int_equal(desk_open(&desk, dirfd_, &out, now, &e), 0);
	person("sato", "account_manager");
	assert_int_equal(login("sato", PHRASE, sato), ANSWER_YES);
	return 0;
}

#define ADD_KATO "{\"name\":\"kato\"," WHO ",\"roles\":\"ot_author\"}"

/* The manager types their own passphrase with each order. If it is a leaked one, no order is
 * carried out any more, also in a session from before. */
static void an_order_with_a_leaked_phrase_is_not_done(void **state)
{
	uint8_t list[LEAKED_HEAD + LEAKED_PREFIX], chain[32];
	struct leaked_head head = { .count = 1 };
	int fd;

	(void)state;
	leaked_prefix(PHRASE, strlen(PHRASE), list + LEAKED_HEAD);
	leaked_begin(1, chain);
	leaked_fold(chain, list + LEAKED_HEAD, LEAKED_PREFIX);
	leaked_end(chain, 0, head.digest);
	leaked_head_write(&head, list);
	fd = memfd_sealed("leaked", list, sizeof(list));
	assert_int_equal(leaked_take(&desk.leaked, fd), 0);
	assert_int_equal(leaked_step(&desk.leaked, now.wall_s), 0);
	close(fd);
	assert_int_equal(may(sato, RIGHT_ACCOUNTS), ANSWER_YES);
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_INVALID);
	assert_true(why(M_LOGIN_LEAKED));
	assert_null(book_account(&desk.book, "kato"));
	assert_int_equal(last.code, ACCOUNT_LEAKED_USED);
	assert_int_equal(may(sato, RIGHT_ACCOUNTS), ANSWER_INVALID);
	own(sato, PHRASE, OTHER);
	done(ANSWER_YES);
	ask(sato, MANAGE_ADD, ADD_KATO, OTHER);
	hash_all();
	done(ANSWER_YES);
	assert_int_equal(leaked_remove(&desk.leaked), 0);
}

/* The hasher ends after the first of two hashes: the order is answered once, and the register is
 * unchanged. */
static void an_order_that_cannot_be_hashed_leaves_nothing(void **state)
{
	struct book read;
	enum book_found found;
	struct err e;

	(void)state;
	ask(sato, MANAGE_ADD, ADD_KATO, PHRASE);
	hasher_gone = true;
	hash_all();
	done(ANSWER_CANNOT);
	assert_int_equal(desk.book.n_accounts, 1);
	forget();
	ask(sato, MANAGE_ADD, ADD_KATO, PHRASE);
	hasher_gone = false;
	assert_int_equal(said.status, ANSWER_CANNOT);
	assert_int_equal(book_open(dirfd_, &read, &found, &e), 0);
	assert_int_equal(found, BOOK_READ);
	assert_int_equal(read.n_accounts, 1);
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
}

static void what_was_handed_out_opens_nothing_but_the_choice_of_another(void **state)
{
	uint8_t first[SECRET_BYTES], second[SECRET_BYTES];
	char made[PASSPHRASE_MADE];
	const struct account *kato;

	(void)state;
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
	snprintf(made, sizeof(made), "%s", text("passphrase"));
	assert_true(strlen(made) >= PASSPHRASE_LEAST);
	assert_non_null(json_object_get(said.json, "totp"));
	assert_int_equal(json_array_size(json_object_get(said.json, "recovery")), RECOVERY_CODES);
	assert_int_equal(last.code, ACCOUNT_ADDED);
	assert_string_equal(last.text[EVENT_OBJECT], "kato");
	assert_string_equal(last.text[EVENT_BY], "sato");
	assert_int_equal(last.client.b[3], 10);
	assert_string_equal(book_account(&desk.book, "kato")->by, "sato (web)");
	assert_int_equal(login("kato", made, first), ANSWER_YES);
	assert_int_equal(login("kato", made, second), ANSWER_YES);
	assert_true(json_is_true(json_object_get(said.json, "choose_passphrase")));
	assert_int_equal(json_array_size(json_object_get(said.json, "rights")), 0);
	for (unsigned r = 0; r < RIGHT_COUNT; r++)
		assert_int_equal(may(first, r), ANSWER_INVALID);
	assert_int_equal(may(first, RIGHT_COUNT), ANSWER_YES);
	assert_int_equal(json_array_size(json_object_get(said.json, "rights")), 0);
	{
		struct msg_key m = { .order = KEY_ADD, .family = 4, .label = "blue", .proof = "x" };

		memcpy(m.from, here, sizeof(here));
		memcpy(m.secret, first, SECRET_BYTES);
		memcpy(m.phrase, made, strlen(made));
		forget();
		desk_key(&desk, 7, &m, now);
		assert_int_equal(said.status, ANSWER_INVALID);
		assert_true(why(M_LOGIN_CHOOSE));
	}
	own(first, made, made);
	done(ANSWER_INVALID);
	assert_true(why(M_PASSPHRASE_SAME));
	own(first, made, "short");
	done(ANSWER_INVALID);
	assert_true(why(M_PASSPHRASE_SHORT));
	own(first, "no idea what it may be", OTHER);
	done(ANSWER_INVALID);
	assert_true(why(M_MANAGE_REFUSED));
	assert_int_equal(last.code, ACCOUNT_ORDER_REFUSED);
	own(first, made, OTHER);
	done(ANSWER_YES);
	assert_int_equal(last.code, ACCOUNT_OWN_PASSPHRASE);
	/* This session goes on with all its rights; all other sessions with the old passphrase have
	 * ended. */
	assert_int_equal(may(first, RIGHT_EDIT), ANSWER_YES);
	assert_int_equal(may(second, RIGHT_COUNT), ANSWER_NO);
	assert_int_equal(login("kato", made, second), ANSWER_NO);
	assert_int_equal(login("kato", OTHER, second), ANSWER_YES);
	/* After a restart the register on the disk gives the same answers. */
	order(sato, MANAGE_PASSPHRASE, about("kato", ""), ANSWER_YES);
	snprintf(made, sizeof(made), "%s", text("passphrase"));
	assert_int_equal(may(first, RIGHT_COUNT), ANSWER_NO);
	{
		struct err e = { 0 };

		assert_int_equal(desk_open(&desk, dirfd_, &out, now, &e), 0);
	}
	assert_int_equal(login("kato", made, first), ANSWER_YES);
	assert_int_equal(may(first, RIGHT_EDIT), ANSWER_INVALID);
	/* Nobody has used the passphrase for a week. */
	later(HANDED_S + 1);
	assert_int_equal(login("kato", made, first), ANSWER_NO);
	/* A passphrase that was given out while the clock was ahead does not stay valid for years
	 * either. */
	kato = book_account(&desk.book, "kato");
	assert_true(account_handed_over(kato, kato->phrase_since - HANDED_S - 1));
	assert_false(account_handed_over(kato, kato->phrase_since - HANDED_S));
	/* A passphrase that root sets does not expire. */
	root(USER_PASSWORD, "{\"name\":\"kato\",\"passphrase\":\"" OTHER "\"}");
	assert_int_equal(login("kato", OTHER, first), ANSWER_YES);
	assert_int_equal(may(first, RIGHT_EDIT), ANSWER_YES);
}

static void who_orders_shows_his_pass_phrase_and_has_the_right(void **state)
{
	uint8_t mori[SECRET_BYTES];

	(void)state;
	person("mori", "viewer,ot_author,approver,it_operator,auditor,log_administrator,backup_operator,supervisor");
	assert_int_equal(login("mori", PHRASE, mori), ANSWER_YES);
	ask(mori, MANAGE_ADD, ADD_KATO, PHRASE);
	assert_int_equal(n_questions, 0);
	assert_int_equal(said.status, ANSWER_INVALID);
	assert_null(json_object_get(said.json, "done"));
	assert_int_equal(last.code, ACCOUNT_FORBIDDEN);
	mori[0] ^= 1;
	ask(mori, MANAGE_ADD, ADD_KATO, PHRASE);
	assert_int_equal(said.status, ANSWER_NO);
	/* Five wrong passphrases lock, as at a login; then the right one does not help either. */
	for (int i = 0; i < 5; i++) {
		ask(sato, MANAGE_ADD, ADD_KATO, "no idea what it may be");
		hash_all();
		done(ANSWER_INVALID);
		assert_true(why(M_MANAGE_REFUSED));
	}
	ask(sato, MANAGE_ADD, ADD_KATO, PHRASE);
	assert_int_equal(n_questions, 0);
	done(ANSWER_INVALID);
	assert_null(book_account(&desk.book, "kato"));
	later(15 * 60);
	assert_int_equal(login("sato", PHRASE, sato), ANSWER_YES);
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
}

static void an_order_outlives_nobody(void **state)
{
	(void)state;
	/* The account is disabled between the check of the manager's passphrase and the hash of the
	 * new one. */
	ask(sato, MANAGE_ADD, ADD_KATO, PHRASE);
	hash_one();
	assert_false(said.came);
	assert_int_equal(n_questions, 1);
	{
		struct msg_user m = { .order = USER_DISABLE, .by = "tanaka", .text = "{\"name\":\"sato\"}" };

		desk_user(&desk, 9, &m, now);
		forget();
	}
	hash_all();
	assert_int_equal(said.status, ANSWER_NO);
	assert_null(json_object_get(said.json, "done"));
	assert_null(book_account(&desk.book, "kato"));
	for (size_t i = 0; i < DESK_JOBS; i++)
		assert_false(desk.jobs[i].used);
}

static void nobody_manages_himself(void **state)
{
	(void)state;
	for (unsigned o = MANAGE_CHANGE; o < MANAGE_ORDERS; o++) {
		order(sato, (enum manage_order)o,
		      about("sato", "," WHO ",\"roles\":\"viewer,account_manager\",\"key\":\"k\",\"label\":\"k\""),
		      ANSWER_NO);
		assert_true(why(M_MANAGE_OWN));
		assert_int_equal(last.code, ACCOUNT_ORDER_REFUSED);
	}
	assert_int_equal(may(sato, RIGHT_ACCOUNTS), ANSWER_YES);
}

static void another_manager_is_only_shut_out_and_the_role_is_roots(void **state)
{
	uint8_t mori[SECRET_BYTES];

	(void)state;
	person("mori", "account_manager");
	assert_int_equal(login("mori", PHRASE, mori), ANSWER_YES);
	for (unsigned o = MANAGE_CHANGE; o < MANAGE_ORDERS; o++) {
		if (o == MANAGE_DISABLE || o == MANAGE_END_SESSIONS)
			continue;
		order(sato, (enum manage_order)o, about("mori", "," WHO ",\"roles\":\"viewer\""), ANSWER_NO);
		assert_true(why(M_MANAGE_MANAGER));
	}
	order(sato, MANAGE_END_SESSIONS, about("mori", ""), ANSWER_YES);
	assert_int_equal(may(mori, RIGHT_COUNT), ANSWER_NO);
	order(sato, MANAGE_DISABLE, about("mori", ""), ANSWER_YES);
	assert_true(book_account(&desk.book, "mori")->disabled);
	/* One manager always remains: an order can only come from a manager, and never concerns the
	 * manager who gives it. */
	order(sato, MANAGE_ENABLE, about("mori", ""), ANSWER_NO);
	order(sato, MANAGE_ADD, "{\"name\":\"kato\"," WHO ",\"roles\":\"viewer,account_manager\"}", ANSWER_NO);
	assert_true(why(M_MANAGE_MANAGER_ROLE));
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
	order(sato, MANAGE_CHANGE, about("kato", "," WHO ",\"roles\":\"account_manager\""), ANSWER_NO);
	assert_true(why(M_MANAGE_MANAGER_ROLE));
}

static void two_managers_at_once_leave_one(void **state)
{
	uint8_t mori[SECRET_BYTES];
	char json[600];

	(void)state;
	person("mori", "account_manager");
	assert_int_equal(login("mori", PHRASE, mori), ANSWER_YES);
	snprintf(json, sizeof(json), "%s", about("sato", ""));
	ask(mori, MANAGE_DISABLE, json, PHRASE);
	ask(sato, MANAGE_DISABLE, about("mori", ""), PHRASE);
	hash_one();
	assert_true(done(ANSWER_YES));
	forget();
	hash_one();
	assert_int_equal(said.status, ANSWER_NO);
	assert_int_equal(book_account(&desk.book, "sato")->disabled + book_account(&desk.book, "mori")->disabled, 1);
}

static void whoever_applies_lets_nobody_in_who_does(void **state)
{
	(void)state;
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
	root(USER_CHANGE, "{\"name\":\"sato\",\"roles\":\"account_manager,approver\"}");
	order(sato, MANAGE_ADD, "{\"name\":\"ito\"," WHO ",\"roles\":\"viewer,it_operator\"}", ANSWER_NO);
	assert_true(why(M_MANAGE_SEPARATE));
	for (unsigned o = MANAGE_PASSPHRASE; o <= MANAGE_RECOVERY; o++) {
		order(sato, (enum manage_order)o, about("kato", ""), ANSWER_NO);
		assert_true(why(M_MANAGE_SEPARATE));
	}
	order(sato, MANAGE_CHANGE, about("kato", "," WHO ",\"roles\":\"ot_author,it_operator\""), ANSWER_NO);
	assert_true(why(M_MANAGE_SEPARATE));
	/* The manager may give roles that cannot apply a policy, and may shut accounts out, but not
	 * let them in again. */
	order(sato, MANAGE_CHANGE, about("kato", ",\"full_name\":\"K\",\"reason\":\"r\",\"roles\":\"ot_author\""),
	      ANSWER_YES);
	order(sato, MANAGE_CHANGE, about("kato", ",\"full_name\":\"K\",\"reason\":\"\u3000\",\"roles\":\"viewer\""),
	      ANSWER_INVALID);
	order(sato, MANAGE_DISABLE, about("kato", ""), ANSWER_YES);
	order(sato, MANAGE_ENABLE, about("kato", ""), ANSWER_NO);
	order(sato, MANAGE_REMOVE, about("kato", ""), ANSWER_YES);
	order(sato, MANAGE_ADD, "{\"name\":\"ito\"," WHO ",\"roles\":\"viewer,auditor\"}", ANSWER_YES);
}

static void nobody_undoes_what_another_has_done(void **state)
{
	char old[600];

	(void)state;
	order(sato, MANAGE_ADD, ADD_KATO, ANSWER_YES);
	snprintf(old, sizeof(old), "%s", about("kato", "," WHO ",\"roles\":\"viewer\""));
	order(sato, MANAGE_CHANGE, about("kato", "," WHO ",\"roles\":\"auditor\""), ANSWER_YES);
	order(sato, MANAGE_CHANGE, old, ANSWER_NO);
	assert_true(why(M_MANAGE_CHANGED));
	order(sato, MANAGE_CHANGE, "{\"name\":\"kato\"," WHO ",\"roles\":\"viewer\"}", ANSWER_NO);
	assert_int_equal(book_account(&desk.book, "kato")->duties, UINT32_C(1) << DUTY_AUDITOR);
	/* A login does not count as a change. */
	snprintf(old, sizeof(old), "%s", about("kato", "," WHO ",\"roles\":\"viewer\""));
	book_account(&desk.book, "kato")->used = now.wall_s;
	order(sato, MANAGE_CHANGE, old, ANSWER_YES);
	/* The account is removed and made anew: an order about the old one is refused. */
	snprintf(old, sizeof(old), "%s", about("kato", ""));
	root(USER_DISABLE, "{\"name\":\"kato\"}");
	root(USER_REMOVE, "{\"name\":\"kato\"}");
	later(5);
	person("kato", "viewer");
	order(sato, MANAGE_DISABLE, old, ANSWER_NO);
	assert_true(why(M_MANAGE_CHANGED));
}

static void a_narrowing_ends_sessions_and_the_rest_is_as_roots(void **state)
{
	uint8_t kato[SECRET_BYTES];

	(void)state;
	person("kato", "ot_author,viewer");
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	order(sato, MANAGE_CHANGE, about("kato", "," WHO ",\"roles\":\"ot_author,viewer,auditor\""), ANSWER_YES);
	assert_int_equal(may(kato, RIGHT_REVIEW), ANSWER_YES);
	order(sato, MANAGE_CHANGE, about("kato", "," WHO ",\"roles\":\"viewer,auditor\""), ANSWER_YES);
	assert_int_equal(may(kato, RIGHT_COUNT), ANSWER_NO);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	order(sato, MANAGE_TOTP, about("kato", ""), ANSWER_YES);
	assert_non_null(json_object_get(said.json, "totp"));
	assert_int_equal(may(kato, RIGHT_COUNT), ANSWER_NO);
	order(sato, MANAGE_RECOVERY, about("kato", ""), ANSWER_YES);
	order(sato, MANAGE_TOTP_REMOVE, about("kato", ""), ANSWER_NO);
	order(sato, MANAGE_KEY_REMOVE, about("kato", ",\"key\":\"blue\""), ANSWER_NO);
	order(sato, MANAGE_CERTIFICATE_REMOVE, about("kato", ",\"label\":\"blue\""), ANSWER_NO);
	order(sato, MANAGE_END_SESSIONS, about("kato", ""), ANSWER_NO);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	order(sato, MANAGE_REMOVE, about("kato", ""), ANSWER_NO);
	assert_true(why(M_MANAGE_DISABLE_FIRST));
	order(sato, MANAGE_DISABLE, about("kato", ""), ANSWER_YES);
	assert_string_equal(book_account(&desk.book, "kato")->disabled_by, "sato (web)");
	assert_int_equal(may(kato, RIGHT_COUNT), ANSWER_NO);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_NO);
	order(sato, MANAGE_ENABLE, about("kato", ""), ANSWER_YES);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	order(sato, MANAGE_DISABLE, about("kato", ""), ANSWER_YES);
	order(sato, MANAGE_REMOVE, about("kato", ""), ANSWER_YES);
	assert_int_equal(last.code, ACCOUNT_REMOVED);
	assert_null(book_account(&desk.book, "kato"));
}

static size_t locks_shown(void)
{
	root(USER_SHOW, "{\"name\":\"kato\"}");
	return json_array_size(json_object_get(said.json, "locks"));
}

static void lock_kato(void)
{
	uint8_t kato[SECRET_BYTES];

	for (int i = 0; i < 5; i++)
		assert_int_equal(login("kato", OTHER, kato), ANSWER_NO);
	assert_int_equal(last.code, ACCOUNT_LOCKED);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_NO);
	assert_int_equal(locks_shown(), 1);
}

static void a_lock_is_shown_and_lifted(void **state)
{
	static const enum user_order orders[] = { USER_PASSWORD, USER_TOTP, USER_RECOVERY };
	uint8_t kato[SECRET_BYTES];
	const json_t *lock;
	char until[40];

	(void)state;
	person("kato", "viewer");
	order(sato, MANAGE_UNLOCK, about("kato", ",\"reason\":\"r\""), ANSWER_NO);
	assert_true(why(M_USER_NOT_LOCKED));
	lock_kato();
	lock = json_array_get(json_object_get(said.json, "locks"), 0);
	assert_string_equal(json_string_value(json_object_get(lock, "from")), "192.0.2.10");
	snprintf(until, sizeof(until), "%s", json_string_value(json_object_get(lock, "until")));
	root(USER_LIST, "{}");
	lock = json_array_get(json_object_get(json_array_get(json_object_get(said.json, "accounts"), 1), "locks"), 0);
	assert_string_equal(json_string_value(json_object_get(lock, "until")), until);
	/* A word is needed, and nobody lifts his own. */
	order(sato, MANAGE_UNLOCK, about("kato", ",\"reason\":\" \""), ANSWER_INVALID);
	order(sato, MANAGE_UNLOCK, about("sato", ",\"reason\":\"r\""), ANSWER_NO);
	assert_int_equal(locks_shown(), 1);
	order(sato, MANAGE_UNLOCK, about("kato", ",\"reason\":\"his own\""), ANSWER_YES);
	assert_int_equal(last.code, ACCOUNT_UNLOCKED);
	assert_string_equal(last.text[EVENT_AFTER], "his own");
	assert_string_equal(last.text[EVENT_BY], "sato");
	assert_int_equal(locks_shown(), 0);
	assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	/* Root's orders that give new secrets lift it too. */
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		lock_kato();
		root(orders[i], "{\"name\":\"kato\",\"passphrase\":\"" PHRASE "\"}");
		assert_int_equal(last.code, ACCOUNT_UNLOCKED);
		assert_int_equal(locks_shown(), 0);
		assert_int_equal(login("kato", PHRASE, kato), ANSWER_YES);
	}
}

static void nonsense_and_a_full_register_are_answered(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "null", "\"x\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (unsigned o = 0; o < MANAGE_ORDERS; o++)
			order(sato, (enum manage_order)o, texts[i], ANSWER_INVALID);
	for (unsigned o = MANAGE_CHANGE; o < MANAGE_ORDERS; o++)
		order(sato, (enum manage_order)o, "{}", ANSWER_NO);
	order(sato, MANAGE_ADD, "{\"name\":\"kato\"," WHO ",\"roles\":\"viewer,nobody\"}", ANSWER_INVALID);
	order(sato, MANAGE_ADD, "{\"name\":\"kato\",\"full_name\":\"\",\"reason\":\"r\",\"roles\":\"viewer\"}",
	      ANSWER_INVALID);
	order(sato, MANAGE_ADD, "{\"name\":\"Kato\"," WHO ",\"roles\":\"viewer\"}", ANSWER_INVALID);
	order(sato, MANAGE_ADD, "{\"name\":\"sato\"," WHO ",\"roles\":\"viewer\"}", ANSWER_NO);
	/* A passphrase for another account is never taken from the order. */
	order(sato, MANAGE_ADD, "{\"name\":\"kato\"," WHO ",\"roles\":\"viewer\",\"passphrase\":\"" PHRASE "\"}",
	      ANSWER_YES);
	assert_string_not_equal(text("passphrase"), "");
	assert_string_not_equal(text("passphrase"), PHRASE);
	while (desk.book.n_accounts < ACCOUNTS_MOST) {
		struct account *a = book_add(&desk.book);

		*a = *book_account(&desk.book, "kato");
		snprintf(a->name, sizeof(a->name), "n%u", (unsigned)desk.book.n_accounts);
	}
	order(sato, MANAGE_ADD, "{\"name\":\"ito\"," WHO ",\"roles\":\"viewer\"}", ANSWER_NO);
	assert_true(why(M_USER_FULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_handed_out_opens_nothing_but_the_choice_of_another, anew),
		cmocka_unit_test_setup(an_order_with_a_leaked_phrase_is_not_done, anew),
		cmocka_unit_test_setup(an_order_that_cannot_be_hashed_leaves_nothing, anew),
		cmocka_unit_test_setup(who_orders_shows_his_pass_phrase_and_has_the_right, anew),
		cmocka_unit_test_setup(an_order_outlives_nobody, anew),
		cmocka_unit_test_setup(nobody_manages_himself, anew),
		cmocka_unit_test_setup(another_manager_is_only_shut_out_and_the_role_is_roots, anew),
		cmocka_unit_test_setup(two_managers_at_once_leave_one, anew),
		cmocka_unit_test_setup(whoever_applies_lets_nobody_in_who_does, anew),
		cmocka_unit_test_setup(nobody_undoes_what_another_has_done, anew),
		cmocka_unit_test_setup(a_narrowing_ends_sessions_and_the_rest_is_as_roots, anew),
		cmocka_unit_test_setup(a_lock_is_shown_and_lifted, anew),
		cmocka_unit_test_setup(nonsense_and_a_full_register_are_answered, anew),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
