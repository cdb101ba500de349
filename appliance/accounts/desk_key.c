/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security keys: what a key is to sign, the login by key, and a person's orders about his own keys.
 * The role hands what a browser sent to sekisho-webauthn unread, after the passphrase was right.
 * sekisho-webauthn answers with a few numbers. Of these, the challenge and the count are judged
 * here.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/book_json.h"
#include "appliance/accounts/challenges.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/desk_key.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/json.h"

void desk_challenge(struct desk *d, uint32_t id, const struct msg_challenge *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	uint8_t challenge[WEBAUTHN_CHALLENGE];

	if (!challenge_make(&d->challenges, &from, now.ns, challenge)) {
		desk_refuse(d, id, ANSWER_CANNOT, M_LOGIN_BUSY);
		return;
	}
	desk_answer(d, id, ANSWER_YES,
		    json_pack("{s:o, s:s, s:s, s:I}", "challenge", json_hex(challenge, sizeof(challenge)), "site",
			      WEBAUTHN_SITE, "origin", WEBAUTHN_ORIGIN, "seconds", (json_int_t)WEBAUTHN_CHALLENGE_S));
}

json_t *desk_own_keys(const struct account *a)
{
	json_t *list = book_keys_json(a);

	for (size_t i = 0; list != NULL && i < a->n_keys; i++)
		json_object_set_new(json_array_get(list, i), "id",
				    json_hex(a->keys[i].public.id, a->keys[i].public.n_id));
	return list;
}

bool desk_prove(struct desk *d, struct job *j, const struct account *a)
{
	struct webauthn_question q = { .id = ++d->last_proof != 0 ? d->last_proof : ++d->last_proof,
				       .enrol = j->kind == JOB_KEY };

	if (!q.enrol) {
		q.n_keys = (uint8_t)a->n_keys;
		for (size_t i = 0; i < a->n_keys; i++)
			q.keys[i] = j->keys[i] = a->keys[i].public;
	}
	snprintf(q.text, sizeof(q.text), "%s", j->proof);
	if (!d->out.prove(d->out.ctx, &q))
		return false;
	j->proof_id = q.id;
	return true;
}

/* ---- a login --------------------------------------------------------------------------------- */

/* The account's key that has signed. NULL: it was removed meanwhile, even if another one has its
 * index now. */
static struct key *key_that_signed(struct account *a, const struct job *j, uint8_t which)
{
	for (size_t i = 0; a != NULL && which < WEBAUTHN_KEYS && i < a->n_keys; i++)
		if (memcmp(&a->keys[i].public, &j->keys[which], sizeof(j->keys[which])) == 0)
			return &a->keys[i];
	return NULL;
}

/* A key counts its signatures, or always says 0. A count that has not grown means that a copy of
 * the key exists. */
static bool counts_on(struct desk *d, const struct job *j, const struct account *a, const struct key *k, uint32_t count)
{
	if (count > k->count || (count == 0 && k->count == 0))
		return true;
	desk_event(d, ACCOUNT_KEY_COPIED,
		   (struct account_note){ .from = &j->from, .object = a->name, .after = k->label });
	return false;
}

static void login_proved(struct desk *d, struct job *j, const struct webauthn_answer *p, bool fresh, struct moment now)
{
	struct account *a = book_account(&d->book, j->name);
	struct key *k = p->holds && fresh ? key_that_signed(a, j, p->which) : NULL;

	if (k == NULL || a->disabled || !desk_same_hash(a->hash, j->hash) || !counts_on(d, j, a, k, p->count)) {
		desk_login_refused(d, j);
		return;
	}
	k->count = p->count;
	k->used = now.wall_s;
	desk_let_in(d, j, a, false, now);
}

/* ---- a person's own keys --------------------------------------------------------------------- */

static void answer_keys(struct desk *d, const struct job *j, const struct account *a)
{
	lockout_forget(&d->lockout, j->name, &j->from);
	desk_answer(d, j->id, ANSWER_YES, json_pack("{s:b, s:o}", "totp", !a->no_totp, "keys", desk_own_keys(a)));
}

static void key_refused(struct desk *d, struct job *j)
{
	desk_failed(d, j);
	desk_refuse(d, j->id, ANSWER_INVALID, M_KEY_REFUSED);
}

/* The passphrase was right, so this does not count as a guess. */
static void key_wrong(struct desk *d, const struct job *j, enum message why)
{
	lockout_take_back(&d->lockout, j->name, &j->from);
	desk_refuse(d, j->id, ANSWER_INVALID, why);
}

static void key_proved(struct desk *d, struct job *j, const struct webauthn_answer *p, bool fresh, struct moment now)
{
	struct account *a = desk_still_there(d, j, now), before;
	struct key k = { .public = p->key, .count = p->count, .since = now.wall_s };

	if (a == NULL)
		return;
	before = *a;
	snprintf(k.label, sizeof(k.label), "%s", j->label);
	if (!p->holds || !fresh || p->key.kind >= WEBAUTHN_KINDS || p->key.n_id == 0) {
		key_refused(d, j);
	} else if (book_key_owner(&d->book, &k.public) != NULL) {
		key_wrong(d, j, M_KEY_TAKEN);
	} else if (a->n_keys == WEBAUTHN_KEYS) {
		key_wrong(d, j, M_KEY_FULL);
	} else if (account_key(a, k.label) != NULL) {
		key_wrong(d, j, M_KEY_LABEL);
	} else {
		a->keys[a->n_keys++] = k;
		if (desk_kept(d, j->id, a, &before)) {
			desk_event(d, ACCOUNT_KEY_ADDED,
				   (struct account_note){ .from = &j->from, .object = a->name, .after = k.label });
			answer_keys(d, j, a);
		}
	}
	explicit_bzero(&before, sizeof(before));
}

/* Ends the other sessions: whoever found a lost key may have opened any of them. A removal by root
 * ends them too. */
static void remove_key(struct desk *d, struct job *j, struct account *a, struct moment now)
{
	struct key *k = account_key(a, j->label);
	struct account before = *a;

	if (k == NULL) {
		key_wrong(d, j, M_KEY_UNKNOWN);
	} else if (a->no_totp && a->n_keys == 1) {
		key_wrong(d, j, M_KEY_LAST);
	} else {
		account_remove_key(a, k);
		if (desk_kept(d, j->id, a, &before)) {
			sessions_end_others(&d->sessions, a->name, sessions_find(&d->sessions, j->secret, now.ns),
					    now.ns);
			desk_event(d, ACCOUNT_KEY_REMOVED,
				   (struct account_note){ .from = &j->from, .object = a->name, .after = j->label });
			answer_keys(d, j, a);
		}
	}
	explicit_bzero(&before, sizeof(before));
}

void desk_key_hashed(struct desk *d, struct job *j, const struct hash_answer *h, struct moment now)
{
	struct account *a = desk_still_there(d, j, now);

	if (a == NULL || !desk_typed_right(d, j, a, h, M_KEY_REFUSED))
		return;
	if (j->leaked)
		desk_leaked_typed(d, j, now);
	else if (j->key_order == KEY_REMOVE)
		remove_key(d, j, a, now);
	else if (!desk_prove(d, j, a))
		desk_come_again(d, j);
}

void desk_key(struct desk *d, uint32_t id, const struct msg_key *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	char label[LOGIN_LABEL + 1];
	const struct account *a;
	struct session *x;
	struct job *j;

	a = desk_person(d, id, m->secret, &from, m->shown, now, &x);
	if (a == NULL)
		return;
	x->used = now.ns;
	/* Refused: somebody else knows this passphrase, too, and could leave a key of his own
	 * behind. */
	if (a->handed || x->leaked) {
		desk_refuse(d, id, ANSWER_INVALID, a->handed ? M_LOGIN_CHOOSE : M_LOGIN_LEAKED);
		return;
	}
	if (m->order == KEY_ADD && d->no_keys) {
		desk_refuse(d, id, ANSWER_INVALID, M_LOGIN_NO_KEYS);
		return;
	}
	desk_copy_field(label, m->label, LOGIN_LABEL);
	if (text_is_blank(label, KEY_LABEL) || !text_is_plain(label, KEY_LABEL)) {
		desk_refuse(d, id, ANSWER_INVALID, M_KEY_LABEL);
		return;
	}
	/* Otherwise the thief of a session could try passphrases without end. */
	if (lockout_locked(&d->lockout, a->name, &from, now.ns)) {
		desk_refuse(d, id, ANSWER_INVALID, M_KEY_REFUSED);
		return;
	}
	j = desk_again(d, id, JOB_KEY, &from, m->shown, m->secret, m->phrase, now);
	if (j == NULL)
		return;
	j->key_order = (enum key_order)m->order;
	snprintf(j->label, sizeof(j->label), "%s", label);
	snprintf(j->proof, sizeof(j->proof), "%s", m->proof);
}

void desk_without_keys(struct desk *d)
{
	d->no_keys = true;
	desk_event(d, ACCOUNT_NO_KEYS, (struct account_note){ 0 });
}

/* ---- the result of a check ------------------------------------------------------------------- */

void desk_proved(struct desk *d, const struct webauthn_answer *p, struct moment now)
{
	for (struct job *j = d->jobs; j < d->jobs + DESK_JOBS; j++) {
		bool fresh;

		if (!j->used || j->proof_id == 0 || j->proof_id != p->id)
			continue;
		/* The challenge is used up, whatever else is wrong. */
		fresh = p->challenged && challenge_use(&d->challenges, &j->from, now.ns, p->challenge);
		if (j->kind == JOB_LOGIN)
			login_proved(d, j, p, fresh, now);
		else
			key_proved(d, j, p, fresh, now);
		desk_job_end(j);
		return;
	}
}
