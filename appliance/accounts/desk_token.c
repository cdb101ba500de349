/* SPDX-License-Identifier: Apache-2.0 */
/* Root's orders about API tokens. A token is shown once, ends by itself, and can do nothing that a
 * person has to answer for. */
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

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

void desk_token_add(const struct desk_order *o)
{
	struct token t = { .since = o->now.wall_s }, *place;
	uint8_t secret[SECRET_BYTES], id[TOKEN_ID / 2];
	char hex[2 * SECRET_BYTES + 1], list[DUTIES_TEXT], *end = NULL;
	const char *days_said = desk_said(o->said, "days");
	unsigned long days = *days_said != 0 ? strtoul(days_said, &end, 10) : TOKEN_DAYS;

	if (*desk_said(o->said, "name") == 0 || !text_is_plain(desk_said(o->said, "name"), ACCOUNT_REASON)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_NAME);
		return;
	}
	if (!desk_read_duties(desk_said(o->said, "roles"), &t.duties) || (t.duties & ~TOKEN_DUTIES) != 0) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_TOKEN_ROLES);
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
	desk_event(o->d, ACCOUNT_TOKEN_ADDED, NULL, t.label, NULL, desk_duties_text(t.duties, list), o->by, 1);
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
	desk_event(o->d, ACCOUNT_TOKEN_REMOVED, NULL, before.label, NULL, NULL, o->by, 1);
	desk_answer(o->d, o->id, ANSWER_YES, json_pack("{s:o}", "token", book_token_json(&before, o->now.wall_s)));
}
