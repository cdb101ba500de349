/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book as JSON. What is read is held to all that the program would have written: a file that says more, less or something else is
 * damaged, for nobody but this program writes it.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/book.h"
#include "appliance/wire/duty.h"

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static json_t *recovery_json(const struct account *a)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->recovery_left; i++)
		json_array_append_new(list, json_hex(a->recovery[i], DIGEST_BYTES));
	return json_list_whole(list, a->recovery_left);
}

static json_t *account_to_json(const struct account *a)
{
	char totp[BASE32_TEXT(TOTP_SECRET)];
	json_t *j;

	base32_text(a->totp, TOTP_SECRET, totp);
	j = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:b, s:I, s:s, s:I, s:s, s:s, s:I, s:o}", "name", a->name,
		      "full", a->full, "reason", a->reason, "by", a->by, "roles", duties_json(a->duties), "since",
		      (json_int_t)a->since, "used", (json_int_t)a->used, "disabled", a->disabled, "disabled_since",
		      (json_int_t)a->disabled_since, "disabled_by", a->disabled_by, "phrase_since",
		      (json_int_t)a->phrase_since, "hash", a->hash, "totp", totp, "totp_step", (json_int_t)a->totp_step,
		      "recovery", recovery_json(a));
	explicit_bzero(totp, sizeof(totp));
	return j;
}

static json_t *token_to_json(const struct token *t)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o}", "id", t->id, "label", t->label, "by", t->by,
			 "roles", duties_json(t->duties), "since", (json_int_t)t->since, "until", (json_int_t)t->until,
			 "used", (json_int_t)t->used, "digest", json_hex(t->digest, DIGEST_BYTES));
}

static json_t *one_person_to_json(const struct one_person *p)
{
	return json_pack("{s:s, s:s, s:I}", "reason", p->reason, "by", p->by, "since", (json_int_t)p->since);
}

json_t *book_to_json(const struct book *b)
{
	json_t *accounts = json_array(), *tokens = json_array();

	for (size_t i = 0; i < b->n_accounts; i++)
		json_array_append_new(accounts, account_to_json(&b->accounts[i]));
	for (size_t i = 0; i < b->n_tokens; i++)
		json_array_append_new(tokens, token_to_json(&b->tokens[i]));
	return json_pack("{s:o, s:o, s:o*}", "accounts", json_list_whole(accounts, b->n_accounts), "tokens",
			 json_list_whole(tokens, b->n_tokens), "one_person",
			 b->one_person.enough ? one_person_to_json(&b->one_person) : NULL);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool read_text(const json_t *j, const char *key, char *out, size_t most)
{
	const char *text = json_string_value(json_object_get(j, key));

	if (text == NULL || !text_is_plain(text, most))
		return false;
	snprintf(out, most + 1, "%s", text);
	return true;
}

static bool read_number(const json_t *j, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v) : 0;
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool read_duties(const json_t *j, uint32_t *ret)
{
	const json_t *list = json_object_get(j, "roles"), *v;
	size_t i;

	*ret = 0;
	json_array_foreach(list, i, v)
	{
		enum duty d = json_is_string(v) ? duty_by_word(json_string_value(v)) : DUTY_COUNT;

		if (d == DUTY_COUNT)
			return false;
		*ret |= UINT32_C(1) << d;
	}
	return json_is_array(list);
}

static bool read_recovery(const json_t *j, struct account *a)
{
	const json_t *list = json_object_get(j, "recovery"), *v;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > RECOVERY_CODES)
		return false;
	json_array_foreach(list, i, v) if (!json_is_string(v) || json_string_length(v) != (size_t)2 * DIGEST_BYTES ||
					   !hex_read(json_string_value(v), a->recovery[i], DIGEST_BYTES)) return false;
	a->recovery_left = (uint32_t)json_array_size(list);
	return true;
}

static bool read_account(const json_t *j, struct account *a)
{
	const json_t *disabled = json_object_get(j, "disabled");
	char totp[BASE32_TEXT(TOTP_SECRET)];
	bool ok = json_is_object(j) && json_object_size(j) == 15 && json_is_boolean(disabled) &&
		  read_text(j, "name", a->name, ACCOUNT_NAME) && text_is_name(a->name) &&
		  read_text(j, "full", a->full, ACCOUNT_FULL) && read_text(j, "reason", a->reason, ACCOUNT_REASON) &&
		  read_text(j, "by", a->by, ACCOUNT_BY) && read_text(j, "disabled_by", a->disabled_by, ACCOUNT_BY) &&
		  read_duties(j, &a->duties) && read_number(j, "since", &a->since) &&
		  read_number(j, "used", &a->used) && read_number(j, "disabled_since", &a->disabled_since) &&
		  read_number(j, "phrase_since", &a->phrase_since) && read_number(j, "totp_step", &a->totp_step) &&
		  read_text(j, "hash", a->hash, PASSPHRASE_HASH - 1) && passphrase_is_hash(a->hash) &&
		  read_text(j, "totp", totp, sizeof(totp) - 1) && base32_read(totp, a->totp, TOTP_SECRET) &&
		  read_recovery(j, a);

	a->disabled = json_is_true(disabled);
	explicit_bzero(totp, sizeof(totp));
	return ok;
}

static bool read_token(const json_t *j, struct token *t)
{
	const json_t *digest = json_object_get(j, "digest");

	return json_is_object(j) && json_object_size(j) == 8 && read_text(j, "id", t->id, TOKEN_ID) &&
	       strspn(t->id, "0123456789abcdef") == TOKEN_ID && read_text(j, "label", t->label, ACCOUNT_REASON) &&
	       read_text(j, "by", t->by, ACCOUNT_BY) && read_duties(j, &t->duties) &&
	       read_number(j, "since", &t->since) && read_number(j, "until", &t->until) &&
	       read_number(j, "used", &t->used) && json_is_string(digest) &&
	       json_string_length(digest) == (size_t)2 * DIGEST_BYTES &&
	       hex_read(json_string_value(digest), t->digest, DIGEST_BYTES);
}

/* Not there: two persons are needed. */
static bool read_one_person(const json_t *j, struct one_person *p)
{
	*p = (struct one_person){ .enough = j != NULL };
	return j == NULL ||
	       (json_is_object(j) && json_object_size(j) == 3 && read_text(j, "reason", p->reason, ACCOUNT_REASON) &&
		p->reason[0] != 0 && read_text(j, "by", p->by, ACCOUNT_BY) && read_number(j, "since", &p->since));
}

bool book_of_json(const json_t *j, struct book *ret)
{
	const json_t *one_person = json_object_get(j, "one_person");
	const json_t *accounts = json_object_get(j, "accounts"), *tokens = json_object_get(j, "tokens"), *v;
	size_t i;

	if (!json_is_object(j) || json_object_size(j) != (one_person != NULL ? 3u : 2u) ||
	    !read_one_person(one_person, &ret->one_person) || !json_is_array(accounts) || !json_is_array(tokens) ||
	    json_array_size(accounts) > ACCOUNTS_MOST || json_array_size(tokens) > TOKENS_MOST)
		return false;
	json_array_foreach(accounts, i, v)
	{
		struct account a = { 0 };

		if (!read_account(v, &a) || book_account(ret, a.name) != NULL)
			return false;
		*book_add(ret) = a;
		explicit_bzero(&a, sizeof(a));
	}
	json_array_foreach(tokens, i, v)
	{
		struct token t = { 0 };

		if (!read_token(v, &t) || book_token(ret, t.id) != NULL)
			return false;
		*book_add_token(ret) = t;
	}
	return true;
}
