/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the desk share: answers, records, jobs, logins, rights of a session. */
#include "appliance/accounts/desk.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/challenges.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/leaked.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

#define LOOK_S 86400u

/* ---- shared ---------------------------------------------------------------------------------- */

struct addr desk_from(uint8_t family, const uint8_t from[16])
{
	struct addr a = { .family = addr_len(family) != 0 ? family : 0 };

	memcpy(a.b, from, addr_len(a.family));
	return a;
}

void desk_answer(struct desk *d, uint32_t id, enum answer_status status, json_t *j)
{
	for (size_t i = 0; j != NULL && i < DESK_JOBS; i++)
		if (d->jobs[i].used && d->jobs[i].deed && d->jobs[i].id == id)
			json_object_set_new(j, "done", json_boolean(status == ANSWER_YES));
	d->out.answer(d->out.ctx, id, status, j);
}

void desk_answer_account(const struct desk_order *o, const struct account *a)
{
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "account", book_account_json(a, o->now.wall_s)));
}

bool desk_read_duties(const char *list, uint32_t may, uint32_t *ret)
{
	char text[DUTIES_TEXT], *rest = NULL;

	*ret = 0;
	if (strlen(list) >= sizeof(text))
		return false;
	desk_put(text, sizeof(text), list);
	for (char *w = strtok_r(text, ", ", &rest); w != NULL; w = strtok_r(NULL, ", ", &rest)) {
		enum duty d = duty_by_word(w);

		if (d == DUTY_COUNT)
			return false;
		*ret |= UINT32_C(1) << d;
	}
	return *ret != 0 && (*ret & ~may) == 0;
}

const char *desk_duties_text(uint32_t duties, char out[DUTIES_TEXT])
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < DUTY_COUNT; i++)
		if ((duties >> i & 1u) != 0 && n < DUTIES_TEXT - 1)
			n += (size_t)snprintf(out + n, DUTIES_TEXT - n, "%s%s", n > 0 ? ", " : "", duty_word(i));
	return out;
}

static json_t *refusal(enum message m, va_list ap)
{
	char text[400];
	json_t *j = json_object();
	va_list again;

	for (unsigned l = 0; l < LANGUAGES; l++) {
		va_copy(again, ap);
		message_vtext(text, sizeof(text), (enum lang)l, m, again);
		va_end(again);
		json_object_set_new(j, lang_name((enum lang)l), json_text(text));
	}
	return json_pack("{s:o}", "error", j);
}

static json_t *error_json(enum message m, ...)
{
	va_list ap;
	json_t *j;

	va_start(ap, m);
	j = refusal(m, ap);
	va_end(ap);
	return j;
}

void desk_refuse(struct desk *d, uint32_t id, enum answer_status status, enum message m, ...)
{
	va_list ap;

	va_start(ap, m);
	desk_answer(d, id, status, refusal(m, ap));
	va_end(ap);
}

void desk_event(struct desk *d, enum account_event what, struct account_note n)
{
	const char *const texts[EVENT_TEXTS] = {
		[EVENT_OBJECT] = n.object, [EVENT_BEFORE] = n.before, [EVENT_AFTER] = n.after, [EVENT_BY] = n.by
	};
	struct event e = event_new(EVENT_ACCOUNT, clock_wall_ns());

	e.code = (uint8_t)what;
	e.count = n.count != 0 ? n.count : 1;
	if (n.from != NULL)
		e.client = *n.from;
	for (unsigned i = 0; i < EVENT_TEXTS; i++)
		if (texts[i] != NULL)
			event_say(&e, (enum event_text)i, texts[i]);
	d->out.event(d->out.ctx, &e);
}

bool desk_save(struct desk *d)
{
	struct err e = { 0 };

	d->unsaved = book_save(&d->book, &e) < 0;
	return !d->unsaved;
}

bool desk_kept(struct desk *d, uint32_t id, struct account *a, const struct account *before)
{
	if (desk_save(d))
		return true;
	*a = *before;
	desk_refuse(d, id, ANSWER_CANNOT, M_USER_UNSAVED);
	return false;
}

void desk_changed(const struct desk_order *o, struct account *a, struct account *before, struct account_change c)
{
	bool kept = desk_kept(o->d, o->id, a, before);

	explicit_bzero(before, sizeof(*before));
	if (!kept)
		return;
	if (c.shuts_out)
		sessions_end_of(&o->d->sessions, a->name, o->now.ns);
	desk_event(o->d, c.what,
		   (struct account_note){
			   .from = o->from, .object = a->name, .before = c.before, .after = c.after, .by = o->by });
	desk_answer_account(o, a);
}

const char *desk_said(const json_t *said, const char *key)
{
	const char *text = json_string_value(json_object_get(said, key));

	return text != NULL ? text : "";
}

void desk_put(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(out, text, n);
	out[n] = 0;
}

struct job *desk_job(struct desk *d, uint32_t id)
{
	for (size_t i = 0; i < DESK_JOBS; i++)
		if (!d->jobs[i].used) {
			d->jobs[i] = (struct job){ .used = true, .id = id };
			return &d->jobs[i];
		}
	return NULL;
}

void desk_job_end(struct job *j)
{
	explicit_bzero(j, sizeof(*j));
}

bool desk_hash(struct desk *d, struct job *j, const char *phrase, const char *setting)
{
	struct hash_question q = { .id = ++d->last_hash };
	bool sent;

	j->hash_id = q.id;
	snprintf(q.phrase, sizeof(q.phrase), "%s", phrase);
	snprintf(q.setting, sizeof(q.setting), "%s", setting);
	sent = d->out.hash(d->out.ctx, &q);
	explicit_bzero(&q, sizeof(q));
	return sent;
}

int desk_open(struct desk *d, int dirfd, const struct desk_out *out, struct moment now, struct err *e)
{
	enum book_found found;
	bool leaked_damaged = false;
	int r;

	memset(d, 0, sizeof(*d));
	d->out = *out;
	d->looked_s = now.wall_s;
	if (!passphrase_setting(d->stranger) || !challenge_begin(&d->challenges))
		return err_set(e, -EIO, "random numbers");
	r = book_open(dirfd, &d->book, &found, e);
	if (r == 0)
		r = leaked_open(&d->leaked, dirfd, &leaked_damaged, e);
	d->damaged = found == BOOK_DAMAGED;
	for (size_t i = 0; i < d->book.n_accounts; i++)
		if (d->book.accounts[i].n_keys == 0)
			secret_make(d->book.accounts[i].handle, ACCOUNT_HANDLE);
	if (d->damaged)
		desk_event(d, ACCOUNT_DAMAGED, (struct account_note){ 0 });
	if (leaked_damaged)
		desk_event(d, ACCOUNT_LEAKED_DAMAGED, (struct account_note){ 0 });
	return r;
}

/* ---- a login --------------------------------------------------------------------------------- */

void desk_say_refused(struct desk *d, uint32_t id)
{
	d->refused++;
	desk_refuse(d, id, ANSWER_NO, M_LOGIN_REFUSED);
}

/* Programs recognise this answer by the key "another_time". */
static void say_another_time(struct desk *d, uint32_t id)
{
	json_t *j = error_json(M_LOGIN_ANOTHER_TIME);

	d->refused++;
	json_object_set_new(j, "another_time", json_true());
	desk_answer(d, id, ANSWER_NO, j);
}

static bool has_room(const struct desk *d, const struct addr *from)
{
	unsigned logins = 0, own = 0;

	for (size_t i = 0; i < DESK_JOBS; i++) {
		bool stranger = d->jobs[i].used && d->jobs[i].kind != JOB_ORDER;

		logins += stranger;
		own += stranger && addr_same_host(&d->jobs[i].from, from);
	}
	return logins < DESK_LOGINS && own < DESK_FROM_ONE;
}

struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from)
{
	struct job *j = has_room(d, from) ? desk_job(d, id) : NULL;

	if (j == NULL)
		desk_refuse(d, id, ANSWER_CANNOT, M_LOGIN_BUSY);
	else
		j->from = *from;
	return j;
}

void desk_come_again(struct desk *d, struct job *j)
{
	lockout_take_back(&d->lockout, j->name, &j->from);
	desk_refuse(d, j->id, ANSWER_CANNOT, M_LOGIN_BUSY);
}

void desk_copy_field(char *out, const uint8_t *field, size_t n)
{
	size_t len = strnlen((const char *)field, n);

	memcpy(out, field, len);
	out[len] = 0;
}

bool desk_same_hash(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && secret_same((const uint8_t *)a, (const uint8_t *)b, n);
}

void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now)
{
	uint8_t secret[SECRET_BYTES];
	char left[12], hex[2 * SECRET_BYTES + 1];
	struct session *x;

	a->used = now.wall_s;
	if (!desk_save(d) && paper) {
		desk_refuse(d, j->id, ANSWER_CANNOT, M_LOGIN_UNSAVED);
		return;
	}
	x = sessions_begin(&d->sessions, a->name, &j->from, now.ns, now.wall_s, secret);
	if (x == NULL) {
		desk_refuse(d, j->id, ANSWER_CANNOT, M_LOGIN_BUSY);
		return;
	}
	if (j->proof_kind == PROOF_CERTIFICATE) {
		x->pinned = true;
		memcpy(x->pin, j->shown, sizeof(x->pin));
	}
	x->leaked = j->leaked;
	lockout_forget(&d->lockout, j->name, &j->from);
	d->logins++;
	snprintf(left, sizeof(left), "%u", a->recovery_left);
	desk_event(d, paper ? ACCOUNT_RECOVERED : ACCOUNT_LOGGED_IN,
		   (struct account_note){ .from = &j->from, .object = a->name, .after = paper ? left : NULL });
	if (x->leaked)
		desk_event(d, ACCOUNT_LEAKED_USED, (struct account_note){ .from = &j->from, .object = a->name });
	hex_text(secret, sizeof(secret), hex);
	desk_answer(d, j->id, ANSWER_YES,
		    json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:b}", "session", hex, "name",
			      json_text(a->name), "full_name", json_text(a->full), "roles", duties_json(a->duties),
			      "rights", rights_json(a->handed || x->leaked ? 0 : duty_rights(a->duties)), "idle_s",
			      (json_int_t)(SESSION_IDLE_NS / 1000000000), "limit_s",
			      (json_int_t)(SESSION_LIMIT_NS / 1000000000), "recovery_codes",
			      (json_int_t)a->recovery_left, "two_persons", !d->book.one_person.enough,
			      "choose_passphrase", a->handed || x->leaked, "passphrase_leaked", x->leaked));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(hex, sizeof(hex));
}

void desk_failed(struct desk *d, struct job *j)
{
	const struct account *a = j->known ? book_account(&d->book, j->name) : NULL;
	const char *name = a != NULL ? a->name : NULL;

	desk_event(d,
		   j->away[0] != 0	  ? ACCOUNT_ANOTHER_TIME
		   : j->kind == JOB_KEY	  ? ACCOUNT_KEY_REFUSED
		   : j->kind == JOB_LOGIN ? ACCOUNT_REFUSED
					  : ACCOUNT_ORDER_REFUSED,
		   (struct account_note){ .from = &j->from,
					  .object = name,
					  .after = j->away[0] != 0	  ? j->away
						   : j->kind != JOB_LOGIN ? j->label
									  : NULL });
	if (j->locks)
		desk_event(d, ACCOUNT_LOCKED, (struct account_note){ .from = &j->from, .object = name });
}

void desk_login_refused(struct desk *d, struct job *j)
{
	desk_failed(d, j);
	if (j->away[0] != 0)
		say_another_time(d, j->id);
	else
		desk_say_refused(d, j->id);
}

/* ---- rights ---------------------------------------------------------------------------------- */

/* Answers that a login is needed: the session or token is nobody's. */
void desk_nobody(struct desk *d, uint32_t id)
{
	desk_refuse(d, id, ANSWER_NO, M_LOGIN_NEEDED);
}

/* All who may approve now, or who may open doors now, these with their roles: an approval or a
 * request by anybody else is not valid any more. */
static json_t *holders_json(const struct desk *d, enum right right)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->book.n_accounts; i++) {
		const struct account *a = &d->book.accounts[i];

		if (!a->disabled && duty_may(a->duties, right))
			json_array_append_new(list, right == RIGHT_APPROVE
							    ? json_text(a->name)
							    : json_pack("{s:o, s:o}", "name", json_text(a->name),
									"roles", duties_json(a->duties)));
	}
	return list;
}

static bool asked_to_choose(const json_t *who)
{
	return json_is_true(json_object_get(who, "choose_passphrase"));
}

void desk_may(struct desk *d, uint32_t id, uint8_t right, const struct addr *from, const char *name, uint32_t duties,
	      json_t *who)
{
	bool asks = right < RIGHT_COUNT;

	if (asks && !duty_may(duties, (enum right)right)) {
		json_decref(who);
		desk_event(d, ACCOUNT_FORBIDDEN,
			   (struct account_note){ .from = from, .object = name, .after = right_word(right) });
		desk_refuse(d, id, ANSWER_INVALID, M_LOGIN_NO_RIGHT);
		return;
	}
	json_object_set_new(who, "roles", duties_json(duties));
	json_object_set_new(who, "rights", rights_json(asked_to_choose(who) ? 0 : duty_rights(duties)));
	json_object_set_new(who, "two_persons", json_boolean(!d->book.one_person.enough));
	if (right == RIGHT_APPLY)
		json_object_set_new(who, "approvers", holders_json(d, RIGHT_APPROVE));
	if (right == RIGHT_DOOR)
		json_object_set_new(who, "openers", holders_json(d, RIGHT_DOOR));
	desk_answer(d, id, ANSWER_YES, who);
}

/* Whether the certificate of a session was shown again and still belongs to the account. If not,
 * records why, unless the certificate was removed: that was recorded then. */
static bool certificate_holds(struct desk *d, const struct session *x, const struct addr *from,
			      const uint8_t shown[DIGEST_BYTES], struct moment now)
{
	struct account *a = book_account(&d->book, x->name);
	const struct pin *p = a != NULL ? account_pin_of(a, x->pin) : NULL;

	if (!secret_same(x->pin, shown, DIGEST_BYTES)) {
		desk_event(d, ACCOUNT_CERTIFICATE_ELSEWHERE, (struct account_note){ .from = from, .object = x->name });
		return false;
	}
	if (p != NULL && now.wall_s >= p->until)
		desk_event(d, ACCOUNT_CERTIFICATE_EXPIRED,
			   (struct account_note){ .from = from, .object = x->name, .after = p->label });
	return p != NULL && now.wall_s < p->until;
}

struct session *desk_session_at(struct desk *d, const uint8_t secret[SECRET_BYTES], const struct addr *from,
				const uint8_t shown[DIGEST_BYTES], struct moment now)
{
	struct session *x = sessions_find(&d->sessions, secret, now.ns);

	if (x != NULL && addr_cmp(&x->from, from) != 0) {
		/* The session's secret was stolen, so the session ends. Its owner only has to log
		 * in again. */
		desk_event(d, ACCOUNT_ELSEWHERE, (struct account_note){ .from = from, .object = x->name });
		session_end(x);
		return NULL;
	}
	if (x != NULL && x->pinned && !certificate_holds(d, x, from, shown, now)) {
		session_end(x);
		return NULL;
	}
	return x;
}

struct account *desk_person(struct desk *d, uint32_t id, const uint8_t secret[SECRET_BYTES], const struct addr *from,
			    const uint8_t shown[DIGEST_BYTES], struct moment now, struct session **ret)
{
	struct account *a;

	*ret = desk_session_at(d, secret, from, shown, now);
	a = *ret != NULL ? book_account(&d->book, (*ret)->name) : NULL;
	if (a != NULL && !a->disabled)
		return a;
	desk_nobody(d, id);
	return NULL;
}

/* ---- the register looks after itself --------------------------------------------------------- */

void desk_status(const struct desk *d, struct moment now, struct msg_accounts_status *ret)
{
	*ret = (struct msg_accounts_status){ .accounts = (uint32_t)d->book.n_accounts,
					     .tokens = (uint32_t)d->book.n_tokens,
					     .sessions = (uint32_t)sessions_count(&d->sessions, NULL, now.ns),
					     .locked = (uint32_t)lockout_count(&d->lockout, now.ns),
					     .logins = d->logins,
					     .refused = d->refused,
					     .damaged = d->damaged,
					     .unsaved = d->unsaved,
					     .leaked = (uint32_t)d->leaked.count,
					     .leaked_since = d->leaked.loaded,
					     .leaked_damaged = d->leaked.damaged };
	for (size_t i = 0; i < d->book.n_accounts; i++) {
		ret->disabled += d->book.accounts[i].disabled;
		ret->unused += account_unused(&d->book.accounts[i], now.wall_s);
	}
}

void desk_look(struct desk *d, struct moment now)
{
	if (now.wall_s >= d->looked_s && now.wall_s - d->looked_s < LOOK_S)
		return;
	d->looked_s = now.wall_s;
	for (size_t i = 0; i < d->book.n_accounts; i++)
		if (account_unused(&d->book.accounts[i], now.wall_s))
			desk_event(d, ACCOUNT_UNUSED, (struct account_note){ .object = d->book.accounts[i].name });
}
