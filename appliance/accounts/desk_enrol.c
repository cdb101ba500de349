/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders about the means by which accounts and programs are let in: the client certificates and the
 * login at the machine of an account, and API tokens. desk_door.c judges by them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_enrol.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/base/sha256.h"

/* ---- client certificates --------------------------------------------------------------------- */

static bool read_pin(const json_t *said, struct pin *p)
{
	snprintf(p->label, sizeof(p->label), "%s", desk_said(said, "label"));
	p->until = strtoull(desk_said(said, "until"), NULL, 10);
	return pin_read(desk_said(said, "certificate"), p->digest) && pin_read(desk_said(said, "public"), p->public);
}

void desk_certificate_add(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	struct pin p = { .since = o->now.wall_s };
	const struct account *owner;

	if (!read_pin(o->said, &p)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
		return;
	}
	owner = book_pin_owner(&o->d->book, p.public);
	if (text_is_blank(p.label, KEY_LABEL) || !text_is_plain(desk_said(o->said, "label"), KEY_LABEL) ||
	    account_pin(a, p.label) != NULL) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_CERTIFICATE_LABEL);
	} else if (o->now.wall_s >= p.until) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_CERTIFICATE_OVER);
	} else if ((owner != NULL && owner != a) || account_pin_of(a, p.digest) != NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_TAKEN, owner != NULL ? owner->name : a->name);
	} else if (a->n_pins == PINS_EACH) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_FULL);
	} else {
		a->pins[a->n_pins++] = p;
		desk_changed(o, a, &before,
			     (struct account_change){ .what = ACCOUNT_CERTIFICATE_ADDED, .after = p.label });
	}
	explicit_bzero(&before, sizeof(before));
}

/* Ends all sessions of the account: whoever found a lost card may have opened any of them. */
void desk_certificate_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	struct pin *p = account_pin(a, desk_said(o->said, "label"));

	if (p == NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_UNKNOWN, a->name);
		return;
	}
	account_remove_pin(a, p);
	desk_changed(o, a, &before,
		     (struct account_change){ .what = ACCOUNT_CERTIFICATE_REMOVED,
					      .after = desk_said(o->said, "label"),
					      .shuts_out = true });
}

/* ---- logins at the machine ------------------------------------------------------------------- */

/* "auditor; login tanaka": the account's roles and its login at the machine. */
static void roles_and_login(const struct account *a, char out[EVENT_TEXT])
{
	char list[DUTIES_TEXT];

	snprintf(out, EVENT_TEXT, "%s%s%s", desk_duties_text(a->duties, list), a->login[0] != 0 ? "; login " : "",
		 a->login);
}

static void record_change(const struct desk_order *o, struct account *a, struct account *before)
{
	char was[EVENT_TEXT], is[EVENT_TEXT];

	roles_and_login(before, was);
	roles_and_login(a, is);
	desk_changed(o, a, before, (struct account_change){ .what = ACCOUNT_CHANGED, .before = was, .after = is });
}

void desk_login_add(const struct desk_order *o, struct account *a)
{
	const char *login = desk_said(o->said, "login"), *number = desk_said(o->said, "uid");
	struct account before;
	const struct account *owner;
	char *end = NULL;
	unsigned long uid;

	if (!login_is_name(login) || *number < '0' || *number > '9') {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
		return;
	}
	uid = strtoul(number, &end, 10);
	if (*end != 0 || uid > UINT32_MAX || !login_is_persons((uint32_t)uid) || strcmp(login, "root") == 0) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_LOGIN_NEVER);
		return;
	}
	before = *a;
	a->login[0] = 0; /* its own earlier login does not count as taken */
	owner = book_login_owner(&o->d->book, login, (uint32_t)uid);
	if (owner != NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_LOGIN_TAKEN, owner->name);
		*a = before;
		explicit_bzero(&before, sizeof(before));
		return;
	}
	snprintf(a->login, sizeof(a->login), "%s", login);
	a->login_uid = (uint32_t)uid;
	record_change(o, a, &before);
}

void desk_login_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;

	if (a->login[0] == 0) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_LOGIN_NONE, a->name);
		return;
	}
	a->login[0] = 0;
	a->login_uid = 0;
	record_change(o, a, &before);
}

/* ---- API tokens ------------------------------------------------------------------------------ */

/* A token is shown once, ends by itself, and can do nothing that a person has to answer for. */

void desk_tokens(const struct desk_order *o)
{
	json_t *all = json_array();

	for (size_t i = 0; i < o->d->book.n_tokens; i++)
		json_array_append_new(all, book_token_json(&o->d->book.tokens[i], o->now.wall_s));
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "tokens", all));
}

/* Binds the token to the certificate in the order, if there is one; the token then ends with the
 * certificate at the latest. False: the order was refused, and the answer given. */
static bool token_pin(const struct desk_order *o, struct token *t)
{
	uint64_t until;

	if (*desk_said(o->said, "certificate") == 0)
		return true;
	if (!pin_read(desk_said(o->said, "certificate"), t->pin)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
		return false;
	}
	until = strtoull(desk_said(o->said, "until"), NULL, 10);
	if (until <= o->now.wall_s) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_CERTIFICATE_OVER);
		return false;
	}
	t->pinned = true;
	t->until = until < t->until ? until : t->until;
	return true;
}

static bool is_display(const struct token *t)
{
	return (t->duties >> DUTY_DISPLAY & 1u) != 0;
}

void desk_token_add(const struct desk_order *o)
{
	struct token t = { .since = o->now.wall_s }, *place;
	uint8_t secret[SECRET_BYTES], id[TOKEN_ID / 2];
	char hex[2 * SECRET_BYTES + 1], list[DUTIES_TEXT], *end = NULL;
	const char *days_said = desk_said(o->said, "days"), *from = desk_said(o->said, "from");
	unsigned long days = *days_said != 0 ? strtoul(days_said, &end, 10) : TOKEN_DAYS;

	if (text_is_blank(desk_said(o->said, "name"), ACCOUNT_REASON) ||
	    !text_is_plain(desk_said(o->said, "name"), ACCOUNT_REASON)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_NAME);
		return;
	}
	if (!desk_read_duties(desk_said(o->said, "roles"), TOKEN_DUTIES, &t.duties) ||
	    (is_display(&t) && t.duties != UINT32_C(1) << DUTY_DISPLAY)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_ROLES);
		return;
	}
	if (*from == 0 ? is_display(&t) : !addr_parse(from, &t.from)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_FROM);
		return;
	}
	if ((end != NULL && *end != 0) || days < 1 || days > TOKEN_DAYS_MOST) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_DAYS, TOKEN_DAYS_MOST);
		return;
	}
	if (!secret_make(secret, sizeof(secret)) || !secret_make(id, sizeof(id))) {
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_NO_RANDOM);
		return;
	}
	hex_text(id, sizeof(id), t.id);
	desk_put(t.label, sizeof(t.label), desk_said(o->said, "name"));
	desk_put(t.by, sizeof(t.by), o->by);
	t.until = o->now.wall_s + days * 86400u;
	if (!token_pin(o, &t))
		return;
	sha256(secret, sizeof(secret), t.digest);
	place = book_token(&o->d->book, t.id) == NULL ? book_add_token(&o->d->book) : NULL;
	if (place == NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_FULL);
		return;
	}
	*place = t;
	if (!desk_save(o->d)) {
		book_remove_token(&o->d->book, place);
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_UNSAVED);
		return;
	}
	desk_event(o->d, ACCOUNT_TOKEN_ADDED,
		   (struct account_note){ .object = t.label, .after = desk_duties_text(t.duties, list), .by = o->by });
	hex_text(secret, sizeof(secret), hex);
	desk_answer(o->d, o->id, ANSWER_YES,
		    json_pack("{s:o, s:s}", "token", book_token_json(&t, o->now.wall_s), "secret", hex));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(hex, sizeof(hex));
}

void desk_token_remove(const struct desk_order *o)
{
	struct token *t = book_token(&o->d->book, desk_said(o->said, "name")), before;

	if (t == NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_TOKEN_UNKNOWN);
		return;
	}
	before = *t;
	book_remove_token(&o->d->book, t);
	if (!desk_save(o->d)) {
		*book_add_token(&o->d->book) = before;
		desk_refuse(o->d, o->id, ANSWER_CANNOT, M_USER_UNSAVED);
		return;
	}
	desk_event(o->d, ACCOUNT_TOKEN_REMOVED, (struct account_note){ .object = before.label, .by = o->by });
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "token", book_token_json(&before, o->now.wall_s)));
}
