/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What everybody may ask: a login, what a session, a token or a login of the machine may do, a
 * logout, and a review that is signed in the name of an account. Also routes a finished hash to its
 * login or to the desk file that asked for it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/accounts/book_json.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_door.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/desk_key.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_manage.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

/* least time between two writes of the last use of a token or of a login */
#define SAVE_USE_S 3600u

/* ---- a certificate as the second factor ------------------------------------------------------ */

/*
 * TLS client certificates as the second factor. TLS has proven the possession of the private key
 * before a byte of HTTP was read. Each question brings the certificate's SHA-256; it is looked up
 * here among those that root has enrolled. The certificate itself is never parsed.
 */

#define SHOWN_DIGITS 8u /* bytes of a digest that people see, to tell certificates apart */

static const char *shown_text(const uint8_t shown[DIGEST_BYTES], char out[2 * SHOWN_DIGITS + 1])
{
	static const uint8_t none[DIGEST_BYTES];

	hex_text(shown, SHOWN_DIGITS, out);
	return memcmp(shown, none, DIGEST_BYTES) != 0 ? out : NULL;
}

/* The passphrase was right. */
static void certificate_login(struct desk *d, struct job *j, struct account *a, struct moment now)
{
	struct pin *p = account_pin_of(a, j->shown);
	char text[2 * SHOWN_DIGITS + 1];

	if (p == NULL) {
		desk_event(d, ACCOUNT_CERTIFICATE_REFUSED,
			   (struct account_note){
				   .from = &j->from, .object = a->name, .after = shown_text(j->shown, text) });
		desk_login_refused(d, j);
	} else if (now.wall_s >= p->until) {
		/* Both factors were right, so nobody has guessed: the answer may say what is
		 * wrong. */
		lockout_take_back(&d->lockout, j->name, &j->from);
		desk_event(d, ACCOUNT_CERTIFICATE_EXPIRED,
			   (struct account_note){ .from = &j->from, .object = a->name, .after = p->label });
		d->refused++;
		desk_refuse(d, j->id, ANSWER_NO, M_CERTIFICATE_OVER);
	} else {
		p->used = now.wall_s;
		desk_let_in(d, j, a, false, now);
	}
}

/* ---- a login --------------------------------------------------------------------------------- */

void desk_login(struct desk *d, uint32_t id, const struct msg_login *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	char name[LOGIN_NAME + 1], phrase[LOGIN_PHRASE + 1];
	const struct account *a;
	uint64_t count = 0;
	struct job *j;

	/* Refused before anything is compared, so the answer does not tell whether the rest was
	 * right. */
	if (m->kind == PROOF_KEY && d->no_keys) {
		desk_refuse(d, id, ANSWER_CANNOT, M_LOGIN_NO_KEYS);
		return;
	}
	desk_copy_field(name, m->name, LOGIN_NAME);
	a = book_account(&d->book, name);
	if (lockout_locked(&d->lockout, name, &from, now.ns)) {
		if (lockout_refused(&d->lockout, name, &from, &count))
			desk_event(d, ACCOUNT_REFUSED,
				   (struct account_note){
					   .from = &from, .object = a != NULL ? a->name : NULL, .count = count });
		desk_say_refused(d, id);
		return;
	}
	j = desk_stranger(d, id, &from);
	if (j == NULL)
		return;
	j->kind = JOB_LOGIN;
	memcpy(j->name, name, sizeof(name));
	j->proof_kind = (enum proof)m->kind;
	snprintf(j->proof, sizeof(j->proof), "%s", m->proof);
	memcpy(j->shown, m->shown, sizeof(j->shown));
	j->known = a != NULL;
	snprintf(j->hash, sizeof(j->hash), "%s", a != NULL ? a->hash : d->stranger);
	desk_copy_field(phrase, m->phrase, LOGIN_PHRASE);
	/* Every phrase is looked up, so the time tells nobody whether the account exists. */
	j->leaked = desk_leaked(d, phrase);
	/* Counted as a failure until it succeeds: otherwise as many guesses could run at once as
	 * there are jobs. */
	j->locks = lockout_failed(&d->lockout, name, &from, now.ns);
	if (!desk_hash(d, j, phrase, j->hash)) {
		desk_come_again(d, j);
		desk_job_end(j);
	}
	explicit_bzero(phrase, sizeof(phrase));
}

/*
 * A code by the clock, or one of the paper codes. A used code is marked in memory at once. A paper
 * code is on the disk before it lets anybody in. A clock code soon expires by itself, so its owner
 * gets in even if the disk is full.
 */
static bool second_factor(struct account *a, const char *code, struct moment now, bool *ret_paper)
{
	uint64_t step;

	*ret_paper = false;
	if (!a->no_totp && totp_found(a->totp, code, now.wall_s, TOTP_SLACK, a->totp_step, &step) &&
	    step != a->totp_told) {
		a->totp_step = step;
		return true;
	}
	*ret_paper = account_use_recovery(a, code);
	return *ret_paper;
}

/*
 * Looks whether the refused code is the code of another time. If so, the person, who has typed the
 * right passphrase, is told that the clocks differ; only the record says by how much. The code no
 * longer lets anybody in: otherwise the answer would tell a guesser which code to wait for.
 */
static void look_elsewhen(struct job *j, struct account *a, struct moment now)
{
	uint64_t step, here = now.wall_s / TOTP_STEP_S;

	if (a->no_totp || !totp_found(a->totp, j->proof, now.wall_s, TOTP_AWAY, a->totp_step, &step) ||
	    step == a->totp_told)
		return;
	a->totp_told = step;
	snprintf(j->away, sizeof(j->away), "%c%llu s", step < here ? '-' : '+',
		 (unsigned long long)(step < here ? here - step : step - here) * TOTP_STEP_S);
}

/* Goes on with a login when its passphrase is hashed. True: it still waits, for the check of a
 * security key. */
static bool login_hashed(struct desk *d, struct job *j, const struct hash_answer *h, struct moment now)
{
	struct account *a = j->known ? book_account(&d->book, j->name) : NULL;
	/* The passphrase, or the account of that name, may have changed while the hash ran. */
	bool phrase = a != NULL && desk_same_hash(h->hash, j->hash) && desk_same_hash(h->hash, a->hash) &&
		      !a->disabled && !account_handed_over(a, now.wall_s);
	bool paper = false;

	/* The hash failed, by lack of memory for instance: right and wrong look the same, and
	 * nobody is at fault. */
	if (!h->ok) {
		desk_come_again(d, j);
	} else if (phrase && j->proof_kind == PROOF_KEY && a->n_keys > 0) {
		if (desk_prove(d, j, a))
			return true;
		desk_come_again(d, j);
	} else if (phrase && j->proof_kind == PROOF_CERTIFICATE) {
		certificate_login(d, j, a, now);
	} else if (phrase && j->proof_kind == PROOF_CODE && second_factor(a, j->proof, now, &paper)) {
		desk_let_in(d, j, a, paper, now);
	} else {
		if (phrase && j->proof_kind == PROOF_CODE)
			look_elsewhen(j, a, now);
		desk_login_refused(d, j);
	}
	return false;
}

void desk_hashed(struct desk *d, const struct hash_answer *a, struct moment now)
{
	for (struct job *j = d->jobs; j < d->jobs + DESK_JOBS; j++) {
		/* the job may end below, so its fields are copied */
		const enum job_kind kind = j->kind;

		if (!j->used || j->hash_id == 0 || j->hash_id != a->id)
			continue;
		j->hash_id = 0; /* the answer of a hash is used once */
		if ((kind == JOB_LOGIN && login_hashed(d, j, a, now)) ||
		    (kind == JOB_MANAGE && desk_manage_hashed(d, j, a, now)) ||
		    (kind == JOB_PASSPHRASE && desk_passphrase_hashed(d, j, a, now)))
			return;
		if (kind == JOB_KEY)
			desk_key_hashed(d, j, a, now);
		else if (kind == JOB_ORDER)
			desk_user_hashed(d, j, a, now);
		if (j->proof_id == 0)
			desk_job_end(j);
		return;
	}
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void judge_token(struct desk *d, uint32_t id, const struct msg_judge *m, const struct addr *from,
			struct moment now)
{
	struct token *t = book_token_of(&d->book, m->secret, now.wall_s);

	if (t == NULL) {
		desk_nobody(d, id);
		return;
	}
	if (t->from.family != 0 && addr_cmp(&t->from, from) != 0) {
		desk_event(d, ACCOUNT_ELSEWHERE, (struct account_note){ .from = from, .object = t->label });
		desk_nobody(d, id);
		return;
	}
	if (t->pinned && !secret_same(t->pin, m->shown, DIGEST_BYTES)) {
		desk_event(d, ACCOUNT_CERTIFICATE_ELSEWHERE, (struct account_note){ .from = from, .object = t->label });
		desk_nobody(d, id);
		return;
	}
	if (m->quiet == 0 && (now.wall_s - t->used >= SAVE_USE_S || now.wall_s < t->used)) {
		t->used = now.wall_s;
		desk_save(d);
	}
	desk_may(d, id, m->right, from, t->label, t->duties,
		 json_pack("{s:s, s:o, s:s}", "via", "token", "name", json_text(t->label), "token", t->id));
}

void desk_judge(struct desk *d, uint32_t id, const struct msg_judge *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	const struct account *a;
	struct session *x;

	if (m->what == CREDENTIAL_TOKEN) {
		judge_token(d, id, m, &from, now);
		return;
	}
	a = desk_person(d, id, m->secret, &from, m->shown, now, &x);
	if (a == NULL)
		return;
	if (m->quiet == 0)
		x->used = now.ns;
	/* The account manager who handed out this passphrase knows it too. */
	if ((a->handed || x->leaked) && m->right < RIGHT_COUNT) {
		desk_refuse(d, id, ANSWER_INVALID, a->handed ? M_LOGIN_CHOOSE : M_LOGIN_LEAKED);
		return;
	}
	desk_may(d, id, m->right, &from, a->name, a->duties,
		 json_pack("{s:s, s:o, s:o, s:I, s:I, s:b, s:I, s:o, s:o, s:o, s:b, s:b}", "via", "session", "name",
			   json_text(a->name), "full_name", json_text(a->full), "session_number", (json_int_t)x->number,
			   "limit_s", (json_int_t)((SESSION_LIMIT_NS - (now.ns - x->begun)) / 1000000000), "totp",
			   !a->no_totp, "recovery_codes", (json_int_t)a->recovery_left, "handle",
			   json_hex(a->handle, ACCOUNT_HANDLE), "keys", desk_own_keys(a), "certificates",
			   book_pins_json(a, now.wall_s), "choose_passphrase", a->handed || x->leaked,
			   "passphrase_leaked", x->leaked));
}

void desk_logout(struct desk *d, uint32_t id, const struct msg_logout *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	struct session *x = desk_session_at(d, m->secret, &from, m->shown, now);

	if (x == NULL) {
		desk_nobody(d, id);
		return;
	}
	desk_event(d, ACCOUNT_LOGGED_OUT, (struct account_note){ .from = &from, .object = x->name });
	session_end(x);
	desk_answer(d, id, ANSWER_YES, json_object());
}

/* ---- a login at the machine ------------------------------------------------------------------ */

/*
 * Accounts for logins at the machine. The kernel and the supervisor say which login asks. The roles
 * that its account has at the time of each question say what it may do. There is no session: an
 * account that is disabled, or loses its login, has no rights from then on. Failed logins over the
 * web do not lock anybody out of the machine, because strangers can cause those.
 */
void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now)
{
	const struct addr nowhere = { .family = 0 };
	char login[LOGIN_NAME + 1];
	struct account *a;

	desk_copy_field(login, m->login, LOGIN_NAME);
	a = book_login_owner(&d->book, login, m->uid);
	/* If only the login's name or only its uid is the account's, the login belongs to another
	 * person, who came later. */
	if (a == NULL || a->disabled || strcmp(a->login, login) != 0 || a->login_uid != m->uid ||
	    !login_is_persons(m->uid)) {
		d->refused++;
		desk_refuse(d, id, ANSWER_NO, M_LOGIN_AT_MACHINE);
		return;
	}
	if (m->quiet == 0 && (now.wall_s - a->used >= SAVE_USE_S || now.wall_s < a->used)) {
		a->used = now.wall_s;
		desk_save(d);
	}
	desk_may(
		d, id, m->right, &nowhere, a->name, a->duties,
		json_pack("{s:s, s:o, s:o}", "via", "login", "name", json_text(a->name), "login", json_text(a->login)));
}

/* ---- a review of the records ----------------------------------------------------------------- */

/*
 * A review of the records, signed with the name of an account: who reviewed them and when, the
 * period of the records, and the result. The account must have the right and not be disabled. The
 * record also says whether root typed the name at the machine, or from which address the review was
 * signed over the web.
 */
#define STAMP 24

static bool stamp(uint64_t seconds, char out[STAMP])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	return seconds <= INT32_MAX * 4ull && gmtime_r(&t, &tm) != NULL &&
	       strftime(out, STAMP, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

/* "P 1.7.1, 2027-03-31, SHA-256 ab12..." */
static void say_clause(const struct msg_review *m, const char *until, char *out, size_t size)
{
	static const uint8_t none[sizeof(m->digest)];
	json_t *digest = json_hex(m->digest, sizeof(m->digest));
	bool shown = memcmp(m->digest, none, sizeof(none)) != 0;

	snprintf(out, size, "%s, %.10s%s%s", (const char *)m->clause, until, shown ? ", SHA-256 " : "",
		 shown ? json_string_value(digest) : "");
	json_decref(digest);
}

void desk_review(struct desk *d, uint32_t id, const struct msg_review *m, struct moment now)
{
	char name[LOGIN_NAME + 1], by[USER_BY + 1], since[STAMP], until[STAMP], range[EVENT_TEXT];
	static const enum account_event codes[][2] = { { ACCOUNT_REVIEWED, ACCOUNT_REVIEWED_FOUND },
						       { ACCOUNT_ANSWERED, ACCOUNT_ANSWERED_NOT } };
	bool clause = m->clause[0] != '\0';
	struct addr from = desk_from(m->family, m->from);
	const struct account *a;

	desk_copy_field(name, m->name, LOGIN_NAME);
	desk_copy_field(by, m->by, USER_BY);
	a = book_account(&d->book, name);
	if (a == NULL) {
		desk_refuse(d, id, ANSWER_NO, M_USER_UNKNOWN, text_is_name(name) ? name : "?");
		return;
	}
	if (a->disabled || !duty_may(a->duties, RIGHT_REVIEW)) {
		desk_refuse(d, id, ANSWER_NO, M_REVIEW_MAY_NOT, a->name);
		return;
	}
	if (m->since >= m->until ||
	    (clause ? m->until <= now.wall_s || m->until - now.wall_s > REVIEW_ASKED_S : m->until > now.wall_s) ||
	    !stamp(m->since, since) || !stamp(m->until, until)) {
		desk_refuse(d, id, ANSWER_INVALID, clause ? M_REVIEW_NEXT : M_REVIEW_RANGE);
		return;
	}
	if (!text_is_plain(m->note, REVIEW_NOTE) || (m->findings != 0 && text_is_blank(m->note, REVIEW_NOTE))) {
		desk_refuse(d, id, ANSWER_INVALID, M_REVIEW_NOTE, REVIEW_NOTE);
		return;
	}
	if (clause)
		say_clause(m, until, range, sizeof(range));
	else
		snprintf(range, sizeof(range), "%s/%s", since, until);
	desk_event(d, codes[clause][m->findings != 0],
		   (struct account_note){ .from = from.family != 0 ? &from : NULL,
					  .object = a->name,
					  .before = range,
					  .after = *m->note != 0 ? m->note : NULL,
					  .by = by });
	desk_answer(d, id, ANSWER_YES,
		    json_pack("{s:o, s:o, s:s, s:s, s:s}", "name", json_text(a->name), "full_name", json_text(a->full),
			      "from", since, "until", until, "result", m->findings != 0 ? "findings" : "none"));
}
