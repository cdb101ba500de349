/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of the role accounts: whatever the web side says, which an attacker may control,
 * and whatever root orders, in any order and at any time. The input is a sequence of steps. The
 * target keeps its own list of what was typed and given out. Nobody may be let in without the right
 * passphrase and either a right code that was not used before, or the certificate of the account. A
 * secret must open something only from the address and with the certificate for which it was given,
 * in its time, and before its session ends.
 *
 * LINK: appliance/accounts/desk.c appliance/accounts/desk_door.c appliance/accounts/desk_user.c
 * LINK: appliance/accounts/desk_enrol.c appliance/accounts/book.c appliance/accounts/book_file.c
 * LINK: appliance/base/columns.c
 * LINK: appliance/accounts/desk_manage.c appliance/accounts/desk_passphrase.c
 * LINK: appliance/accounts/desk_leaked.c appliance/accounts/leaked.c
 * LINK: appliance/wire/orders.c appliance/wire/leaked.c
 * LINK: appliance/accounts/desk_key.c
 * LINK: appliance/accounts/challenges.c appliance/accounts/lockout.c appliance/accounts/sessions.c
 * LINK: appliance/accounts/passphrase.c appliance/accounts/secret.c
 * LINK: appliance/accounts/totp.c appliance/wire/duty.c
 * LINK: appliance/wire/event.c
 * LINK: appliance/base/utf8.c appliance/base/json.c appliance/base/sha256.c
 * LINK: appliance/base/err.c appliance/base/addr.c appliance/base/memfd.c appliance/base/messages.c
 * LINK: appliance/base/errno_text.c
 * LINK: appliance/base/clock.c appliance/base/bytes.c appliance/wire/protocols.c
 * LINK: appliance/base/logins.c
 * LINK: appliance/accounts/qr.c
 * LIBS: libqrencode libcrypt liboath jansson nettle
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_door.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_manage.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/atomic_file.h"
#include "appliance/base/bytes.h"
#include "appliance/wire/duty.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define S UINT64_C(1000000000)
#define HASH "$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop1"
#define RIGHT "right"
#define GIVEN 8u
#define ASKED 16u

static struct desk desk; /* large */
static struct moment now;
static bool disk_full, managers_by_root; /* root has changed or shut out an account */

/* The question that waits at the hasher, and the right answer to it. */
static struct {
	uint32_t id;
	bool right;
	char setting[PASSPHRASE_HASH];
} asked[ASKED];
static size_t n_asked;

/* The last secrets that were given out. */
static struct {
	uint8_t secret[SECRET_BYTES];
	struct addr from;
	uint64_t begun, used;
	bool ended, pinned;
	uint8_t shown[DIGEST_BYTES];
	char name[ACCOUNT_NAME + 1];
} given[GIVEN];
static size_t n_given;

static struct {
	bool came;
	enum answer_status status;
	char session[2 * SECRET_BYTES + 1], name[ACCOUNT_NAME + 1];
} answer;

int atomic_write(int dirfd, const char *name, const void *p, size_t n, struct err *e)
{
	(void)dirfd;
	(void)p;
	(void)n;
	return disk_full ? err_set(e, -ENOSPC, "%s", name) : 0;
}

int file_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n, struct err *e)
{
	(void)dirfd;
	(void)max;
	(void)ret;
	(void)ret_n;
	return err_set(e, -ENOENT, "%s", name);
}

bool file_for_now(int r)
{
	return r == -ENOMEM;
}

int file_aside(int dirfd, const char *name)
{
	(void)dirfd;
	(void)name;
	return 0;
}

static void take_answer(void *ctx, uint32_t id, enum answer_status status, json_t *j)
{
	const char *session = json_string_value(json_object_get(j, "session"));
	const char *name = json_string_value(json_object_get(j, "name"));

	(void)ctx;
	(void)id;
	assert(j != NULL && status <= ANSWER_CANNOT);
	answer.came = true;
	answer.status = status;
	memset(answer.session, 0, sizeof(answer.session));
	memset(answer.name, 0, sizeof(answer.name));
	if (session != NULL && strlen(session) < sizeof(answer.session))
		memcpy(answer.session, session, strlen(session));
	if (name != NULL && strlen(name) < sizeof(answer.name))
		memcpy(answer.name, name, strlen(name));
	json_decref(j);
}

static bool take_hash(void *ctx, const struct hash_question *q)
{
	(void)ctx;
	if (n_asked == ASKED)
		return false;
	asked[n_asked].id = q->id;
	asked[n_asked].right = strcmp(q->phrase, RIGHT) == 0;
	memcpy(asked[n_asked++].setting, q->setting, PASSPHRASE_HASH);
	return true;
}

static bool take_proof(void *ctx, const struct webauthn_question *q)
{
	(void)ctx;
	(void)q;
	return false; /* this target asks nothing about keys */
}

static void take_event(void *ctx, const struct event *e)
{
	(void)ctx;
	assert(e->count > 0);
}

static const struct desk_out ways_out = {
	.answer = take_answer, .hash = take_hash, .prove = take_proof, .event = take_event
};

/* The certificate that is shown: none, anna's, bert's, or one that belongs to no account. */
static void put_shown(uint8_t choice, uint8_t shown[DIGEST_BYTES])
{
	memset(shown, choice % 4 * 0x11, DIGEST_BYTES);
}

static void open_desk(void)
{
	static const char *const names[] = { "anna", "bert" };
	struct err e = { 0 };

	n_asked = n_given = 0;
	disk_full = managers_by_root = false;
	memset(given, 0, sizeof(given));
	now = (struct moment){ .ns = 5000 * S, .wall_s = 1750000000 };
	assert(desk_open(&desk, -1, &ways_out, now, &e) == 0);
	for (size_t i = 0; i < 2; i++) {
		struct account *a = book_add(&desk.book);

		memcpy(a->name, names[i], strlen(names[i]));
		memcpy(a->hash, HASH, sizeof(HASH) - 1);
		memset(a->totp, (int)(7 + i), sizeof(a->totp));
		a->duties = UINT32_C(1) << (i == 0 ? DUTY_VIEWER : DUTY_ACCOUNTS);
		a->n_pins = 1;
		a->pins[0] = (struct pin){ .label = "card", .until = now.wall_s + 3000 * (i + 1) };
		put_shown((uint8_t)(i + 1), a->pins[0].digest);
		put_shown((uint8_t)(i + 1), a->pins[0].public);
	}
}

/* One of four addresses, two of them in one network; or no address. */
static void put_from(uint8_t choice, uint8_t *family, uint8_t from[16])
{
	*family = choice % 5 == 4 ? choice / 5 % 7 : choice % 2 == 0 ? 4 : 6;
	from[0] = 10;
	from[15] = choice % 5;
}

/* The name of an account, or bytes of the input. */
static void put_name(struct bytes *b, uint8_t choice, uint8_t *out, size_t most)
{
	struct bytes text;

	if (choice < 128)
		memcpy(out, choice % 2 == 0 ? "anna" : "bert", 4);
	else if (bytes_take(b, choice % most, &text))
		memcpy(out, text.p, text.left);
}

static void login(struct bytes *b)
{
	uint8_t name = 0, how = 0, where = 0;
	struct msg_login m = { .phrase = "wrong" };
	char code[TOTP_DIGITS + 1] = "";
	const struct account *a;

	m.proof = code;
	bytes_u8(b, &where);
	bytes_u8(b, &how);
	bytes_u8(b, &name);
	put_from(where, &m.family, m.from);
	put_name(b, name, m.name, LOGIN_NAME);
	a = book_account(&desk.book, name % 2 == 0 ? "anna" : "bert");
	if ((how & 1) != 0)
		memcpy(m.phrase, RIGHT, sizeof(RIGHT));
	m.kind = (how & 16) != 0 ? PROOF_CERTIFICATE : (how & 8) != 0 ? PROOF_KEY : PROOF_CODE;
	put_shown(how >> 5, m.shown);
	if (((how & 2) == 0 || a == NULL || !totp_code(a->totp, now.wall_s / TOTP_STEP_S, code)) && (how & 4) != 0)
		m.proof = "AAAA-AAAA-AAAA-AAAA";
	desk_login(&desk, 1, &m, now);
}

static bool digits(const char *text, uint8_t secret[SECRET_BYTES])
{
	return strlen(text) == (size_t)2 * SECRET_BYTES && hex_read(text, secret, SECRET_BYTES);
}

/* The hasher answers one of its questions, or a question that nobody asked. */
static void hashed(struct bytes *b)
{
	struct hash_answer h = { .ok = true };
	const struct job *j = NULL;
	struct account before = { 0 };
	const struct account *a;
	struct addr from = { 0 };
	struct pin *pin = NULL;
	uint8_t shown[DIGEST_BYTES] = { 0 };
	bool right, login, again, pinned = false;
	uint8_t which = 0;
	size_t i;

	bytes_u8(b, &which);
	if (n_asked == 0 || which == 255) {
		h.id = which;
		answer.came = false;
		/* may be the number of a question that waits: then no hash is the right one */
		desk_hashed(&desk, &h, now);
		assert(!answer.came || answer.session[0] == 0);
		return;
	}
	i = which % n_asked;
	for (size_t k = 0; k < DESK_JOBS; k++)
		if (desk.jobs[k].used && desk.jobs[k].hash_id == asked[i].id)
			j = &desk.jobs[k];
	right = asked[i].right;
	login = j != NULL && j->kind == JOB_LOGIN;
	h.id = asked[i].id;
	h.ok = which < 240;
	/* The passphrase is checked again before an order. */
	again = j != NULL && (j->kind == JOB_MANAGE || j->kind == JOB_PASSPHRASE) && !j->deed;
	if (login || again)
		memcpy(h.hash, right ? asked[i].setting : "$y$j9T$no$no", right ? sizeof(h.hash) : 13);
	else
		memcpy(h.hash, HASH, sizeof(HASH));
	asked[i] = asked[--n_asked];
	a = login ? book_account(&desk.book, j->name) : NULL;
	if (a != NULL) {
		before = *a;
		from = j->from;
		memcpy(shown, j->shown, sizeof(shown));
		pinned = j->proof_kind == PROOF_CERTIFICATE;
		pin = account_pin_of(&before, shown);
	}
	answer.came = false;
	desk_hashed(&desk, &h, now);
	/* Without a right passphrase nothing is done, and the order is answered at once. */
	assert(!again || (right && h.ok) || (answer.came && answer.status != ANSWER_YES));
	if (!answer.came || answer.session[0] == 0)
		return;
	assert(login && h.ok && right && a != NULL && !before.disabled && answer.status == ANSWER_YES);
	/* The login has used up a code, or the certificate of the account was shown before it
	 * expired. */
	a = book_account(&desk.book, before.name);
	assert(a != NULL && (pinned ? pin != NULL && now.wall_s < pin->until
				    : a->totp_step > before.totp_step || a->recovery_left < before.recovery_left));
	i = n_given++ % GIVEN;
	memset(&given[i], 0, sizeof(given[i]));
	assert(digits(answer.session, given[i].secret));
	for (size_t k = 0; k < GIVEN; k++)
		assert(k == i || memcmp(given[k].secret, given[i].secret, SECRET_BYTES) != 0);
	memcpy(given[i].name, before.name, sizeof(given[i].name));
	given[i].from = from;
	given[i].pinned = pinned;
	memcpy(given[i].shown, shown, sizeof(shown));
	given[i].begun = given[i].used = now.ns;
}

static void end_of(const char *name)
{
	for (size_t i = 0; i < GIVEN; i++)
		if (strcmp(given[i].name, name) == 0)
			given[i].ended = true;
}

static void show(struct bytes *b, bool leave)
{
	uint8_t which = 0, where = 0, right = 0, what = 0;
	struct msg_judge m = { 0 };
	struct msg_logout l = { 0 };
	struct account *a;
	struct pin *pin;
	struct addr from;
	bool own, other;
	size_t i;

	bytes_u8(b, &which);
	bytes_u8(b, &where);
	bytes_u8(b, &right);
	bytes_u8(b, &what);
	i = which % GIVEN;
	put_from(where, &m.family, m.from);
	memcpy(m.secret, given[i].secret, SECRET_BYTES);
	m.secret[0] ^= which >= 200;
	m.right = right % (RIGHT_COUNT + 1);
	m.what = what % 4 == 3 ? CREDENTIAL_TOKEN : CREDENTIAL_SESSION;
	put_shown(what >> 6, m.shown);
	answer.came = false;
	if (leave) {
		memcpy(l.shown, m.shown, sizeof(l.shown));
		l.family = m.family;
		memcpy(l.from, m.from, sizeof(l.from));
		memcpy(l.secret, m.secret, sizeof(l.secret));
		desk_logout(&desk, 3, &l, now);
	} else {
		desk_judge(&desk, 2, &m, now);
	}
	assert(answer.came && answer.session[0] == 0);
	from = desk_from(m.family, m.from);
	own = which < 200 && given[i].begun != 0 && (leave || m.what == CREDENTIAL_SESSION);
	other = given[i].pinned && memcmp(given[i].shown, m.shown, DIGEST_BYTES) != 0;
	/* INVALID: the session exists, but its account may not. Both answers are only given to
	 * somebody who has a session at this address. */
	if (answer.status == ANSWER_YES || answer.status == ANSWER_INVALID) {
		assert(own && !given[i].ended && !other && addr_cmp(&from, &given[i].from) == 0);
		a = book_account(&desk.book, given[i].name);
		pin = a != NULL ? account_pin_of(a, m.shown) : NULL;
		assert(!given[i].pinned || (pin != NULL && now.wall_s < pin->until));
		assert(now.ns - given[i].begun <= SESSION_LIMIT_NS && now.ns - given[i].used <= SESSION_IDLE_NS);
		assert(leave || answer.status == ANSWER_INVALID || strcmp(answer.name, given[i].name) == 0);
		given[i].used = now.ns;
	}
	/* A secret that is shown from another address or with another certificate has ended, for
	 * everybody. */
	given[i].ended |= own && (leave || other || addr_cmp(&from, &given[i].from) != 0);
}

static void order(struct bytes *b)
{
	static const char *const texts[] = {
		"{\"name\":\"anna\"}", "{\"name\":\"bert\"}", "{}",
		"{\"name\":\"carl\",\"full_name\":\"C\",\"reason\":\"r\",\"roles\":\"viewer\"}",
		"{\"name\":\"anna\",\"passphrase\":\"three herons argue quietly\"}"
	};
	static const char *const whose[] = { "anna", "bert", "", "carl", "anna" };
	struct msg_user m = { .by = "root" };
	uint8_t what = 0, which = 0;
	char own[256] = "";
	struct bytes text;

	bytes_u8(b, &what);
	bytes_u8(b, &which);
	m.order = what % USER_ORDERS;
	m.text = texts[which % 5];
	if (which >= 128 && bytes_take(b, which - 128u, &text) && memchr(text.p, 0, text.left) == NULL) {
		memcpy(own, text.p, text.left);
		m.text = own;
	}
	managers_by_root |= m.order == USER_CHANGE || m.order == USER_DISABLE || m.order == USER_REMOVE;
	answer.came = false;
	desk_user(&desk, 4, &m, now);
	assert(!answer.came || answer.session[0] == 0);
	if (answer.came && answer.status == ANSWER_YES && m.text != own && m.order == USER_DISABLE)
		end_of(whose[which % 5]);
}

/* The account to which secret `i` was given; NULL: none. */
static const struct account *bearer(size_t i)
{
	return given[i].begun != 0 ? book_account(&desk.book, given[i].name) : NULL;
}

/* An order counts as a use of its session, whatever happens to the order. */
static void used(size_t i, uint8_t family, const uint8_t at[16], const uint8_t shown[DIGEST_BYTES])
{
	struct addr from = desk_from(family, at);

	if (given[i].begun != 0 && !given[i].ended && addr_cmp(&from, &given[i].from) == 0 &&
	    (!given[i].pinned || memcmp(given[i].shown, shown, DIGEST_BYTES) == 0) &&
	    now.ns - given[i].begun < SESSION_LIMIT_NS && now.ns - given[i].used < SESSION_IDLE_NS)
		given[i].used = now.ns;
}

/* An order of an account manager over the web, or of somebody who claims to be one. */
static void manage(struct bytes *b)
{
	static const char *const names[] = { "anna", "bert", "carl", "dora" };
	static const char *const roles[] = { "viewer", "ot_author,approver", "account_manager", "nobody" };
	uint8_t which = 0, what = 0, about = 0;
	struct msg_manage m = { .phrase = "wrong" };
	const struct account *of;
	char seen[ACCOUNT_SEEN] = "", text[300];

	bytes_u8(b, &which);
	bytes_u8(b, &what);
	bytes_u8(b, &about);
	put_from(which / GIVEN, &m.family, m.from);
	memcpy(m.secret, given[which % GIVEN].secret, SECRET_BYTES);
	put_shown(about >> 6, m.shown);
	m.order = what % MANAGE_ORDERS;
	if (what < 200)
		memcpy(m.phrase, RIGHT, sizeof(RIGHT));
	of = book_account(&desk.book, names[about % 4]);
	if (of != NULL && about < 200)
		account_seen(of, seen);
	snprintf(text, sizeof(text),
		 "{\"name\":\"%s\",\"seen\":\"%s\",\"full_name\":\"F\",\"reason\":\"r\",\"roles\":\"%s\"}",
		 names[about % 4], seen, roles[about / 4 % 4]);
	m.text = text;
	answer.came = false;
	desk_manage(&desk, 5, &m, now);
	/* Nothing is done before the passphrase was checked. */
	assert(!answer.came || answer.status != ANSWER_YES);
	if (bearer(which % GIVEN) == NULL)
		assert(answer.came && answer.status != ANSWER_YES);
	used(which % GIVEN, m.family, m.from, m.shown);
}

/* A person changes their own passphrase. */
static void choose(struct bytes *b)
{
	struct msg_passphrase m = { .phrase = "wrong", .fresh = "three herons argue quietly" };
	uint8_t which = 0, how = 0;

	bytes_u8(b, &which);
	bytes_u8(b, &how);
	put_from(which / GIVEN, &m.family, m.from);
	memcpy(m.secret, given[which % GIVEN].secret, SECRET_BYTES);
	put_shown(how >> 6, m.shown);
	if ((how & 1) != 0)
		memcpy(m.phrase, RIGHT, sizeof(RIGHT));
	answer.came = false;
	desk_passphrase(&desk, 6, &m, now);
	assert(!answer.came || answer.status != ANSWER_YES);
	used(which % GIVEN, m.family, m.from, m.shown);
}

/* Whatever happens: every manager was made one by root, there is always a manager unless root has
 * shut them out, and nobody who is shut out has a session. */
static void nobody_rose(void)
{
	const struct account *bert = book_account(&desk.book, "bert");

	for (size_t i = 0; i < desk.book.n_accounts; i++)
		assert(strstr(desk.book.accounts[i].by, "(web)") == NULL ||
		       !duty_may(desk.book.accounts[i].duties, RIGHT_ACCOUNTS) || managers_by_root);
	assert(managers_by_root || (bert != NULL && !bert->disabled && duty_may(bert->duties, RIGHT_ACCOUNTS)));
	for (size_t i = 0; i < SESSIONS_MOST; i++) {
		const struct session *x = &desk.sessions.all[i];
		const struct account *a = session_alive(x, now.ns) ? book_account(&desk.book, x->name) : NULL;

		assert(!session_alive(x, now.ns) || (a != NULL && !a->disabled));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	struct msg_accounts_status status;
	uint8_t step, by;

	open_desk();
	while (bytes_u8(&b, &step)) {
		/* New steps were added at the end, so that older inputs keep their meaning. */
		switch (step < 224 ? step % 7 : 7 + step % 2) {
		case 0:
			login(&b);
			break;
		case 1:
			hashed(&b);
			break;
		case 2:
		case 3:
			show(&b, step % 7 == 3);
			break;
		case 4:
			order(&b);
			break;
		case 5:
			by = 0;
			bytes_u8(&b, &by);
			now.ns += by * by * S;
			now.wall_s += by * by;
			desk_look(&desk, now);
			break;
		case 7:
			manage(&b);
			break;
		case 8:
			choose(&b);
			break;
		default:
			disk_full = !disk_full;
			break;
		}
		nobody_rose();
	}
	desk_status(&desk, now, &status);
	assert(status.accounts <= ACCOUNTS_MOST && status.sessions <= SESSIONS_MOST);
	return 0;
}
