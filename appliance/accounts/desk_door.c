/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers may ask: a login, what a session or a token may do, a logout. Also routes a
 * finished hash to its login or to the desk file that asked for it.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/wire/duty.h"

#define SAVE_USE_S 3600u /* least time between two writes of a token's last use */

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
			desk_event(d, ACCOUNT_REFUSED, &from, a != NULL ? a->name : NULL, NULL, NULL, NULL, count);
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
 * A code of another time. The person has typed the right passphrase and is told that the clocks
 * differ; only the record says by how much. The code no longer lets anybody in: otherwise the
 * answer would tell a guesser which code to wait for.
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

/* True: the login still waits for something. */
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
		desk_certificate_login(d, j, a, now);
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
	for (size_t i = 0; i < DESK_JOBS; i++) {
		struct job *j = &d->jobs[i];
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
	if (t->pinned && !secret_same(t->pin, m->shown, DIGEST_BYTES)) {
		desk_event(d, ACCOUNT_CERTIFICATE_ELSEWHERE, from, t->label, NULL, NULL, NULL, 1);
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
	x = desk_session_at(d, m->secret, &from, m->shown, now);
	a = x != NULL ? book_account(&d->book, x->name) : NULL;
	if (a == NULL || a->disabled) {
		desk_nobody(d, id);
		return;
	}
	if (m->quiet == 0)
		x->used = now.ns;
	/* The account manager who handed out this passphrase knows it too. */
	if (a->handed && m->right < RIGHT_COUNT) {
		desk_refuse(d, id, ANSWER_INVALID, M_LOGIN_CHOOSE);
		return;
	}
	if (x->leaked && m->right < RIGHT_COUNT) {
		desk_refuse(d, id, ANSWER_INVALID, M_LOGIN_LEAKED);
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
	desk_event(d, ACCOUNT_LOGGED_OUT, &from, x->name, NULL, NULL, NULL, 1);
	session_end(x);
	desk_answer(d, id, ANSWER_YES, json_object());
}
