/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person changes his own passphrase: he types the present one and a new one. When an account
 * manager has handed out (and so seen) the passphrase, a session can do nothing else. Also the
 * check of session and passphrase with which every such order begins.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"

struct job *desk_again(struct desk *d, uint32_t id, enum job_kind kind, const struct addr *from,
		       const uint8_t shown[DIGEST_BYTES], const uint8_t secret[SECRET_BYTES],
		       const uint8_t phrase[LOGIN_PHRASE], struct moment now)
{
	char typed[LOGIN_PHRASE + 1];
	const struct account *a;
	struct session *x;
	bool asked;
	struct job *j;

	a = desk_person(d, id, secret, from, shown, now, &x);
	if (a == NULL)
		return NULL;
	x->used = now.ns;
	j = desk_stranger(d, id, from);
	if (j == NULL)
		return NULL;
	j->kind = kind;
	j->known = true;
	snprintf(j->name, sizeof(j->name), "%s", a->name);
	snprintf(j->by, sizeof(j->by), "%s", a->name);
	snprintf(j->hash, sizeof(j->hash), "%s", a->hash);
	memcpy(j->secret, secret, SECRET_BYTES);
	memcpy(j->shown, shown, sizeof(j->shown));
	/* Otherwise the thief of a session could try passphrases without end. */
	if (lockout_locked(&d->lockout, a->name, from, now.ns)) {
		j->deed = true;
		desk_refuse(d, id, ANSWER_INVALID, M_MANAGE_REFUSED);
		desk_job_end(j);
		return NULL;
	}
	desk_copy_field(typed, phrase, LOGIN_PHRASE);
	j->leaked = desk_leaked(d, typed);
	j->locks = lockout_failed(&d->lockout, j->name, from, now.ns);
	asked = desk_hash(d, j, typed, j->hash);
	explicit_bzero(typed, sizeof(typed));
	if (!asked) {
		desk_come_again(d, j);
		desk_job_end(j);
		return NULL;
	}
	return j;
}

struct account *desk_still_there(struct desk *d, const struct job *j, struct moment now)
{
	const struct session *x = desk_session_at(d, j->secret, &j->from, j->shown, now);
	struct account *a = x != NULL && strcmp(x->name, j->name) == 0 ? book_account(&d->book, x->name) : NULL;

	if (a != NULL && !a->disabled && desk_same_hash(a->hash, j->hash))
		return a;
	desk_nobody(d, j->id);
	return NULL;
}

bool desk_typed_right(struct desk *d, struct job *j, const struct account *a, const struct hash_answer *h,
		      enum message wrong)
{
	bool right = h->ok && desk_same_hash(h->hash, a->hash);

	if (!h->ok) {
		desk_come_again(d, j);
	} else if (!right) {
		desk_failed(d, j);
		desk_refuse(d, j->id, ANSWER_INVALID, wrong);
	}
	return right;
}

/* The present passphrase was right: checks the new one and has it hashed. */
static void take_new(struct desk *d, struct job *j, const struct account *a)
{
	char setting[PASSPHRASE_HASH];

	lockout_forget(&d->lockout, j->name, &j->from);
	if (j->same)
		desk_refuse(d, j->id, ANSWER_INVALID, M_PASSPHRASE_SAME);
	else if (desk_phrase_good(d, j->id, j->proof, a->name) &&
		 (!passphrase_setting(setting) || !desk_hash(d, j, j->proof, setting)))
		desk_refuse(d, j->id, ANSWER_CANNOT, M_LOGIN_BUSY);
}

/* Ends all sessions but the one that made the change: the others may belong to somebody who knew
 * the old passphrase. The session that made the change is no longer restricted by a leaked
 * passphrase. */
static void end_others(struct desk *d, const struct job *j, struct moment now)
{
	struct session *own = sessions_find(&d->sessions, j->secret, now.ns);

	if (own != NULL)
		own->leaked = false;
	sessions_end_others(&d->sessions, j->name, own, now.ns);
}

static void new_taken(struct desk *d, struct job *j, const char *hash, struct moment now)
{
	struct account *a, before;

	j->deed = false; /* when the account is gone, the answer says so */
	a = desk_still_there(d, j, now);
	if (a == NULL)
		return;
	j->deed = true;
	before = *a;
	snprintf(a->hash, sizeof(a->hash), "%s", hash);
	a->phrase_since = now.wall_s;
	a->handed = false;
	if (desk_save(d)) {
		end_others(d, j, now);
		desk_event(d, ACCOUNT_OWN_PASSPHRASE, (struct account_note){ .from = &j->from, .object = a->name });
		desk_answer(d, j->id, ANSWER_YES, json_object());
	} else {
		*a = before;
		desk_refuse(d, j->id, ANSWER_CANNOT, M_USER_UNSAVED);
	}
	explicit_bzero(&before, sizeof(before));
}

bool desk_passphrase_hashed(struct desk *d, struct job *j, const struct hash_answer *h, struct moment now)
{
	const struct account *a;

	if (j->deed) {
		if (!h->ok || !passphrase_is_hash(h->hash))
			desk_refuse(d, j->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
		else
			new_taken(d, j, h->hash, now);
		return false;
	}
	a = desk_still_there(d, j, now);
	if (a == NULL)
		return false;
	j->deed = true;
	if (desk_typed_right(d, j, a, h, M_MANAGE_REFUSED))
		take_new(d, j, a);
	return j->hash_id != 0;
}

void desk_passphrase(struct desk *d, uint32_t id, const struct msg_passphrase *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	struct job *j = desk_again(d, id, JOB_PASSPHRASE, &from, m->shown, m->secret, m->phrase, now);

	if (j == NULL)
		return;
	snprintf(j->label, sizeof(j->label), "own_passphrase");
	desk_copy_field(j->proof, m->fresh, LOGIN_PHRASE);
	j->same = strncmp((const char *)m->phrase, (const char *)m->fresh, LOGIN_PHRASE) == 0;
}
