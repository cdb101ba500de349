/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root's orders at the command line about accounts, tokens and sessions, some of them also for
 * account managers over the web (desk_manage.c judges those). Each change is saved before the order
 * is answered, and taken back when saving fails: otherwise a person who was shut out could come in
 * again after a power cut. No order here asks for a login, because root needs none.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_enrol.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/qr.h"
#include "appliance/accounts/sessions.h"
#include "appliance/wire/duty.h"

#define FIRST_NAME "admin"

static struct account *named_account(const struct desk_order *o)
{
	struct account *a = book_account(&o->d->book, desk_said(o->said, "name"));

	if (a == NULL)
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_UNKNOWN,
			    text_is_name(desk_said(o->said, "name")) ? desk_said(o->said, "name") : "?");
	return a;
}

static json_t *totp_json(const struct account *a)
{
	char secret[BASE32_TEXT(TOTP_SECRET)], uri[QR_TEXT + 1];
	json_t *j;

	base32_text(a->totp, TOTP_SECRET, secret);
	snprintf(uri, sizeof(uri),
		 "otpauth://totp/Sekisho:%s?secret=%s&issuer=Sekisho&algorithm=SHA1&digits=%u&period=%u", a->name,
		 secret, TOTP_DIGITS, TOTP_STEP_S);
	j = json_pack("{s:s, s:s, s:o*}", "secret", secret, "uri", uri, "qr", qr_rows(uri));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(uri, sizeof(uri));
	return j;
}

/* Fresh paper codes; NULL when the kernel gave no random bytes. */
static json_t *recovery_json(struct account *a)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT];
	json_t *list;

	if (!account_recovery(a, codes))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		json_array_append_new(list, json_string(codes[i]));
	explicit_bzero(codes, sizeof(codes));
	return list;
}

/* Lifts the locks of failed logins. Who has new secrets has to get in with them. Returns whether
 * there was one. */
static bool lift_locks(const struct desk_order *o, const char *name, const char *why)
{
	size_t n = lockout_lift(&o->d->lockout, name, o->now.ns);

	if (n > 0)
		desk_event(o->d, ACCOUNT_UNLOCKED,
			   (struct account_note){
				   .from = o->from, .object = name, .after = why, .by = o->by, .count = n });
	return n > 0;
}

/* ---- orders that hash a passphrase ----------------------------------------------------------- */

/* The passphrase that was typed, or a generated one that is shown once. */
static const char *phrase_of(const struct desk_order *o, struct job *j, const char *name, const char **ret_phrase)
{
	const char *typed = desk_said(o->said, "passphrase");

	*ret_phrase = NULL;
	if (*typed == 0) {
		if (passphrase_make(j->made))
			*ret_phrase = j->made;
		else
			desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
		return *ret_phrase;
	}
	if (desk_phrase_good(o->d, o->id, typed, name))
		*ret_phrase = typed;
	return *ret_phrase;
}

static void start_hash(const struct desk_order *o, struct account *draft)
{
	char setting[PASSPHRASE_HASH];
	struct job *j = o->job != NULL ? o->job : desk_job(o->d, o->id);
	const char *phrase;

	if (j == NULL) {
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_LOGIN_BUSY);
		return;
	}
	j->order = o->order;
	j->draft = *draft;
	desk_put(j->name, sizeof(j->name), draft->name);
	desk_put(j->by, sizeof(j->by), o->by);
	if (phrase_of(o, j, draft->name, &phrase) == NULL) {
		desk_job_end(j);
		return;
	}
	if (!passphrase_setting(setting) || !desk_hash(o->d, j, phrase, setting)) {
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_LOGIN_BUSY);
		desk_job_end(j);
	}
}

/* The name of the person who gave the order. An account over the web gets " (web)" behind its name,
 * so that it cannot be mistaken for a login of the machine. */
static void put_by(const struct desk_order *o, char out[ACCOUNT_BY + 1])
{
	desk_put(out, ACCOUNT_BY + 1, o->by);
	if (o->from != NULL)
		snprintf(out, ACCOUNT_BY + 1, "%.*s (web)", (int)ACCOUNT_NAME, o->by);
}

static const struct addr *from_of(const struct job *j)
{
	return j->kind == JOB_MANAGE ? &j->from : NULL;
}

static void start_add(const struct desk_order *o)
{
	bool first = o->order == USER_FIRST;
	struct account a = { .since = o->now.wall_s };
	const char *name = first && *desk_said(o->said, "name") == 0 ? FIRST_NAME : desk_said(o->said, "name");

	if (first && o->d->book.n_accounts > 0) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_NOT_FIRST);
		return;
	}
	if (!text_is_name(name)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NAME);
		return;
	}
	if (book_account(&o->d->book, name) != NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_EXISTS, name);
		return;
	}
	if (first) {
		a.duties = UINT32_C(1) << DUTY_ACCOUNTS;
	} else if (!desk_read_duties(desk_said(o->said, "roles"), PERSON_DUTIES, &a.duties)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_ROLES);
		return;
	}
	if ((!first && (text_is_blank(desk_said(o->said, "full_name"), ACCOUNT_FULL) ||
			text_is_blank(desk_said(o->said, "reason"), ACCOUNT_REASON))) ||
	    !text_is_plain(desk_said(o->said, "full_name"), ACCOUNT_FULL) ||
	    !text_is_plain(desk_said(o->said, "reason"), ACCOUNT_REASON)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_WHO);
		return;
	}
	desk_put(a.name, sizeof(a.name), name);
	desk_put(a.full, sizeof(a.full), desk_said(o->said, "full_name"));
	desk_put(a.reason, sizeof(a.reason), desk_said(o->said, "reason"));
	put_by(o, a.by);
	start_hash(o, &a);
}

static void user_added(struct desk *d, struct job *j, struct moment now)
{
	struct account a = j->draft, *place;
	char list[DUTIES_TEXT];
	bool made = secret_make(a.totp, TOTP_SECRET) && secret_make(a.handle, ACCOUNT_HANDLE);
	json_t *recovery = made ? recovery_json(&a) : NULL, *answer;

	if (recovery == NULL) {
		desk_refuse(d, j->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
		return;
	}
	place = book_account(&d->book, a.name) == NULL ? book_add(&d->book) : NULL;
	if (place == NULL) {
		json_decref(recovery);
		desk_refuse(d, j->id, ANSWER_NO, d->book.n_accounts < ACCOUNTS_MOST ? M_USER_EXISTS : M_USER_FULL,
			    a.name);
		return;
	}
	a.phrase_since = now.wall_s;
	a.handed = j->kind == JOB_MANAGE;
	*place = a;
	if (!desk_save(d)) {
		book_remove(&d->book, place);
		json_decref(recovery);
		desk_refuse(d, j->id, ANSWER_CANNOT, M_USER_UNSAVED);
		return;
	}
	desk_event(
		d, ACCOUNT_ADDED,
		(struct account_note){
			.from = from_of(j), .object = a.name, .after = desk_duties_text(a.duties, list), .by = j->by });
	answer = json_pack("{s:o, s:o, s:o}", "account", book_account_json(&a, now.wall_s), "totp", totp_json(&a),
			   "recovery", recovery);
	if (j->made[0] != 0)
		json_object_set_new(answer, "passphrase", json_string(j->made));
	desk_answer(d, j->id, ANSWER_YES, answer);
	explicit_bzero(&a, sizeof(a));
}

static void phrase_set(struct desk *d, struct job *j, const char *hash, struct moment now)
{
	struct account *a = book_account(&d->book, j->name), before;
	json_t *answer;

	if (a == NULL) {
		desk_refuse(d, j->id, ANSWER_NO, M_USER_UNKNOWN, j->name);
		return;
	}
	before = *a;
	desk_put(a->hash, sizeof(a->hash), hash);
	a->phrase_since = now.wall_s;
	a->handed = j->kind == JOB_MANAGE;
	if (desk_kept(d, j->id, a, &before)) {
		sessions_end_of(&d->sessions, a->name, now.ns);
		desk_event(d, ACCOUNT_PASSPHRASE,
			   (struct account_note){ .from = from_of(j), .object = a->name, .by = j->by });
		lift_locks(&(struct desk_order){ .d = d, .by = j->by, .now = now, .from = from_of(j) }, a->name, NULL);
		answer = json_pack("{s:o}", "account", book_account_json(a, now.wall_s));
		if (j->made[0] != 0)
			json_object_set_new(answer, "passphrase", json_string(j->made));
		desk_answer(d, j->id, ANSWER_YES, answer);
	}
	explicit_bzero(&before, sizeof(before));
}

void desk_user_hashed(struct desk *d, struct job *j, const struct hash_answer *a, struct moment now)
{
	if (!a->ok || !passphrase_is_hash(a->hash)) {
		desk_refuse(d, j->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
		return;
	}
	if (j->order == USER_PASSWORD) {
		phrase_set(d, j, a->hash, now);
		return;
	}
	desk_put(j->draft.hash, sizeof(j->draft.hash), a->hash);
	user_added(d, j, now);
}

/* ---- orders that are done at once ------------------------------------------------------------ */

/* From where logins by that name are locked, and until when. */
static json_t *locks_json(const struct desk_order *o, const struct account *a)
{
	json_t *all = json_array();

	for (const struct lockout_entry *x = NULL; (x = lockout_next(&o->d->lockout, a->name, o->now.ns, x)) != NULL;)
		json_array_append_new(all,
				      json_pack("{s:o, s:o}", "from", json_addr(&x->from), "until",
						json_seconds(o->now.wall_s + (x->until - o->now.ns) / 1000000000)));
	return all;
}

static void user_list(const struct desk_order *o)
{
	char seen[ACCOUNT_SEEN];
	json_t *all = json_array();

	for (size_t i = 0; i < o->d->book.n_accounts; i++) {
		const struct account *a = &o->d->book.accounts[i];
		json_t *j = book_account_json(a, o->now.wall_s);

		json_object_set_new(j, "sessions",
				    json_integer((json_int_t)sessions_count(&o->d->sessions, a->name, o->now.ns)));
		json_object_set_new(j, "locks", locks_json(o, a));
		account_seen(a, seen);
		json_object_set_new(j, "seen", json_string(seen));
		json_array_append_new(all, j);
	}
	desk_answer(o->d, o->id, ANSWER_YES,
		    json_pack("{s:o, s:b, s:o, s:o}", "accounts", all, "damaged", o->d->damaged, "leaked",
			      desk_leaked_json(o->d), "approval", book_approval_json(&o->d->book)));
}

static void user_show(const struct desk_order *o, struct account *a)
{
	desk_answer(o->d, o->id, ANSWER_YES,
		    json_pack("{s:o, s:o}", "account", book_account_json(a, o->now.wall_s), "locks", locks_json(o, a)));
}

static void user_unlock(const struct desk_order *o, struct account *a)
{
	const char *reason = desk_said(o->said, "reason");

	if (text_is_blank(reason, ACCOUNT_REASON) || !text_is_plain(reason, ACCOUNT_REASON))
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_UNLOCK_WHY);
	else if (!lift_locks(o, a->name, reason))
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_NOT_LOCKED, a->name);
	else
		desk_answer_account(o, a);
}

static void user_change(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	char was[DUTIES_TEXT], is[DUTIES_TEXT];

	if (*desk_said(o->said, "roles") != 0 &&
	    !desk_read_duties(desk_said(o->said, "roles"), PERSON_DUTIES, &a->duties)) {
		*a = before;
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_ROLES);
		return;
	}
	if (!text_is_plain(desk_said(o->said, "full_name"), ACCOUNT_FULL) ||
	    !text_is_plain(desk_said(o->said, "reason"), ACCOUNT_REASON)) {
		*a = before;
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_WHO);
		return;
	}
	if (!text_is_blank(desk_said(o->said, "full_name"), ACCOUNT_FULL))
		desk_put(a->full, sizeof(a->full), desk_said(o->said, "full_name"));
	if (!text_is_blank(desk_said(o->said, "reason"), ACCOUNT_REASON))
		desk_put(a->reason, sizeof(a->reason), desk_said(o->said, "reason"));
	desk_changed(o, a, &before,
		     (struct account_change){ .what = ACCOUNT_CHANGED,
					      .before = desk_duties_text(before.duties, was),
					      .after = desk_duties_text(a->duties, is),
					      .shuts_out = (before.duties & ~a->duties) != 0 });
}

static void disable(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	bool off = o->order == USER_DISABLE;

	if (a->disabled == off) {
		if (off)
			sessions_end_of(&o->d->sessions, a->name, o->now.ns);
		desk_answer_account(o, a);
		return;
	}
	a->disabled = off;
	a->disabled_since = off ? o->now.wall_s : 0;
	a->disabled_by[0] = 0;
	if (off)
		put_by(o, a->disabled_by);
	desk_changed(o, a, &before,
		     (struct account_change){ .what = off ? ACCOUNT_DISABLED : ACCOUNT_ENABLED, .shuts_out = off });
}

/* An account is removed only when an earlier order has disabled it, which can be undone: records
 * name the account, and nobody finds it after its removal. */
static void remove_account(const struct desk_order *o, struct account *a)
{
	const struct account before = *a;

	if (!a->disabled) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_DISABLE_FIRST, a->name);
		return;
	}
	sessions_end_of(&o->d->sessions, a->name, o->now.ns);
	book_remove(&o->d->book, a);
	if (!desk_save(o->d)) {
		*book_add(&o->d->book) = before;
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_UNSAVED);
		return;
	}
	desk_event(o->d, ACCOUNT_REMOVED, (struct account_note){ .from = o->from, .object = before.name, .by = o->by });
	desk_answer_account(o, &before);
}

static void new_factor(const struct desk_order *o, struct account *a)
{
	bool paper = o->order == USER_RECOVERY;
	struct account before = *a;
	json_t *made = NULL;

	if (paper)
		made = recovery_json(a);
	else if (secret_make(a->totp, TOTP_SECRET)) {
		/* No code of the new secret was used yet. The step of the old secret may be far
		 * ahead, if the clock was. */
		a->totp_step = a->totp_told = 0;
		a->no_totp = false;
		made = totp_json(a);
	}
	if (made == NULL) {
		*a = before;
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
	} else if (desk_kept(o->d, o->id, a, &before)) {
		if (!paper)
			sessions_end_of(&o->d->sessions, a->name, o->now.ns);
		desk_event(o->d, paper ? ACCOUNT_RECOVERY : ACCOUNT_TOTP,
			   (struct account_note){ .from = o->from, .object = a->name, .by = o->by });
		lift_locks(o, a->name, NULL);
		desk_answer(o->d, o->id, ANSWER_YES,
			    json_pack("{s:o, s:o}", "account", book_account_json(a, o->now.wall_s),
				      paper ? "recovery" : "totp", made));
	} else {
		json_decref(made);
	}
	explicit_bzero(&before, sizeof(before));
}

/* Refused for an account without a security key, which would have only its ten paper codes left. */
static void totp_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;

	if (a->n_keys == 0) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_NO_KEY, a->name);
		return;
	}
	explicit_bzero(a->totp, sizeof(a->totp));
	a->no_totp = true;
	desk_changed(o, a, &before, (struct account_change){ .what = ACCOUNT_TOTP_REMOVED });
}

/* The last key may be removed too: it may be lost, and somebody may have found it. */
static void key_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	struct key *k = account_key(a, desk_said(o->said, "key"));

	if (k == NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_KEY_UNKNOWN);
		return;
	}
	account_remove_key(a, k);
	desk_changed(o, a, &before,
		     (struct account_change){
			     .what = ACCOUNT_KEY_REMOVED, .after = desk_said(o->said, "key"), .shuts_out = true });
}

static void user_sessions(const struct desk_order *o)
{
	json_t *all = json_array();

	for (const struct session *x = o->d->sessions.all; x < o->d->sessions.all + SESSIONS_MOST; x++) {
		if (session_alive(x, o->now.ns))
			json_array_append_new(
				all, json_pack("{s:I, s:o, s:o, s:o, s:I, s:I}", "number", (json_int_t)x->number,
					       "name", json_text(x->name), "from", json_addr(&x->from), "since",
					       json_time(x->since * 1000000000u), "idle_s",
					       (json_int_t)((o->now.ns - x->used) / 1000000000), "left_s",
					       (json_int_t)((SESSION_LIMIT_NS - (o->now.ns - x->begun)) / 1000000000)));
	}
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "sessions", all));
}

/* With a name, ends all sessions of that account; with a number, that one session. */
static void session_end_order(const struct desk_order *o)
{
	const char *name = desk_said(o->said, "name");
	char of[ACCOUNT_NAME + 1] = "";
	size_t n = 0;

	for (struct session *x = o->d->sessions.all; x < o->d->sessions.all + SESSIONS_MOST; x++) {
		char number[12];

		snprintf(number, sizeof(number), "%u", x->number);
		if (!session_alive(x, o->now.ns) || (strcmp(x->name, name) != 0 && strcmp(number, name) != 0))
			continue;
		desk_put(of, sizeof(of), x->name);
		session_end(x);
		n++;
	}
	if (n == 0) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_NO_SESSION);
		return;
	}
	desk_event(o->d, ACCOUNT_SESSIONS_ENDED,
		   (struct account_note){ .from = o->from, .object = of, .by = o->by, .count = n });
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:I}", "ended", (json_int_t)n));
}

static void user_roles(const struct desk_order *o)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < DUTY_COUNT; i++)
		json_array_append_new(all, json_pack("{s:s, s:o}", "role", duty_word(i), "rights",
						     rights_json(duty_rights(UINT32_C(1) << i))));
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "roles", all));
}

/* Says whether a policy from the web pages needs a second person, and sets it if ordered so. A
 * repeated order is recorded only if its reason differs. */
static void approval(const struct desk_order *o)
{
	struct one_person *p = &o->d->book.one_person;
	const struct one_person before = *p;
	const char *reason = desk_said(o->said, "reason");
	bool off = o->order == USER_APPROVAL_OFF;

	if (off && (text_is_blank(reason, ACCOUNT_REASON) || !text_is_plain(reason, ACCOUNT_REASON))) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_APPROVAL_WHY);
		return;
	}
	if (o->order != USER_APPROVAL && (off != p->enough || (off && strcmp(reason, p->reason) != 0))) {
		*p = (struct one_person){ .enough = off, .since = off ? o->now.wall_s : 0 };
		desk_put(p->reason, sizeof(p->reason), off ? reason : "");
		desk_put(p->by, sizeof(p->by), off ? o->by : "");
		if (!desk_save(o->d)) {
			*p = before;
			desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_UNSAVED);
			return;
		}
		desk_event(o->d, off ? ACCOUNT_APPROVAL_OFF : ACCOUNT_APPROVAL_ON,
			   (struct account_note){ .after = off ? reason : NULL, .by = o->by });
	}
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "approval", book_approval_json(&o->d->book)));
}

/* ---- dispatch -------------------------------------------------------------------------------- */

static void leaked_show(const struct desk_order *o)
{
	desk_leaked_show(o->d, o->id);
}

/* Orders about the account that is named. */
static void (*const of_account[USER_ORDERS])(const struct desk_order *o, struct account *a) = {
	[USER_SHOW] = user_show,
	[USER_KEYS] = user_show,
	[USER_CERTIFICATES] = user_show,
	[USER_CHANGE] = user_change,
	[USER_DISABLE] = disable,
	[USER_ENABLE] = disable,
	[USER_REMOVE] = remove_account,
	[USER_PASSWORD] = start_hash,
	[USER_TOTP] = new_factor,
	[USER_RECOVERY] = new_factor,
	[USER_TOTP_REMOVE] = totp_remove,
	[USER_KEY_REMOVE] = key_remove,
	[USER_CERTIFICATE_ADD] = desk_certificate_add,
	[USER_CERTIFICATE_REMOVE] = desk_certificate_remove,
	[USER_LOGIN_ADD] = desk_login_add,
	[USER_LOGIN_REMOVE] = desk_login_remove,
	[USER_UNLOCK] = user_unlock,
};

/* The other orders. Those that bring a file are not listed: see desk_leaked_load, desk_restore. */
static void (*const of_register[USER_ORDERS])(const struct desk_order *o) = {
	[USER_FIRST] = start_add,	   [USER_ADD] = start_add,
	[USER_LIST] = user_list,	   [USER_TOKENS] = desk_tokens,
	[USER_TOKEN_ADD] = desk_token_add, [USER_TOKEN_REMOVE] = desk_token_remove,
	[USER_SESSIONS] = user_sessions,   [USER_SESSION_END] = session_end_order,
	[USER_ROLES] = user_roles,	   [USER_APPROVAL] = approval,
	[USER_APPROVAL_OFF] = approval,	   [USER_APPROVAL_ON] = approval,
	[USER_LEAKED] = leaked_show,	   [USER_LEAKED_REMOVE] = desk_leaked_remove,
};

static void carry_out(const struct desk_order *o)
{
	struct account *a;

	if (of_account[o->order] != NULL) {
		a = named_account(o);
		if (a != NULL)
			of_account[o->order](o, a);
	} else if (of_register[o->order] != NULL) {
		of_register[o->order](o);
	} else {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
	}
}

void desk_user_over_web(struct desk *d, struct job *j, json_t *said, struct moment now)
{
	struct desk_order o = { .d = d,
				.id = j->id,
				.order = j->order,
				.by = j->by,
				.now = now,
				.said = said,
				.job = j,
				.from = &j->from };

	carry_out(&o);
}

void desk_user(struct desk *d, uint32_t id, const struct msg_user *m, struct moment now)
{
	char by[USER_BY + 1];
	struct desk_order o = { .d = d, .id = id, .order = (enum user_order)m->order, .by = by, .now = now };

	memcpy(by, m->by, USER_BY);
	by[USER_BY] = 0;
	if (!text_is_plain(by, ACCOUNT_BY))
		snprintf(by, sizeof(by), "?");
	o.said = json_loads(m->text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o.said))
		desk_refuse(d, id, ANSWER_INVALID, M_USER_NONSENSE);
	else
		carry_out(&o);
	json_decref(o.said);
}
