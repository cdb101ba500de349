/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All decisions of the role accounts, with real hashes and a real folder: who is let in; that a
 * stranger cannot lock anybody out, and parallel guesses count; what a session may do, from where
 * and for how long; replays; root's orders; and what remains when the disk fails.
 * LINK: appliance/accounts/desk.c appliance/accounts/desk_door.c appliance/accounts/desk_user.c
 * LINK: appliance/accounts/desk_enrol.c appliance/accounts/book.c
 * LINK: appliance/accounts/book_file.c appliance/base/columns.c
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c
 * LINK: appliance/accounts/challenges.c appliance/accounts/lockout.c appliance/accounts/sessions.c
 * LINK: appliance/accounts/desk_manage.c appliance/accounts/desk_passphrase.c
 * LINK: appliance/accounts/desk_leaked.c appliance/accounts/leaked.c
 * LINK: appliance/wire/orders.c appliance/wire/leaked.c
 * LINK: appliance/accounts/desk_restore.c
 * LINK: appliance/accounts/desk_key.c
 * LINK: appliance/accounts/totp.c appliance/wire/duty.c
 * LINK: appliance/wire/event.c
 * LINK: appliance/base/utf8.c appliance/base/json.c appliance/base/sha256.c
 * LINK: appliance/base/atomic_file.c appliance/base/err.c appliance/base/addr.c
 * LINK: appliance/base/memfd.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/clock.c appliance/base/bytes.c appliance/wire/protocols.c
 * LINK: appliance/base/logins.c
 * LINK: appliance/accounts/qr.c
 * LIBS: libqrencode libcrypt liboath jansson nettle
 */
#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_door.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_key.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_restore.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/leaked.h"
#include "appliance/accounts/lockout.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/wire/duty.h"

#define S UINT64_C(1000000000)
#define PHRASE "three herons argue quietly"
#define HERE "192.0.2.10"
#define THERE "192.0.2.66"

static char folder[] = "/tmp/sekisho-desk-XXXXXX";
static int dirfd_;
static struct desk desk;
static struct moment now = { .ns = 5000 * S, .wall_s = 1750000000 };

/* Answers and events since they were last taken away, and the hashes that are asked for. */
static struct {
	uint32_t id;
	enum answer_status status;
	json_t *json;
} answers[64];
static struct hash_question questions[64];
static struct event events[64];
static size_t n_answers, n_questions, n_events;

static void take_answer(void *ctx, uint32_t id, enum answer_status status, json_t *j)
{
	(void)ctx;
	answers[n_answers].id = id;
	answers[n_answers].status = status;
	answers[n_answers++].json = j;
}

static bool hasher_full;

static bool take_hash(void *ctx, const struct hash_question *q)
{
	(void)ctx;
	if (!hasher_full)
		questions[n_questions++] = *q;
	return !hasher_full;
}

static struct webauthn_question proofs[8];
static size_t n_proofs;

static bool take_proof(void *ctx, const struct webauthn_question *q)
{
	(void)ctx;
	proofs[n_proofs++] = *q;
	return true;
}

static void take_event(void *ctx, const struct event *e)
{
	(void)ctx;
	events[n_events++ % 64] = *e;
}

static const struct desk_out out = {
	.answer = take_answer, .hash = take_hash, .prove = take_proof, .event = take_event
};

static void forget(void)
{
	for (size_t i = 0; i < n_answers; i++)
		json_decref(answers[i].json);
	n_answers = n_events = 0;
}

/* The hasher answers all its questions. */
static void hash_all(void)
{
	for (size_t i = 0; i < n_questions; i++) {
		struct hash_answer a = { .id = questions[i].id };

		a.ok = passphrase_hash(questions[i].phrase, questions[i].setting, a.hash);
		desk_hashed(&desk, &a, now);
	}
	n_questions = 0;
}

static bool recorded(enum account_event what)
{
	for (size_t i = 0; i < n_events; i++)
		if (events[i].code == what)
			return true;
	return false;
}

static void start(void)
{
	struct err e = { 0 };

	forget();
	n_questions = 0;
	assert_int_equal(desk_open(&desk, dirfd_, &out, now, &e), 0);
}

static json_t *order(enum user_order what, const char *json, enum answer_status status)
{
	struct msg_user m = { .order = (uint8_t)what, .by = "tanaka", .text = json };

	forget();
	desk_user(&desk, 9, &m, now);
	hash_all();
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].id, 9);
	if (answers[0].status != status)
		fail_msg("order %d: %s", (int)what, json_dumps(answers[0].json, 0));
	return answers[0].json;
}

static struct msg_login login_of(const char *name, const char *phrase, const char *code, const char *from)
{
	struct msg_login m = { .kind = PROOF_CODE, .proof = code };
	struct addr a;

	assert_true(addr_parse(from, &a));
	m.family = a.family;
	memcpy(m.from, a.b, 16);
	memcpy(m.name, name, strnlen(name, LOGIN_NAME));
	memcpy(m.phrase, phrase, strnlen(phrase, LOGIN_PHRASE));
	return m;
}

/* `secret`: the secret of the session, if the login succeeds. */
static enum answer_status login(const char *name, const char *phrase, const char *code, const char *from,
				uint8_t secret[SECRET_BYTES])
{
	struct msg_login m = login_of(name, phrase, code, from);

	forget();
	desk_login(&desk, 1, &m, now);
	hash_all();
	assert_int_equal(n_answers, 1);
	if (answers[0].status == ANSWER_YES)
		assert_true(
			hex_read(json_string_value(json_object_get(answers[0].json, "session")), secret, SECRET_BYTES));
	return answers[0].status;
}

static const char *code_now(const char *name)
{
	static char code[TOTP_DIGITS + 1];

	assert_true(totp_code(book_account(&desk.book, name)->totp, now.wall_s / TOTP_STEP_S, code));
	return code;
}

static enum answer_status judge(unsigned what, const uint8_t secret[SECRET_BYTES], unsigned right, const char *from)
{
	struct msg_judge m = { .what = (uint8_t)what, .right = (uint8_t)right };
	struct addr a;

	assert_true(addr_parse(from, &a));
	m.family = a.family;
	memcpy(m.from, a.b, 16);
	memcpy(m.secret, secret, SECRET_BYTES);
	forget();
	desk_judge(&desk, 2, &m, now);
	assert_int_equal(n_answers, 1);
	return answers[0].status;
}

static enum answer_status logout(const uint8_t secret[SECRET_BYTES])
{
	struct msg_logout m = { .family = 4, .from = { 192, 0, 2, 10 } };

	memcpy(m.secret, secret, SECRET_BYTES);
	forget();
	desk_logout(&desk, 3, &m, now);
	return answers[0].status;
}

static void later(uint64_t seconds)
{
	now.ns += seconds * S;
	now.wall_s += seconds;
}

#define SUZUKI                                                                                                         \
	"{\"name\":\"suzuki\",\"full_name\":\"鈴木 花子\",\"reason\":\"policies of berth "                         \
	"2\",\"roles\":\"ot_author\",\"passphrase\":\"" PHRASE "\"}"

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
	unlinkat(dirfd_, "accounts.damaged", 0);
	unlinkat(dirfd_, "leaked", 0);
	unlinkat(dirfd_, "leaked.damaged", 0);
	close(dirfd_);
	return rmdir(folder);
}

static int anew(void **state)
{
	(void)state;
	unlinkat(dirfd_, "accounts", 0);
	unlinkat(dirfd_, "leaked", 0);
	unlinkat(dirfd_, "leaked.damaged", 0);
	leaked_close(&desk.leaked);
	later(1000000);
	start();
	order(USER_ADD, SUZUKI, ANSWER_YES);
	later(60);
	return 0;
}

static void the_right_three_let_in_and_nothing_less(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char code[TOTP_DIGITS + 1];

	(void)state;
	snprintf(code, sizeof(code), "%s", code_now("suzuki"));
	assert_int_equal(login("suzuki", "three herons argue loudly", code, HERE, secret), ANSWER_NO);
	assert_true(recorded(ACCOUNT_REFUSED));
	assert_int_equal(login("suzuki", PHRASE, "", HERE, secret), ANSWER_NO);
	assert_int_equal(login("suzuki", "", code, HERE, secret), ANSWER_NO);
	assert_int_equal(login("Suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	assert_int_equal(login("", PHRASE, code, HERE, secret), ANSWER_NO);
	/* The record contains neither the typed name nor anything else that was typed. */
	assert_string_equal(events[0].text[EVENT_OBJECT], "");
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_YES);
	assert_true(recorded(ACCOUNT_LOGGED_IN));
	assert_string_equal(events[0].text[EVENT_OBJECT], "suzuki");
	/* The code was used: somebody who has seen it cannot use it, also after a restart of the
	 * role. */
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	start();
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
}

/* A code was used while the clock was years ahead: later codes are refused until there is a new
 * TOTP secret. */
static void a_new_secret_begins_anew(void **state)
{
	uint8_t secret[SECRET_BYTES];

	(void)state;
	now.wall_s += 10ull * 366 * 86400;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	now.wall_s -= 10ull * 366 * 86400;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	order(USER_TOTP, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
}

/* A login with the code that suzuki's authenticator shows if its clock differs by this many
 * seconds. */
static enum answer_status login_from(int64_t away, const char *phrase)
{
	uint8_t secret[SECRET_BYTES];
	char code[TOTP_DIGITS + 1];

	assert_true(totp_code(book_account(&desk.book, "suzuki")->totp,
			      (uint64_t)((int64_t)now.wall_s + away) / TOTP_STEP_S, code));
	return login("suzuki", phrase, code, HERE, secret);
}

static bool told_time(void)
{
	return json_is_true(json_object_get(answers[0].json, "another_time"));
}

/* If the clocks differ, nobody gets in. A person with the right passphrase is told the reason,
 * nobody else is. */
static void a_code_of_another_time_is_told_from_a_wrong_one(void **state)
{
	static const struct {
		int64_t away;
		const char *after;
	} far[] = { { -600, "-600 s" }, { -60, "-60 s" }, { 90, "+90 s" }, { 600, "+600 s" } };
	const struct addr here = { .family = 4, .b = { 192, 0, 2, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		assert_int_equal(login_from(far[i].away, PHRASE), ANSWER_NO);
		assert_true(told_time() && recorded(ACCOUNT_ANOTHER_TIME) && !recorded(ACCOUNT_REFUSED));
		assert_string_equal(events[0].text[EVENT_OBJECT], "suzuki");
		assert_string_equal(events[0].text[EVENT_AFTER], far[i].after);
		lockout_forget(&desk.lockout, "suzuki", &here);
	}
	assert_int_equal(login_from(-630, PHRASE), ANSWER_NO);
	assert_true(!told_time() && recorded(ACCOUNT_REFUSED));
	assert_int_equal(login_from(630, PHRASE), ANSWER_NO);
	assert_false(told_time());
	assert_int_equal(login_from(-90, "three herons argue loudly"), ANSWER_NO);
	assert_true(!told_time() && !recorded(ACCOUNT_ANOTHER_TIME) && recorded(ACCOUNT_REFUSED));
	/* The code of another time counts like any other failure: this is the fourth, and the next
	 * one locks. */
	assert_int_equal(login_from(-120, PHRASE), ANSWER_NO);
	assert_true(told_time() && !recorded(ACCOUNT_LOCKED));
	assert_int_equal(login_from(-150, PHRASE), ANSWER_NO);
	assert_true(told_time() && recorded(ACCOUNT_LOCKED));
	/* While the name is locked the answer says nothing, whether the code is right or not. */
	assert_int_equal(login_from(-180, PHRASE), ANSWER_NO);
	assert_false(told_time());
	assert_int_equal(login_from(0, PHRASE), ANSWER_NO);
}

/* The answer does not help to find out for which code to wait. */
static void a_code_that_was_told_lets_in_no_more(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char code[TOTP_DIGITS + 1];

	(void)state;
	assert_true(totp_code(book_account(&desk.book, "suzuki")->totp, now.wall_s / TOTP_STEP_S + 5, code));
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	assert_true(told_time());
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	assert_false(told_time());
	later(5ull * TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	/* A code that was used for a login is not reported as a code of another time later. */
	snprintf(code, sizeof(code), "%s", code_now("suzuki"));
	later(90);
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	assert_false(told_time());
}

static enum answer_status login_unhashed(void)
{
	struct msg_login m = login_of("suzuki", PHRASE, code_now("suzuki"), HERE);
	struct hash_answer a = { 0 };

	forget();
	desk_login(&desk, 1, &m, now);
	assert_int_equal(n_questions, 1);
	a.id = questions[0].id;
	n_questions = 0;
	desk_hashed(&desk, &a, now);
	return answers[0].status;
}

static void what_could_not_be_hashed_was_not_wrong(void **state)
{
	uint8_t secret[SECRET_BYTES];

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_int_equal(login_unhashed(), ANSWER_CANNOT);
	assert_int_equal(n_events, 0);
	hasher_full = true;
	for (int i = 0; i < 7; i++)
		assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_CANNOT);
	hasher_full = false;
	for (int i = 0; i < 4; i++)
		assert_int_equal(login("suzuki", "no idea what it may be", "000000", HERE, secret), ANSWER_NO);
	assert_int_equal(login_unhashed(), ANSWER_CANNOT);
	/* Four failures, and the next one is the fifth. */
	assert_int_equal(login("suzuki", "no idea what it may be", "000000", HERE, secret), ANSWER_NO);
	assert_true(recorded(ACCOUNT_LOCKED));
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	/* A failure that is taken back after the lock has ended does not bring the lock back. */
	later(16 * 60);
	assert_int_equal(login_unhashed(), ANSWER_CANNOT);
	assert_int_equal(login("suzuki", "no idea what it may be", "000000", HERE, secret), ANSWER_NO);
	assert_false(recorded(ACCOUNT_LOCKED));
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
}

static void a_stranger_keeps_nobody_out(void **state)
{
	uint8_t secret[SECRET_BYTES];

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(login("suzuki", "no idea what it may be", "000000", THERE, secret), ANSWER_NO);
	assert_true(recorded(ACCOUNT_LOCKED));
	/* From this address even the right passphrase and code are refused, without hashing. */
	forget();
	{
		struct msg_login m = login_of("suzuki", PHRASE, code_now("suzuki"), THERE);

		desk_login(&desk, 1, &m, now);
	}
	assert_int_equal(n_questions, 0);
	assert_int_equal(answers[0].status, ANSWER_NO);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	later(15 * 60);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), THERE, secret), ANSWER_YES);
}

/* More parallel logins than failures are allowed: none beyond the fifth is hashed. */
static void guesses_in_parallel_count(void **state)
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 8; i++) {
			struct msg_login m = login_of("suzuki", "no idea what it may be", "000000", THERE);

			desk_login(&desk, (uint32_t)i, &m, now);
		}
		assert_in_range(n_questions, 0, DESK_FROM_ONE);
		if (round == 3)
			assert_int_equal(n_questions, 0);
		hash_all();
		forget();
	}
	assert_int_equal(lockout_count(&desk.lockout, now.ns), 1);
}

static void root_finds_room_whatever_strangers_do(void **state)
{
	char from[24];
	struct msg_user m = { .order = USER_PASSWORD, .by = "tanaka", .text = "{\"name\":\"suzuki\"}" };

	(void)state;
	forget();
	for (int i = 0; i < 30; i++) {
		struct msg_login l;

		snprintf(from, sizeof(from), "192.0.2.%d", 100 + i);
		l = login_of("suzuki", "no idea what it may be", "000000", from);
		desk_login(&desk, (uint32_t)i, &l, now);
	}
	assert_int_equal(n_questions, DESK_LOGINS);
	assert_int_equal(answers[0].status, ANSWER_CANNOT);
	forget();
	desk_user(&desk, 50, &m, now);
	assert_int_equal(n_questions, DESK_LOGINS + 1);
	hash_all();
	assert_int_equal(answers[n_answers - 1].id, 50);
	assert_int_equal(answers[n_answers - 1].status, ANSWER_YES);
}

static void a_session_is_judged_at_each_request(void **state)
{
	uint8_t secret[SECRET_BYTES], wrong[SECRET_BYTES];

	(void)state;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	for (unsigned r = 0; r < RIGHT_COUNT; r++)
		assert_int_equal(judge(CREDENTIAL_SESSION, secret, r, HERE),
				 duty_may(UINT32_C(1) << DUTY_AUTHOR, (enum right)r) ? ANSWER_YES : ANSWER_INVALID);
	assert_true(recorded(ACCOUNT_FORBIDDEN));
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_COUNT, HERE), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	memcpy(wrong, secret, sizeof(wrong));
	wrong[0] ^= 0x80;
	assert_int_equal(judge(CREDENTIAL_SESSION, wrong, RIGHT_READ_STATE, HERE), ANSWER_NO);
	/* A role that is added counts at the next request. A role that is taken away ends the open
	 * sessions. */
	order(USER_CHANGE, "{\"name\":\"suzuki\",\"roles\":\"ot_author,backup_operator\"}", ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_BACKUP, HERE), ANSWER_YES);
	order(USER_CHANGE, "{\"name\":\"suzuki\",\"roles\":\"backup_operator\"}", ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_BACKUP, HERE), ANSWER_NO);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_EDIT, HERE), ANSWER_INVALID);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_BACKUP, HERE), ANSWER_YES);
	later(14 * 60 + 59);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_YES);
	later(15 * 60);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
}

static void a_stolen_one_is_worth_nothing_elsewhere_and_logout_is_for_good(void **state)
{
	uint8_t secret[SECRET_BYTES], second[SECRET_BYTES];

	(void)state;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, second), ANSWER_YES);
	assert_memory_not_equal(secret, second, SECRET_BYTES);
	assert_int_equal(logout(secret), ANSWER_YES);
	assert_true(recorded(ACCOUNT_LOGGED_OUT));
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	assert_int_equal(logout(secret), ANSWER_NO);
	assert_int_equal(judge(CREDENTIAL_SESSION, second, RIGHT_READ_STATE, HERE), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_SESSION, second, RIGHT_READ_STATE, THERE), ANSWER_NO);
	assert_true(recorded(ACCOUNT_ELSEWHERE));
	assert_int_equal(judge(CREDENTIAL_SESSION, second, RIGHT_READ_STATE, HERE), ANSWER_NO);
	/* A restart of the role ends all sessions. */
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	start();
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
}

static void disabling_and_a_new_phrase_end_sessions(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char made[64];
	struct msg_login m;

	(void)state;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	order(USER_REMOVE, "{\"name\":\"suzuki\"}", ANSWER_NO);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_YES);
	order(USER_DISABLE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_string_equal(events[0].text[EVENT_BY], "tanaka");
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	start();
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	order(USER_ENABLE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	snprintf(made, sizeof(made), "%s",
		 json_string_value(
			 json_object_get(order(USER_PASSWORD, "{\"name\":\"suzuki\"}", ANSWER_YES), "passphrase")));
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	later(TOTP_STEP_S);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	assert_int_equal(login("suzuki", made, code_now("suzuki"), HERE, secret), ANSWER_YES);
	/* The passphrase is changed while a login with the old one is being hashed: this login is
	 * refused. */
	later(TOTP_STEP_S);
	m = login_of("suzuki", made, code_now("suzuki"), HERE);
	forget();
	desk_login(&desk, 77, &m, now);
	snprintf(book_account(&desk.book, "suzuki")->hash, PASSPHRASE_HASH, "%s", desk.stranger);
	hash_all();
	assert_int_equal(answers[0].status, ANSWER_NO);
	order(USER_DISABLE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	order(USER_REMOVE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_null(book_account(&desk.book, "suzuki"));
}

static void paper_codes_let_in_once_and_new_ones_void_them(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char code[RECOVERY_TEXT], next[RECOVERY_TEXT];
	json_t *list;

	(void)state;
	list = json_object_get(order(USER_RECOVERY, "{\"name\":\"suzuki\"}", ANSWER_YES), "recovery");
	assert_int_equal(json_array_size(list), RECOVERY_CODES);
	snprintf(code, sizeof(code), "%s", json_string_value(json_array_get(list, 3)));
	snprintf(next, sizeof(next), "%s", json_string_value(json_array_get(list, 4)));
	/* A wrong passphrase does not use up a recovery code. */
	assert_int_equal(login("suzuki", "no idea what it may be", code, HERE, secret), ANSWER_NO);
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_YES);
	assert_true(recorded(ACCOUNT_RECOVERED));
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	start();
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	order(USER_RECOVERY, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_int_equal(login("suzuki", PHRASE, next, HERE, secret), ANSWER_NO);
}

static void the_first_account_and_the_rules_of_adding(void **state)
{
	const json_t *first;

	(void)state;
	order(USER_FIRST, "{}", ANSWER_NO);
	order(USER_ADD, SUZUKI, ANSWER_NO);
	order(USER_ADD, "{\"name\":\"Sato\",\"full_name\":\"s\",\"reason\":\"r\",\"roles\":\"viewer\"}",
	      ANSWER_INVALID);
	order(USER_ADD, "{\"name\":\"sato\",\"full_name\":\"s\",\"reason\":\"\",\"roles\":\"viewer\"}", ANSWER_INVALID);
	order(USER_ADD, "{\"name\":\"sato\",\"full_name\":\"s\",\"reason\":\"r\",\"roles\":\"root\"}", ANSWER_INVALID);
	order(USER_ADD, "{\"name\":\"sato\",\"full_name\":\"s\",\"reason\":\"r\",\"roles\":\"\"}", ANSWER_INVALID);
	order(USER_ADD, "{\"name\":\"sato\",\"full_name\":\"s\\u001b[2J\",\"reason\":\"r\",\"roles\":\"viewer\"}",
	      ANSWER_INVALID);
	order(USER_ADD,
	      "{\"name\":\"sato\",\"full_name\":\"s\",\"reason\":\"r\",\"roles\":\"viewer\",\"passphrase\":\"short\"}",
	      ANSWER_INVALID);
	order(USER_ADD, "[]", ANSWER_INVALID);
	order(USER_ADD, "{", ANSWER_INVALID);
	order(USER_SHOW, "{\"name\":\"nobody\"}", ANSWER_NO);
	assert_int_equal(desk.book.n_accounts, 1);
	assert_int_equal(json_array_size(json_object_get(order(USER_ROLES, "{}", ANSWER_YES), "roles")), DUTY_COUNT);
	/* Two persons are required until somebody has stated why one is enough; the statement is
	 * kept over a restart. */
	assert_true(json_is_true(
		json_object_get(json_object_get(order(USER_APPROVAL, "{}", ANSWER_YES), "approval"), "two_persons")));
	order(USER_APPROVAL_OFF, "{}", ANSWER_INVALID);
	order(USER_APPROVAL_OFF, "{\"reason\":\"a\\u001b\"}", ANSWER_INVALID);
	assert_false(desk.book.one_person.enough);
	order(USER_APPROVAL_OFF, "{\"reason\":\"one at a time\"}", ANSWER_YES);
	start();
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(order(USER_APPROVAL, "{}", ANSWER_YES), "approval"), "reason")),
			    "one at a time");
	assert_true(desk.book.one_person.enough);
	order(USER_APPROVAL_ON, "{}", ANSWER_YES);
	start();
	assert_false(desk.book.one_person.enough);
	unlinkat(dirfd_, "accounts", 0);
	start();
	first = order(USER_FIRST, "{}", ANSWER_YES);
	assert_string_equal(json_string_value(json_object_get(json_object_get(first, "account"), "name")), "admin");
	assert_int_equal(desk.book.accounts[0].duties, UINT32_C(1) << DUTY_ACCOUNTS);
	assert_int_equal(strlen(json_string_value(json_object_get(first, "passphrase"))), 29);
	order(USER_FIRST, "{}", ANSWER_NO);
}

static void tokens_are_scoped_and_end(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char id[TOKEN_ID + 1], text[64];
	const json_t *made;

	(void)state;
	order(USER_TOKEN_ADD, "{\"name\":\"robot\",\"roles\":\"it_operator\"}", ANSWER_INVALID);
	order(USER_TOKEN_ADD, "{\"name\":\"robot\",\"roles\":\"viewer\",\"days\":\"401\"}", ANSWER_INVALID);
	order(USER_TOKEN_ADD, "{\"name\":\"robot\",\"roles\":\"viewer\",\"days\":\"0\"}", ANSWER_INVALID);
	made = order(USER_TOKEN_ADD, "{\"name\":\"prometheus\",\"roles\":\"viewer\",\"days\":\"30\"}", ANSWER_YES);
	assert_true(hex_read(json_string_value(json_object_get(made, "secret")), secret, sizeof(secret)));
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(json_object_get(made, "token"), "id")));
	start();
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, HERE), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, THERE), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_EVENTS, HERE), ANSWER_INVALID);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	later(30 * 86400 - 1);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, HERE), ANSWER_YES);
	later(1);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, HERE), ANSWER_NO);
	snprintf(text, sizeof(text), "{\"name\":\"%s\"}", id);
	order(USER_TOKEN_REMOVE, text, ANSWER_YES);
	order(USER_TOKEN_REMOVE, text, ANSWER_NO);
}

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define KEY_ONE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_TWO "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static void certify(const char *name, const char *label, const char *digest, const char *key, uint64_t until,
		    enum answer_status status)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "{\"name\":\"%s\",\"label\":\"%s\",\"certificate\":\"%s\",\"public\":\"%s\",\"until\":\"%llu\"}", name,
		 label, digest, key, (unsigned long long)until);
	order(USER_CERTIFICATE_ADD, text, status);
}

static enum answer_status login_showing(const char *phrase, const char *shown, uint8_t secret[SECRET_BYTES])
{
	struct msg_login m = login_of("suzuki", phrase, "", HERE);

	m.kind = PROOF_CERTIFICATE;
	assert_true(hex_read(shown, m.shown, DIGEST_BYTES));
	forget();
	desk_login(&desk, 1, &m, now);
	hash_all();
	assert_int_equal(n_answers, 1);
	if (answers[0].status == ANSWER_YES)
		assert_true(
			hex_read(json_string_value(json_object_get(answers[0].json, "session")), secret, SECRET_BYTES));
	return answers[0].status;
}

static enum answer_status judge_showing(unsigned what, const uint8_t secret[SECRET_BYTES], const char *shown)
{
	struct msg_judge m = {
		.what = (uint8_t)what, .family = 4, .from = { 192, 0, 2, 10 }, .right = RIGHT_READ_STATE
	};

	memcpy(m.secret, secret, SECRET_BYTES);
	assert_true(hex_read(shown, m.shown, DIGEST_BYTES));
	forget();
	desk_judge(&desk, 2, &m, now);
	return answers[0].status;
}

static void a_certificate_lets_in_with_its_key_until_its_end(void **state)
{
	uint8_t secret[SECRET_BYTES], by_code[SECRET_BYTES];

	(void)state;
	order(USER_ADD, "{\"name\":\"mori\",\"full_name\":\"m\",\"reason\":\"r\",\"roles\":\"viewer\"}", ANSWER_YES);
	certify("suzuki", "card", ONE, KEY_ONE, now.wall_s, ANSWER_INVALID);
	certify("suzuki", "card", ZERO, KEY_ONE, now.wall_s + 100, ANSWER_INVALID);
	certify("suzuki", "", ONE, KEY_ONE, now.wall_s + 100, ANSWER_INVALID);
	assert_int_equal(login_showing(PHRASE, ZERO, secret), ANSWER_NO);
	certify("suzuki", "card", ONE, KEY_ONE, now.wall_s + 100, ANSWER_YES);
	assert_true(recorded(ACCOUNT_CERTIFICATE_ADDED));
	certify("mori", "card", TWO, KEY_ONE, now.wall_s + 100, ANSWER_NO);
	certify("suzuki", "again", ONE, KEY_ONE, now.wall_s + 100, ANSWER_NO);
	certify("suzuki", "card", TWO, KEY_TWO, now.wall_s + 100, ANSWER_INVALID);
	certify("suzuki", "renewed", TWO, KEY_ONE, now.wall_s + 200, ANSWER_YES);
	start();
	assert_int_equal(book_account(&desk.book, "suzuki")->n_pins, 2);
	assert_int_equal(login_showing("four herons argue quietly", ONE, secret), ANSWER_NO);
	assert_int_equal(login_showing(PHRASE, KEY_ONE, secret), ANSWER_NO);
	assert_true(recorded(ACCOUNT_CERTIFICATE_REFUSED));
	assert_int_equal(login_showing(PHRASE, ZERO, secret), ANSWER_NO);
	assert_int_equal(login_showing(PHRASE, ONE, secret), ANSWER_YES);
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, ONE), ANSWER_YES);
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, TWO), ANSWER_NO);
	assert_true(recorded(ACCOUNT_CERTIFICATE_ELSEWHERE));
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, ONE), ANSWER_NO);
	assert_int_equal(login_showing(PHRASE, ONE, secret), ANSWER_YES);
	later(99);
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, ONE), ANSWER_YES);
	later(1);
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, ONE), ANSWER_NO);
	assert_true(recorded(ACCOUNT_CERTIFICATE_EXPIRED));
	for (unsigned i = 0; i < 6; i++) /* a person with both factors does not count as guessing */
		assert_int_equal(login_showing(PHRASE, ONE, secret), ANSWER_NO);
	assert_int_equal(login_showing(PHRASE, TWO, secret), ANSWER_YES);
	order(USER_CERTIFICATE_REMOVE, "{\"name\":\"suzuki\",\"label\":\"none\"}", ANSWER_NO);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, by_code), ANSWER_YES);
	order(USER_CERTIFICATE_REMOVE, "{\"name\":\"suzuki\",\"label\":\"renewed\"}", ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_SESSION, by_code, RIGHT_READ_STATE, HERE), ANSWER_NO);
	assert_int_equal(judge_showing(CREDENTIAL_SESSION, secret, TWO), ANSWER_NO);
	assert_int_equal(login_showing(PHRASE, TWO, secret), ANSWER_NO);
}

static void a_token_is_worth_nothing_without_its_certificate(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char text[300];
	const json_t *made;

	(void)state;
	snprintf(text, sizeof(text), "{\"name\":\"t\",\"roles\":\"viewer\",\"certificate\":\"%s\",\"until\":\"%llu\"}",
		 ONE, (unsigned long long)now.wall_s);
	order(USER_TOKEN_ADD, text, ANSWER_INVALID);
	snprintf(text, sizeof(text), "{\"name\":\"t\",\"roles\":\"viewer\",\"certificate\":\"%s\",\"until\":\"%llu\"}",
		 ONE, (unsigned long long)now.wall_s + 50);
	made = order(USER_TOKEN_ADD, text, ANSWER_YES);
	assert_true(hex_read(json_string_value(json_object_get(made, "secret")), secret, sizeof(secret)));
	start();
	assert_int_equal(judge_showing(CREDENTIAL_TOKEN, secret, ONE), ANSWER_YES);
	assert_int_equal(judge_showing(CREDENTIAL_TOKEN, secret, TWO), ANSWER_NO);
	assert_true(recorded(ACCOUNT_CERTIFICATE_ELSEWHERE));
	assert_int_equal(judge_showing(CREDENTIAL_TOKEN, secret, ZERO), ANSWER_NO);
	later(50);
	assert_int_equal(judge_showing(CREDENTIAL_TOKEN, secret, ONE), ANSWER_NO);
}

/* A display sees the state from one address, and nothing else; no person has its role. */
static void a_display_is_one_place(void **state)
{
	uint8_t secret[SECRET_BYTES];
	const json_t *made;

	(void)state;
	order(USER_TOKEN_ADD, "{\"name\":\"wall\",\"roles\":\"display\"}", ANSWER_INVALID);
	order(USER_TOKEN_ADD, "{\"name\":\"wall\",\"roles\":\"display\",\"from\":\"10.9.0.0/24\"}", ANSWER_INVALID);
	order(USER_TOKEN_ADD, "{\"name\":\"wall\",\"roles\":\"display,viewer\",\"from\":\"" HERE "\"}", ANSWER_INVALID);
	order(USER_ADD,
	      "{\"name\":\"wall\",\"full_name\":\"W\",\"reason\":\"w\",\"roles\":\"display\",\"passphrase\":\"" PHRASE
	      "\"}",
	      ANSWER_INVALID);
	made = order(USER_TOKEN_ADD, "{\"name\":\"wall\",\"roles\":\"display\",\"from\":\"" HERE "\"}", ANSWER_YES);
	assert_true(hex_read(json_string_value(json_object_get(made, "secret")), secret, sizeof(secret)));
	start();
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_WATCH, HERE), ANSWER_YES);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_READ_STATE, HERE), ANSWER_INVALID);
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_WATCH, THERE), ANSWER_NO);
	assert_true(recorded(ACCOUNT_ELSEWHERE));
	assert_int_equal(judge(CREDENTIAL_TOKEN, secret, RIGHT_WATCH, HERE), ANSWER_YES);
}

/* The answer to a login at the machine; the name of the account is in `answers` if it is yes. */
static enum answer_status at_machine(uint32_t uid, const char *name, unsigned right)
{
	struct msg_at_machine m = { .uid = uid, .right = (uint8_t)right };

	memcpy(m.login, name, strlen(name));
	forget();
	desk_at_machine(&desk, 3, &m, now);
	assert_int_equal(n_answers, 1);
	return answers[0].status;
}

static void a_login_of_the_machine_is_one_account(void **state)
{
	(void)state;
	order(USER_ADD, "{\"name\":\"mori\",\"full_name\":\"m\",\"reason\":\"r\",\"roles\":\"auditor\"}", ANSWER_YES);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
	/* An account without a login does not belong to the empty name or to uid 0. */
	assert_int_equal(at_machine(0, "", RIGHT_READ_STATE), ANSWER_NO);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"root\",\"uid\":\"1001\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"0\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"65534\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"61967\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"4294967295\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"4294968297\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"-1\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"1001x\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"Tanaka x\",\"uid\":\"1001\"}", ANSWER_INVALID);
	order(USER_LOGIN_ADD, "{\"name\":\"nobody\",\"login\":\"tanaka\",\"uid\":\"1001\"}", ANSWER_NO);
	order(USER_LOGIN_REMOVE, "{\"name\":\"mori\"}", ANSWER_NO);
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"tanaka\",\"uid\":\"1001\"}", ANSWER_YES);
	assert_true(recorded(ACCOUNT_CHANGED));
	/* Another account cannot get the same name or the same number. */
	order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"tanaka\",\"uid\":\"1002\"}", ANSWER_NO);
	order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"suzuki\",\"uid\":\"1001\"}", ANSWER_NO);
	assert_int_equal(at_machine(1002, "suzuki", RIGHT_READ_STATE), ANSWER_NO);
	start();
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_YES);
	assert_string_equal(json_string_value(json_object_get(answers[0].json, "name")), "mori");
	/* Refused: a login that was renamed, another login with its number, its name with another
	 * number. */
	assert_int_equal(at_machine(1001, "tanaka2", RIGHT_READ_STATE), ANSWER_NO);
	assert_int_equal(at_machine(1002, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
	/* The name of the account itself is no login. */
	assert_int_equal(at_machine(1003, "mori", RIGHT_READ_STATE), ANSWER_NO);
	/* Failures of strangers over the web do not lock a login at the machine. */
	for (unsigned i = 0; i < 6; i++) {
		uint8_t secret[SECRET_BYTES];

		assert_int_equal(login("mori", "four herons argue quietly", "000000", HERE, secret), ANSWER_NO);
	}
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_YES);
	order(USER_DISABLE, "{\"name\":\"mori\"}", ANSWER_YES);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
	order(USER_ENABLE, "{\"name\":\"mori\"}", ANSWER_YES);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_YES);
	/* Another login replaces it: the earlier login has no rights any more, and can be given to
	 * another account. */
	order(USER_LOGIN_ADD, "{\"name\":\"mori\",\"login\":\"kato\",\"uid\":\"1004\"}", ANSWER_YES);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
	order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"tanaka\",\"uid\":\"1001\"}", ANSWER_YES);
	order(USER_LOGIN_REMOVE, "{\"name\":\"mori\"}", ANSWER_YES);
	assert_int_equal(at_machine(1004, "kato", RIGHT_READ_STATE), ANSWER_NO);
	order(USER_DISABLE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	order(USER_REMOVE, "{\"name\":\"suzuki\"}", ANSWER_YES);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
}

/* Each role and each right: the answer is that of duty.def, and every no is recorded. */
static void a_login_may_what_its_account_may(void **state)
{
	(void)state;
	for (unsigned role = 0; role < DUTY_DISPLAY; role++) {
		char text[160];

		snprintf(text, sizeof(text), "{\"name\":\"suzuki\",\"roles\":\"%s\"}", duty_word(role));
		order(USER_CHANGE, text, ANSWER_YES);
		if (role == 0)
			order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"tanaka\",\"uid\":\"1001\"}",
			      ANSWER_YES);
		for (unsigned r = 0; r < RIGHT_COUNT; r++) {
			bool may = duty_may(UINT32_C(1) << role, (enum right)r);

			assert_int_equal(at_machine(1001, "tanaka", r), may ? ANSWER_YES : ANSWER_INVALID);
			assert_int_equal(recorded(ACCOUNT_FORBIDDEN), !may);
		}
	}
}

/* A login that two accounts have can only have been written by hand into the file: the file counts
 * as damaged. */
static void a_login_that_two_have_is_no_book(void **state)
{
	json_t *j, *first, *second;
	static struct book b;

	(void)state;
	order(USER_ADD, "{\"name\":\"mori\",\"full_name\":\"m\",\"reason\":\"r\",\"roles\":\"auditor\"}", ANSWER_YES);
	order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"tanaka\",\"uid\":\"1001\"}", ANSWER_YES);
	j = book_to_json(&desk.book);
	first = json_array_get(json_object_get(j, "accounts"), 0);
	second = json_array_get(json_object_get(j, "accounts"), 1);
	memset(&b, 0, sizeof(b));
	assert_true(book_of_json(j, &b));
	assert_string_equal(b.accounts[0].login, "tanaka");
	assert_int_equal(b.accounts[0].login_uid, 1001);
	json_object_set_new(second, "login", json_string("kato"));
	json_object_set_new(second, "login_uid", json_integer(1001));
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_object_set_new(second, "login_uid", json_integer(1002));
	memset(&b, 0, sizeof(b));
	assert_true(book_of_json(j, &b));
	json_object_set_new(second, "login", json_string("tanaka"));
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_object_del(second, "login");
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_object_del(second, "login_uid");
	json_object_set_new(first, "login_uid", json_integer(0));
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_object_set_new(first, "login_uid", json_integer(65534));
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_object_del(first, "login_uid");
	memset(&b, 0, sizeof(b));
	assert_false(book_of_json(j, &b));
	json_decref(j);
	book_wipe(&b);
}

/* No file can be written: an order that is not written is not carried out, but a login succeeds all
 * the same. */
static void a_disk_that_takes_nothing(void **state)
{
	uint8_t secret[SECRET_BYTES];
	struct msg_accounts_status status;
	int real = desk.book.dirfd;

	(void)state;
	desk.book.dirfd = open("/proc/self", O_RDONLY | O_DIRECTORY);
	order(USER_DISABLE, "{\"name\":\"suzuki\"}", ANSWER_CANNOT);
	assert_false(book_account(&desk.book, "suzuki")->disabled);
	order(USER_ADD, "{\"name\":\"sato\",\"full_name\":\"s\",\"reason\":\"r\",\"roles\":\"viewer\"}", ANSWER_CANNOT);
	order(USER_TOKEN_ADD, "{\"name\":\"t\",\"roles\":\"viewer\"}", ANSWER_CANNOT);
	assert_int_equal(desk.book.n_accounts + desk.book.n_tokens, 1);
	order(USER_LOGIN_ADD, "{\"name\":\"suzuki\",\"login\":\"tanaka\",\"uid\":\"1001\"}", ANSWER_CANNOT);
	assert_int_equal(at_machine(1001, "tanaka", RIGHT_READ_STATE), ANSWER_NO);
	order(USER_DISABLE, "{\"name\":\"nobody\"}", ANSWER_NO);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_NO);
	desk_status(&desk, now, &status);
	assert_int_equal(status.unsaved, 1);
	assert_int_equal(status.accounts, 1);
	assert_int_equal(status.sessions, 1);
	close(desk.book.dirfd);
	desk.book.dirfd = real;
}

static void a_damaged_register_lets_nobody_in_and_is_made_anew(void **state)
{
	uint8_t secret[SECRET_BYTES];
	char code[TOTP_DIGITS + 1];
	int fd = openat(dirfd_, "accounts", O_WRONLY);

	(void)state;
	snprintf(code, sizeof(code), "%s", code_now("suzuki"));
	assert_int_equal(pwrite(fd, "X", 1, 400), 1);
	close(fd);
	start();
	assert_true(recorded(ACCOUNT_DAMAGED));
	assert_true(desk.damaged);
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_NO);
	order(USER_FIRST, "{}", ANSWER_YES);
	start();
	assert_false(desk.damaged);
	assert_int_equal(desk.book.n_accounts, 1);
}

static void accounts_that_nobody_uses_are_told_once_a_day(void **state)
{
	(void)state;
	later(29 * 86400);
	forget();
	desk_look(&desk, now);
	assert_int_equal(n_events, 0);
	later(2 * 86400);
	desk_look(&desk, now);
	assert_true(recorded(ACCOUNT_UNUSED));
	assert_int_equal(n_events, 1);
	desk_look(&desk, now);
	assert_int_equal(n_events, 1);
	later(86400);
	desk_look(&desk, now);
	assert_int_equal(n_events, 2);
}

static void review(const char *name, uint64_t since, uint64_t until, bool findings, const char *note,
		   enum answer_status status)
{
	struct msg_review m = { .findings = findings, .since = since, .until = until, .by = "root", .note = note };

	memcpy(m.name, name, strlen(name));
	forget();
	desk_review(&desk, 9, &m, now);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].status, status);
	assert_int_equal(n_events, status == ANSWER_YES);
}

/* A review of what a clause asks a person: it holds until a later day, within a year. */
static void review_clause(const char *name, bool digest, uint64_t until, enum answer_status status)
{
	struct msg_review m = { .since = now.wall_s,
				.until = until,
				.by = "root",
				.clause = "P 1.7.1",
				.note = "five contracts",
				.digest = { digest ? 0xab : 0, digest } };

	memcpy(m.name, name, strlen(name));
	forget();
	desk_review(&desk, 9, &m, now);
	assert_int_equal(answers[0].status, status);
	assert_int_equal(n_events, status == ANSWER_YES);
}

static void a_review_is_signed_by_who_may(void **state)
{
	uint64_t since = now.wall_s - 86400, until = now.wall_s;
	char range[64];
	struct tm a, b;

	(void)state;
	gmtime_r(&(time_t){ (time_t)since }, &a);
	gmtime_r(&(time_t){ (time_t)until }, &b);
	strftime(range, 22, "%Y-%m-%dT%H:%M:%SZ/", &a);
	strftime(range + 21, 22, "%Y-%m-%dT%H:%M:%SZ", &b);
	order(USER_ADD,
	      "{\"name\":\"kato\",\"full_name\":\"Kato\",\"reason\":\"r\",\"roles\":\"auditor\",\"passphrase\":"
	      "\"" PHRASE "\"}",
	      ANSWER_YES);
	order(USER_ADD,
	      "{\"name\":\"aoki\",\"full_name\":\"Aoki\",\"reason\":\"r\",\"roles\":\"viewer,ot_author,approver,it_"
	      "operator,"
	      "account_manager,log_administrator,backup_operator,supervisor\",\"passphrase\":\"" PHRASE "\"}",
	      ANSWER_YES);
	review("kato", since, until, false, "", ANSWER_YES);
	assert_int_equal(events[0].code, ACCOUNT_REVIEWED);
	assert_string_equal(events[0].text[EVENT_OBJECT], "kato");
	assert_string_equal(events[0].text[EVENT_BEFORE], range);
	assert_string_equal(events[0].text[EVENT_BY], "root");
	assert_int_equal(events[0].client.family, 0);
	assert_string_equal(json_string_value(json_object_get(answers[0].json, "full_name")), "Kato");
	review("kato", since, until, true, "two logins at night", ANSWER_YES);
	assert_int_equal(events[0].code, ACCOUNT_REVIEWED_FOUND);
	assert_string_equal(events[0].text[EVENT_AFTER], "two logins at night");
	/* An account with all other roles may not review, nor a name without an account. */
	review("aoki", since, until, false, "", ANSWER_NO);
	review("nobody", since, until, false, "", ANSWER_NO);
	review("\033[31m", since, until, false, "", ANSWER_NO);
	/* A period that is not over, one whose end is before its beginning, and one without an
	 * end. */
	review("kato", since, until + 1, false, "", ANSWER_INVALID);
	review("kato", until, since, false, "", ANSWER_INVALID);
	review("kato", since, since, false, "", ANSWER_INVALID);
	review("kato", since, UINT64_MAX, false, "", ANSWER_INVALID);
	/* Findings need a note, and the note is one line. */
	review("kato", since, until, true, "", ANSWER_INVALID);
	review("kato", since, until, false, "a\nb", ANSWER_INVALID);
	review_clause("aoki", true, now.wall_s + 86400, ANSWER_NO);
	review_clause("kato", true, now.wall_s, ANSWER_INVALID);
	review_clause("kato", true, now.wall_s + REVIEW_ASKED_S + 1, ANSWER_INVALID);
	review_clause("kato", false, now.wall_s + 86400, ANSWER_YES);
	assert_null(strstr(events[0].text[EVENT_BEFORE], "SHA-256"));
	review_clause("kato", true, now.wall_s + REVIEW_ASKED_S, ANSWER_YES);
	assert_int_equal(events[0].code, ACCOUNT_ANSWERED);
	gmtime_r(&(time_t){ (time_t)(now.wall_s + REVIEW_ASKED_S) }, &a);
	strftime(range, sizeof(range), "P 1.7.1, %Y-%m-%d, SHA-256 ab01000000", &a);
	assert_memory_equal(events[0].text[EVENT_BEFORE], range, strlen(range));
	assert_string_equal(events[0].text[EVENT_AFTER], "five contracts");
	order(USER_DISABLE, "{\"name\":\"kato\"}", ANSWER_YES);
	review("kato", since, until, false, "", ANSWER_NO);
}

/* ---- leaked passphrases --------------------------------------------------------------------- */

/* Loads a list with only this passphrase, as root does. */
static enum answer_status load(const char *phrase)
{
	struct msg_user m = { .order = USER_LEAKED_LOAD, .by = "tanaka", .text = "{}" };
	uint8_t list[LEAKED_HEAD + LEAKED_PREFIX], chain[32];
	struct leaked_head head = { .count = 1 };
	int fd;

	leaked_prefix(phrase, strlen(phrase), list + LEAKED_HEAD);
	leaked_begin(1, chain);
	leaked_fold(chain, list + LEAKED_HEAD, LEAKED_PREFIX);
	leaked_end(chain, 0, head.digest);
	leaked_head_write(&head, list);
	fd = memfd_sealed("leaked", list, sizeof(list));
	forget();
	desk_leaked_load(&desk, 9, &m, fd);
	close(fd);
	while (desk_leaked_waits(&desk))
		desk_leaked_step(&desk, now);
	assert_int_equal(n_answers, 1);
	return answers[0].status;
}

static void may(const uint8_t secret[SECRET_BYTES], bool all)
{
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_READ_STATE, HERE), all ? ANSWER_YES : ANSWER_INVALID);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_COUNT, HERE), ANSWER_YES);
	assert_int_equal(json_is_true(json_object_get(answers[0].json, "choose_passphrase")), !all);
	assert_int_equal(json_is_true(json_object_get(answers[0].json, "passphrase_leaked")), !all);
	assert_int_equal(json_array_size(json_object_get(answers[0].json, "rights")) > 0, all);
}

static enum answer_status choose(const uint8_t secret[SECRET_BYTES], const char *present, const char *next)
{
	struct msg_passphrase m = { .family = 4, .from = { 192, 0, 2, 10 } };

	memcpy(m.secret, secret, SECRET_BYTES);
	memcpy(m.phrase, present, strlen(present));
	memcpy(m.fresh, next, strlen(next));
	forget();
	desk_passphrase(&desk, 4, &m, now);
	hash_all();
	hash_all();
	assert_int_equal(n_answers, 1);
	return answers[0].status;
}

static void whoever_has_a_leaked_phrase_chooses_another(void **state)
{
	uint8_t before[SECRET_BYTES], secret[SECRET_BYTES];

	(void)state;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, before), ANSWER_YES);
	later(60);
	assert_int_equal(load(PHRASE), ANSWER_YES);
	assert_true(recorded(ACCOUNT_LEAKED_LOADED));
	/* The session is older than the list: what was typed for it is not known any more. */
	may(before, true);
	/* With a wrong code nothing is recorded about the passphrase. */
	assert_int_equal(login("suzuki", PHRASE, "000000", HERE, secret), ANSWER_NO);
	assert_false(recorded(ACCOUNT_LEAKED_USED));
	assert_int_equal(login("nobody", PHRASE, "000000", HERE, secret), ANSWER_NO);
	assert_false(recorded(ACCOUNT_LEAKED_USED));
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	assert_true(recorded(ACCOUNT_LEAKED_USED) && recorded(ACCOUNT_LOGGED_IN));
	assert_int_equal(json_array_size(json_object_get(answers[0].json, "rights")), 0);
	assert_true(json_is_true(json_object_get(answers[0].json, "choose_passphrase")));
	may(secret, false);
	may(before, true);
	/* Neither a weak passphrase nor one of the list is accepted, also if the list was replaced
	 * meanwhile. */
	assert_int_equal(choose(secret, PHRASE, "short"), ANSWER_INVALID);
	assert_int_equal(load("seven lanterns under a bridge"), ANSWER_YES);
	assert_int_equal(choose(secret, PHRASE, "seven lanterns under a bridge"), ANSWER_INVALID);
	may(secret, false);
	assert_int_equal(choose(secret, PHRASE, "nine lanterns under a bridge"), ANSWER_YES);
	may(secret, true);
	assert_int_equal(judge(CREDENTIAL_SESSION, before, RIGHT_COUNT, HERE), ANSWER_NO);
	later(60);
	assert_int_equal(login("suzuki", "nine lanterns under a bridge", code_now("suzuki"), HERE, secret), ANSWER_YES);
	may(secret, true);
	/* A passphrase of the list is also refused when root types it for somebody. */
	order(USER_PASSWORD, "{\"name\":\"suzuki\",\"passphrase\":\"seven lanterns under a bridge\"}", ANSWER_INVALID);
	order(USER_LEAKED_REMOVE, "{}", ANSWER_YES);
	assert_true(recorded(ACCOUNT_LEAKED_REMOVED));
	order(USER_LEAKED_REMOVE, "{}", ANSWER_NO);
	order(USER_PASSWORD, "{\"name\":\"suzuki\",\"passphrase\":\"seven lanterns under a bridge\"}", ANSWER_YES);
}

/* In a session from before the list: a passphrase that is typed again is looked up as well. */
static void a_leaked_phrase_that_is_typed_again(void **state)
{
	struct msg_key m = { .order = KEY_REMOVE, .family = 4, .from = { 192, 0, 2, 10 }, .proof = "" };
	uint8_t secret[SECRET_BYTES];

	(void)state;
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	assert_int_equal(load(PHRASE), ANSWER_YES);
	memcpy(m.secret, secret, SECRET_BYTES);
	memcpy(m.label, "spare", 5);
	memcpy(m.phrase, "seven wrong lanterns again", 26);
	forget();
	desk_key(&desk, 5, &m, now);
	hash_all();
	assert_false(recorded(ACCOUNT_LEAKED_USED));
	may(secret, true);
	memset(m.phrase, 0, sizeof(m.phrase));
	memcpy(m.phrase, PHRASE, strlen(PHRASE));
	forget();
	desk_key(&desk, 5, &m, now);
	hash_all();
	assert_int_equal(answers[0].status, ANSWER_INVALID);
	assert_true(recorded(ACCOUNT_LEAKED_USED));
	may(secret, false);
	order(USER_LEAKED_REMOVE, "{}", ANSWER_YES);
}

static void a_list_outlives_the_role_and_is_told(void **state)
{
	struct msg_accounts_status status;
	const json_t *told;
	int fd;

	(void)state;
	told = json_object_get(order(USER_LEAKED, "{}", ANSWER_YES), "leaked");
	assert_int_equal(json_integer_value(json_object_get(told, "count")), 0);
	assert_true(json_is_null(json_object_get(told, "since")));
	assert_int_equal(load(PHRASE), ANSWER_YES);
	start();
	told = json_object_get(order(USER_LIST, "{}", ANSWER_YES), "leaked");
	assert_int_equal(json_integer_value(json_object_get(told, "count")), 1);
	desk_status(&desk, now, &status);
	assert_true(status.leaked == 1 && status.leaked_since == now.wall_s && status.leaked_damaged == 0);
	fd = openat(dirfd_, "leaked", O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, LEAKED_HEAD), 1);
	close(fd);
	start();
	assert_true(recorded(ACCOUNT_LEAKED_DAMAGED));
	desk_status(&desk, now, &status);
	assert_true(status.leaked == 0 && status.leaked_since == 0 && status.leaked_damaged == 1);
	/* The most common passphrases are refused all the same. */
	order(USER_PASSWORD, "{\"name\":\"suzuki\",\"passphrase\":\"passwordpassword\"}", ANSWER_INVALID);
	order(USER_LEAKED_REMOVE, "{}", ANSWER_YES);
	desk_status(&desk, now, &status);
	assert_int_equal(status.leaked_damaged, 0);
}

/* Orders about the list that are refused, and files that are no list. */
static void a_list_that_is_none(void **state)
{
	struct msg_user m = { .order = USER_LEAKED_LOAD, .by = "tanaka", .text = "{}" };
	int fd = memfd_sealed("leaked", "phrase\n", 7);

	(void)state;
	order(USER_LEAKED_LOAD, "{}", ANSWER_INVALID);
	for (unsigned i = 0; i < 2; i++) {
		forget();
		desk_leaked_load(&desk, 9, &m, i == 0 ? -1 : fd);
		assert_false(desk_leaked_waits(&desk));
		assert_int_equal(answers[0].status, ANSWER_INVALID);
		assert_int_equal(n_events, 0);
	}
	close(fd);
}

/* ---- security keys --------------------------------------------------------------------------- */

static struct msg_key key_of(enum key_order what, const char *label, const uint8_t secret[SECRET_BYTES])
{
	struct msg_key m = { .order = what, .family = 4, .from = { 192, 0, 2, 10 }, .proof = "" };

	memcpy(m.secret, secret, SECRET_BYTES);
	memcpy(m.label, label, strlen(label));
	memcpy(m.phrase, PHRASE, strlen(PHRASE));
	return m;
}

/* Acts as if sekisho-webauthn had answered for the first name. */
static void give_key(const char *name, const char *label)
{
	struct account *a = book_account(&desk.book, name);
	struct key *k = &a->keys[a->n_keys++];

	*k = (struct key){ .public = { .kind = WEBAUTHN_EDDSA, .n_id = 1, .id = { (uint8_t)a->n_keys } } };
	snprintf(k->label, sizeof(k->label), "%s", label);
}

/* Without sekisho-webauthn everybody gets the same answer, with a right or a wrong passphrase, with
 * a known name or not. */
static void without_who_looks_at_keys_nobody_learns_anything(void **state)
{
	const char *const names[] = { "suzuki", "suzuki", "nobody" };
	const char *const phrases[] = { PHRASE, "three herons argue loudly", PHRASE };
	uint8_t secret[SECRET_BYTES];
	struct msg_key k;

	(void)state;
	give_key("suzuki", "spare");
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	forget();
	desk_without_keys(&desk);
	assert_true(recorded(ACCOUNT_NO_KEYS));
	for (unsigned i = 0; i < 3; i++) {
		struct msg_login m = login_of(names[i], phrases[i], "a.b.c.d", HERE);

		m.kind = PROOF_KEY;
		forget();
		desk_login(&desk, 1, &m, now);
		assert_true(n_answers == 1 && n_questions == 0 && n_proofs == 0 && n_events == 0);
		assert_int_equal(answers[0].status, ANSWER_CANNOT);
	}
	k = key_of(KEY_ADD, "new", secret);
	forget();
	desk_key(&desk, 5, &k, now);
	assert_true(n_answers == 1 && answers[0].status == ANSWER_INVALID && n_questions == 0);
	/* An order that needs no key is carried out. */
	k = key_of(KEY_REMOVE, "spare", secret);
	forget();
	desk_key(&desk, 5, &k, now);
	hash_all();
	assert_int_equal(answers[0].status, ANSWER_YES);
	later(60);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
}

static void who_removes_a_key_ends_the_other_sessions(void **state)
{
	uint8_t here[SECRET_BYTES], there[SECRET_BYTES];
	struct msg_key m;

	(void)state;
	give_key("suzuki", "lost");
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), THERE, there), ANSWER_YES);
	later(60);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, here), ANSWER_YES);
	m = key_of(KEY_REMOVE, "another", here);
	forget();
	desk_key(&desk, 5, &m, now);
	hash_all();
	assert_int_equal(answers[0].status, ANSWER_INVALID);
	assert_int_equal(judge(CREDENTIAL_SESSION, there, RIGHT_COUNT, THERE), ANSWER_YES);
	m = key_of(KEY_REMOVE, "lost", here);
	forget();
	desk_key(&desk, 5, &m, now);
	hash_all();
	assert_int_equal(answers[0].status, ANSWER_YES);
	assert_true(recorded(ACCOUNT_KEY_REMOVED));
	assert_int_equal(judge(CREDENTIAL_SESSION, there, RIGHT_COUNT, THERE), ANSWER_NO);
	assert_int_equal(judge(CREDENTIAL_SESSION, here, RIGHT_COUNT, HERE), ANSWER_YES);
}

/* ---- the register of a backup ---------------------------------------------------------------- */

static enum answer_status restored(enum user_order what, const void *p, size_t n, const char *said)
{
	struct msg_user m = { .order = (uint8_t)what, .by = "tanaka", .text = said };
	int fd = memfd_sealed("register", p, n);

	forget();
	desk_restore(&desk, 9, &m, fd);
	close(fd);
	for (size_t i = 0; i < n_answers; i++)
		if (answers[i].id == 9)
			return answers[i].status;
	fail();
	return ANSWER_CANNOT;
}

static size_t listed(const char *key)
{
	return json_array_size(json_object_get(answers[n_answers - 1].json, key));
}

static uint8_t *book_bytes(size_t *ret_n)
{
	uint8_t *p;
	struct err e = { 0 };

	assert_int_equal(file_read(dirfd_, "accounts", 1u << 20, &p, ret_n, &e), 0);
	return p;
}

#define MORI                                                                                                           \
	"{\"name\":\"mori\",\"full_name\":\"Mori\",\"reason\":\"test\",\"roles\":\"viewer\",\"passphrase\":\"" PHRASE  \
	"\"}"

static void a_register_takes_the_place_of_this_one(void **state)
{
	uint8_t secret[SECRET_BYTES], late[SECRET_BYTES], *backup;
	struct msg_login m;
	char code[TOTP_DIGITS + 1];
	size_t n;

	(void)state;
	give_key("suzuki", "blue");
	assert_true(desk_save(&desk));
	backup = book_bytes(&n);
	snprintf(code, sizeof(code), "%s", code_now("suzuki"));
	assert_int_equal(login("suzuki", PHRASE, code, HERE, secret), ANSWER_YES);
	order(USER_ADD, MORI, ANSWER_YES);
	order(USER_TOTP, "{\"name\":\"suzuki\"}", ANSWER_YES);
	order(USER_TOKEN_ADD, "{\"name\":\"scrape\",\"roles\":\"viewer\"}", ANSWER_YES);
	/* Asked first: nothing changes. */
	assert_int_equal(restored(USER_RESTORE_TRY, backup, n, "{}"), ANSWER_YES);
	assert_true(listed("changed") == 1 && listed("go") == 1 && listed("come") == 0 && listed("tokens_go") == 1);
	assert_true(json_is_true(json_object_get(answers[0].json, "in_use")));
	assert_int_equal(restored(USER_RESTORE, backup, n, "{}"), ANSWER_NO);
	assert_non_null(book_account(&desk.book, "mori"));
	assert_int_equal(n_events, 0);
	/* A login is being hashed while the register is replaced: the new register does not let it
	 * in. */
	later(60);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, secret), ANSWER_YES);
	m = login_of("mori", PHRASE, code_now("mori"), THERE);
	forget();
	desk_login(&desk, 1, &m, now);
	assert_int_equal(n_questions, 1);
	assert_int_equal(restored(USER_RESTORE, backup, n, "{\"replace\":\"yes\",\"made\":\"2026-11-01T00:00:00Z\"}"),
			 ANSWER_YES);
	assert_int_equal(n_answers, 2);
	assert_true(answers[0].id == 1 && answers[0].status == ANSWER_CANNOT);
	assert_true(recorded(ACCOUNT_RESTORED));
	assert_int_equal(events[n_events - 1].count, 1);
	assert_string_equal(events[n_events - 1].text[EVENT_BEFORE], "2");
	forget();
	hash_all();
	assert_int_equal(n_answers, 0);
	assert_null(book_account(&desk.book, "mori"));
	assert_int_equal(desk.book.accounts[0].n_keys, 1);
	assert_int_equal(judge(CREDENTIAL_SESSION, secret, RIGHT_COUNT, HERE), ANSWER_NO);
	later(60);
	assert_int_equal(login("suzuki", PHRASE, code_now("suzuki"), HERE, late), ANSWER_YES);
	/* The restored register is also on the disk. */
	start();
	assert_null(book_account(&desk.book, "mori"));
	/* Restoring the same backup again replaces nobody's newer account, so it needs no
	 * "replace". */
	assert_int_equal(restored(USER_RESTORE, backup, n, "{}"), ANSWER_YES);
	free(backup);
}

static void a_new_box_has_a_first_account(void **state)
{
	uint8_t *backup;
	size_t n;

	(void)state;
	backup = book_bytes(&n);
	unlinkat(dirfd_, "accounts", 0);
	start();
	assert_int_equal(restored(USER_RESTORE_TRY, backup, n, "{}"), ANSWER_YES);
	assert_true(listed("come") == 1 && listed("go") == 0);
	order(USER_FIRST, "{}", ANSWER_YES);
	assert_int_equal(restored(USER_RESTORE, backup, n, "{}"), ANSWER_YES);
	assert_true(listed("come") == 1 && listed("go") == 1);
	assert_null(book_account(&desk.book, "admin"));
	free(backup);
}

static void a_register_that_is_none(void **state)
{
	uint8_t *backup;
	size_t n;

	(void)state;
	backup = book_bytes(&n);
	for (size_t cut = 0; cut < n; cut += 7)
		assert_int_equal(restored(USER_RESTORE, backup, cut, "{\"replace\":\"yes\"}"), ANSWER_INVALID);
	for (size_t at = 0; at < n; at += 5) {
		backup[at] ^= 1;
		assert_int_equal(restored(USER_RESTORE, backup, n, "{\"replace\":\"yes\"}"), ANSWER_INVALID);
		backup[at] ^= 1;
	}
	assert_int_equal(n_events, 0);
	/* When the disk takes nothing, the register remains as it was, too. */
	order(USER_ADD, MORI, ANSWER_YES);
	desk.book.dirfd = open("/proc/self", O_RDONLY | O_DIRECTORY);
	assert_int_equal(restored(USER_RESTORE, backup, n, "{\"replace\":\"yes\"}"), ANSWER_CANNOT);
	assert_non_null(book_account(&desk.book, "mori"));
	close(desk.book.dirfd);
	desk.book.dirfd = dirfd_;
	free(backup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_review_is_signed_by_who_may, anew),
		cmocka_unit_test_setup(the_right_three_let_in_and_nothing_less, anew),
		cmocka_unit_test_setup(a_new_secret_begins_anew, anew),
		cmocka_unit_test_setup(a_code_of_another_time_is_told_from_a_wrong_one, anew),
		cmocka_unit_test_setup(a_code_that_was_told_lets_in_no_more, anew),
		cmocka_unit_test_setup(what_could_not_be_hashed_was_not_wrong, anew),
		cmocka_unit_test_setup(a_stranger_keeps_nobody_out, anew),
		cmocka_unit_test_setup(guesses_in_parallel_count, anew),
		cmocka_unit_test_setup(root_finds_room_whatever_strangers_do, anew),
		cmocka_unit_test_setup(a_session_is_judged_at_each_request, anew),
		cmocka_unit_test_setup(a_stolen_one_is_worth_nothing_elsewhere_and_logout_is_for_good, anew),
		cmocka_unit_test_setup(disabling_and_a_new_phrase_end_sessions, anew),
		cmocka_unit_test_setup(paper_codes_let_in_once_and_new_ones_void_them, anew),
		cmocka_unit_test_setup(the_first_account_and_the_rules_of_adding, anew),
		cmocka_unit_test_setup(tokens_are_scoped_and_end, anew),
		cmocka_unit_test_setup(a_certificate_lets_in_with_its_key_until_its_end, anew),
		cmocka_unit_test_setup(a_token_is_worth_nothing_without_its_certificate, anew),
		cmocka_unit_test_setup(a_display_is_one_place, anew),
		cmocka_unit_test_setup(a_login_of_the_machine_is_one_account, anew),
		cmocka_unit_test_setup(a_login_may_what_its_account_may, anew),
		cmocka_unit_test_setup(a_login_that_two_have_is_no_book, anew),
		cmocka_unit_test_setup(a_disk_that_takes_nothing, anew),
		cmocka_unit_test_setup(a_damaged_register_lets_nobody_in_and_is_made_anew, anew),
		cmocka_unit_test_setup(accounts_that_nobody_uses_are_told_once_a_day, anew),
		cmocka_unit_test_setup(whoever_has_a_leaked_phrase_chooses_another, anew),
		cmocka_unit_test_setup(a_leaked_phrase_that_is_typed_again, anew),
		cmocka_unit_test_setup(a_list_outlives_the_role_and_is_told, anew),
		cmocka_unit_test_setup(a_list_that_is_none, anew),
		cmocka_unit_test_setup(without_who_looks_at_keys_nobody_learns_anything, anew),
		cmocka_unit_test_setup(who_removes_a_key_ends_the_other_sessions, anew),
		cmocka_unit_test_setup(a_register_takes_the_place_of_this_one, anew),
		cmocka_unit_test_setup(a_new_box_has_a_first_account, anew),
		cmocka_unit_test_setup(a_register_that_is_none, anew),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
