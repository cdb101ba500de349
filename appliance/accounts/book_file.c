/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book of accounts as JSON, and its file. Only this program writes the file, so a file with
 * more, fewer or other fields than it would write counts as damaged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/book_json.h"
#include "appliance/accounts/totp.h"
#include "appliance/base/atomic_file.h"
#include "appliance/base/columns.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

#define FILE_NAME "accounts"
#define HEAD "sekisho-accounts 1 "
#define HEAD_BYTES (sizeof(HEAD) - 1 + 64 + 1)

/* ---- the members of each object -------------------------------------------------------------- */

static json_t *duties_put(const void *duties)
{
	return duties_json(*(const uint32_t *)duties);
}

static bool duties_take(const json_t *list, void *ret)
{
	uint32_t duties = 0;

	json_each(v, list) {
		enum duty d = json_is_string(v) ? duty_by_word(json_string_value(v)) : DUTY_COUNT;

		if (d == DUTY_COUNT)
			return false;
		duties |= UINT32_C(1) << d;
	}
	*(uint32_t *)ret = duties;
	return json_is_array(list);
}

/* An empty text: the authenticator was removed. The account has a key or paper codes instead. */
static json_t *totp_put(const void *account)
{
	const struct account *a = account;
	char totp[BASE32_TEXT(TOTP_SECRET)];
	json_t *j;

	base32_text(a->totp, a->no_totp ? 0 : TOTP_SECRET, totp);
	j = json_string(totp);
	explicit_bzero(totp, sizeof(totp));
	return j;
}

static bool totp_take(const json_t *j, void *account)
{
	const char *totp = json_string_value(j);
	struct account *a = account;

	a->no_totp = totp != NULL && totp[0] == '\0';
	return totp != NULL && json_string_length(j) < BASE32_TEXT(TOTP_SECRET) &&
	       (a->no_totp || base32_read(totp, a->totp, TOTP_SECRET));
}

static json_t *recovery_put(const void *account)
{
	const struct account *a = account;
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->recovery_left; i++)
		json_array_append_new(list, json_hex(a->recovery[i], DIGEST_BYTES));
	return json_list_whole(list, a->recovery_left);
}

static bool recovery_take(const json_t *list, void *account)
{
	struct account *a = account;

	if (!json_is_array(list) || json_array_size(list) > RECOVERY_CODES)
		return false;
	json_each_at(i, v, list)
		if (!hex_read(json_string_value(v), a->recovery[i], DIGEST_BYTES))
			return false;
	a->recovery_left = (uint32_t)json_array_size(list);
	return true;
}

static json_t *key_id_put(const void *public)
{
	const struct webauthn_key *k = public;

	return json_hex(k->id, k->n_id);
}

static bool key_id_take(const json_t *j, void *public)
{
	size_t digits = json_string_length(j);
	struct webauthn_key *k = public;

	if (digits == 0 || digits > (size_t)2 * WEBAUTHN_ID || digits % 2 != 0)
		return false;
	k->n_id = (uint8_t)(digits / 2);
	return hex_read(json_string_value(j), k->id, k->n_id);
}

#define MOMENT(name, type, member) COLUMN(name, type, member, COLUMN_NUMBER, 0, INT64_MAX)
#define PLAIN(name, type, member) COLUMN(name, type, member, COLUMN_PLAIN, 0, 0)

#define KEY(member, how) how(#member, struct key, member)
static const struct column key_table[] = { KEY(label, PLAIN),
					   COLUMN_ONE_OF("kind", struct key, public.kind, webauthn_kind_words,
							 WEBAUTHN_KINDS),
					   COLUMN_BY("id", struct key, public, key_id_put, key_id_take),
					   COLUMN("public", struct key, public.public_key, COLUMN_HEX, 0, 0),
					   COLUMN("count", struct key, count, COLUMN_NUMBER, 0, UINT32_MAX),
					   KEY(since, MOMENT),
					   KEY(used, MOMENT) };
static const struct columns key_columns = COLUMNS(key_table, struct key);

#define PIN(member, how) how(#member, struct pin, member)
static const struct column pin_table[] = { PIN(label, PLAIN),
					   COLUMN("digest", struct pin, digest, COLUMN_HEX, 1, 0),
					   COLUMN("public", struct pin, public, COLUMN_HEX, 1, 0),
					   PIN(since, MOMENT),
					   PIN(until, MOMENT),
					   PIN(used, MOMENT) };
static const struct columns pin_columns = COLUMNS(pin_table, struct pin);

#define ACCOUNT(member, how) how(#member, struct account, member)
static const struct column account_table[] = { ACCOUNT(name, PLAIN),
					       ACCOUNT(full, PLAIN),
					       ACCOUNT(reason, PLAIN),
					       ACCOUNT(by, PLAIN),
					       COLUMN_BY("roles", struct account, duties, duties_put, duties_take),
					       ACCOUNT(since, MOMENT),
					       ACCOUNT(used, MOMENT),
					       COLUMN("disabled", struct account, disabled, COLUMN_BOOL, 0, 0),
					       ACCOUNT(disabled_since, MOMENT),
					       ACCOUNT(disabled_by, PLAIN),
					       ACCOUNT(phrase_since, MOMENT),
					       ACCOUNT(hash, PLAIN),
					       COLUMN_OF_ROW("totp", totp_put, totp_take),
					       ACCOUNT(totp_step, MOMENT),
					       COLUMN_OF_ROW("recovery", recovery_put, recovery_take) };
static const struct columns account_columns = COLUMNS(account_table, struct account);

#define TOKEN(member, how) how(#member, struct token, member)
static const struct column token_table[] = {
	TOKEN(id, PLAIN),     TOKEN(label, PLAIN),
	TOKEN(by, PLAIN),     COLUMN_BY("roles", struct token, duties, duties_put, duties_take),
	TOKEN(since, MOMENT), TOKEN(until, MOMENT),
	TOKEN(used, MOMENT),  COLUMN("digest", struct token, digest, COLUMN_HEX, 0, 0)
};
static const struct columns token_columns = COLUMNS(token_table, struct token);

#define ONE_PERSON(member, how) how(#member, struct one_person, member)
static const struct column one_person_table[] = { ONE_PERSON(reason, PLAIN), ONE_PERSON(by, PLAIN),
						  ONE_PERSON(since, MOMENT) };
static const struct columns one_person_columns = COLUMNS(one_person_table, struct one_person);

/* ---- writing --------------------------------------------------------------------------------- */

/* An empty field that an older release does not know (keys, certificates, logins, handed-out
 * passphrases) is left out: such a release can then still read the file. */
static json_t *account_to_json(const struct account *a)
{
	json_t *j = columns_json(&account_columns, a);

	if (a->n_keys > 0) {
		j = columns_with(j, "handle", json_hex(a->handle, ACCOUNT_HANDLE));
		j = columns_with(j, "keys", columns_list(&key_columns, a->keys, a->n_keys));
	}
	if (a->n_pins > 0)
		j = columns_with(j, "certificates", columns_list(&pin_columns, a->pins, a->n_pins));
	if (a->handed)
		j = columns_with(j, "handed", json_true());
	/* The name and the number go together: a file with only one of them counts as damaged. */
	if (a->login[0] != 0) {
		j = columns_with(j, "login", json_string(a->login));
		j = columns_with(j, "login_uid", json_integer((json_int_t)a->login_uid));
	}
	return j;
}

/* Without the fields that a login changes. */
static json_t *unused_json(const struct account *a)
{
	struct account copy = *a;
	json_t *j;

	copy.used = copy.totp_step = 0;
	for (size_t i = 0; i < copy.n_keys; i++)
		copy.keys[i].used = copy.keys[i].count = 0;
	for (size_t i = 0; i < copy.n_pins; i++)
		copy.pins[i].used = 0;
	j = account_to_json(&copy);
	explicit_bzero(&copy, sizeof(copy));
	return j;
}

bool account_same(const struct account *a, const struct account *b)
{
	json_t *one = unused_json(a), *other = unused_json(b);
	bool same = one != NULL && json_equal(one, other);

	json_decref(one);
	json_decref(other);
	return same;
}

static json_t *token_to_json(const struct token *t)
{
	json_t *j = columns_json(&token_columns, t);
	char from[ADDR_TEXT];

	if (t->from.family != 0) {
		addr_text(&t->from, from);
		j = columns_with(j, "from", json_text(from));
	}
	return t->pinned ? columns_with(j, "certificate", json_hex(t->pin, DIGEST_BYTES)) : j;
}

json_t *book_to_json(const struct book *b)
{
	json_t *accounts = json_array(), *tokens = json_array(), *j;

	for (size_t i = 0; i < b->n_accounts; i++)
		json_array_append_new(accounts, account_to_json(&b->accounts[i]));
	for (size_t i = 0; i < b->n_tokens; i++)
		json_array_append_new(tokens, token_to_json(&b->tokens[i]));
	j = columns_with(json_object(), "accounts", json_list_whole(accounts, b->n_accounts));
	j = columns_with(j, "tokens", json_list_whole(tokens, b->n_tokens));
	return b->one_person.enough ? columns_with(j, "one_person", columns_json(&one_person_columns, &b->one_person))
				    : j;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* An account without keys has no such field in the file. */
static bool read_keys(const json_t *list, const json_t *handle, struct account *a)
{
	if (list == NULL && handle == NULL)
		return true;
	if (json_array_size(list) == 0 || !hex_read(json_string_value(handle), a->handle, ACCOUNT_HANDLE) ||
	    !columns_list_parse(&key_columns, list, a->keys, WEBAUTHN_KEYS, &a->n_keys))
		return false;
	for (size_t i = 0; i < a->n_keys; i++)
		if (a->keys[i].label[0] == 0 || account_key(a, a->keys[i].label) != &a->keys[i])
			return false;
	return true;
}

/* An account without certificates has no such field in the file. */
static bool read_pins(const json_t *list, struct account *a)
{
	if (list == NULL)
		return true;
	if (json_array_size(list) == 0 || !columns_list_parse(&pin_columns, list, a->pins, PINS_EACH, &a->n_pins))
		return false;
	for (size_t i = 0; i < a->n_pins; i++)
		if (a->pins[i].label[0] == 0 || account_pin(a, a->pins[i].label) != &a->pins[i] ||
		    account_pin_of(a, a->pins[i].digest) != &a->pins[i])
			return false;
	return true;
}

/* An account without a login has no such field in the file. */
static bool read_login(const json_t *login, const json_t *uid, struct account *a)
{
	if (login == NULL && uid == NULL)
		return true;
	if (!json_is_string(login) || !login_is_name(json_string_value(login)) || !json_is_integer(uid) ||
	    json_integer_value(uid) < 0 || json_integer_value(uid) > UINT32_MAX)
		return false;
	snprintf(a->login, sizeof(a->login), "%s", json_string_value(login));
	a->login_uid = (uint32_t)json_integer_value(uid);
	return login_is_persons(a->login_uid);
}

static bool read_account(const json_t *j, struct account *a)
{
	const json_t *keys = json_object_get(j, "keys"), *pins = json_object_get(j, "certificates"),
		     *login = json_object_get(j, "login"), *handed = json_object_get(j, "handed");
	size_t beside = (keys != NULL ? 2u : 0u) + (pins != NULL ? 1u : 0u) + (login != NULL ? 2u : 0u) +
			(handed != NULL ? 1u : 0u);

	a->handed = handed != NULL;
	return columns_parse(&account_columns, j, beside, a) && text_is_name(a->name) && passphrase_is_hash(a->hash) &&
	       (handed == NULL || json_is_true(handed)) && read_keys(keys, json_object_get(j, "handle"), a) &&
	       read_pins(pins, a) && read_login(login, json_object_get(j, "login_uid"), a);
}

static bool read_token(const json_t *j, struct token *t)
{
	const json_t *pin = json_object_get(j, "certificate"), *from = json_object_get(j, "from");

	t->pinned = pin != NULL;
	return columns_parse(&token_columns, j, (pin != NULL ? 1u : 0u) + (from != NULL ? 1u : 0u), t) &&
	       (from == NULL || (json_is_string(from) && addr_parse(json_string_value(from), &t->from))) &&
	       (!t->pinned || pin_read(json_string_value(pin), t->pin)) &&
	       strspn(t->id, "0123456789abcdef") == TOKEN_ID;
}

/* No field: a policy needs two persons. */
static bool read_one_person(const json_t *j, struct one_person *p)
{
	*p = (struct one_person){ .enough = j != NULL };
	return j == NULL || (columns_parse(&one_person_columns, j, 0, p) && p->reason[0] != 0);
}

bool book_of_json(const json_t *j, struct book *ret)
{
	const json_t *one_person = json_object_get(j, "one_person");
	const json_t *accounts = json_object_get(j, "accounts"), *tokens = json_object_get(j, "tokens");

	if (!json_is_object(j) || json_object_size(j) != (one_person != NULL ? 3u : 2u) ||
	    !read_one_person(one_person, &ret->one_person) || !json_is_array(accounts) || !json_is_array(tokens) ||
	    json_array_size(accounts) > ACCOUNTS_MOST || json_array_size(tokens) > TOKENS_MOST)
		return false;
	json_each(v, accounts) {
		struct account a = { 0 };

		if (!read_account(v, &a) || book_account(ret, a.name) != NULL ||
		    (a.login[0] != 0 && book_login_owner(ret, a.login, a.login_uid) != NULL))
			return false;
		*book_add(ret) = a;
		explicit_bzero(&a, sizeof(a));
	}
	json_each(v, tokens) {
		struct token t = { 0 };

		if (!read_token(v, &t) || book_token(ret, t.id) != NULL)
			return false;
		*book_add_token(ret) = t;
	}
	return true;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool head_fits(const uint8_t *p, size_t n)
{
	uint8_t digest[32];
	char want[65];

	if (n < HEAD_BYTES || memcmp(p, HEAD, sizeof(HEAD) - 1) != 0 || p[HEAD_BYTES - 1] != '\n')
		return false;
	sha256(p + HEAD_BYTES, n - HEAD_BYTES, digest);
	hex_text(digest, sizeof(digest), want);
	return memcmp(p + sizeof(HEAD) - 1, want, 64) == 0;
}

int book_of_file(const uint8_t *p, size_t n, struct book *ret, struct err *e)
{
	json_error_t why = { 0 };
	json_t *j = head_fits(p, n)
			    ? json_loadb((const char *)p + HEAD_BYTES, n - HEAD_BYTES, JSON_REJECT_DUPLICATES, &why)
			    : NULL;
	bool ok = j != NULL && book_of_json(j, ret);
	bool memory = j == NULL && json_error_code(&why) == json_error_out_of_memory;

	json_decref(j);
	return ok ? 0 : err_set(e, memory ? -ENOMEM : -EBADMSG, "the file %s", FILE_NAME);
}

static int book_read(struct book *b, struct err *e)
{
	uint8_t *p;
	size_t n;
	int r = file_read(b->dirfd, FILE_NAME, BOOK_FILE_MOST, &p, &n, e);

	if (r < 0)
		return r;
	r = book_of_file(p, n, b, e);
	explicit_bzero(p, n);
	free(p);
	return r;
}

int book_open(int dirfd, struct book *ret, enum book_found *ret_found, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->dirfd = dirfd;
	r = book_read(ret, e);
	*ret_found = r == 0 ? BOOK_READ : r == -ENOENT ? BOOK_NEW : BOOK_DAMAGED;
	if (r == 0 || r == -ENOENT)
		return 0;
	/* Memory or descriptors are short, so the file may be whole: the role ends and is started
	 * again. */
	if (file_for_now(r))
		return r;
	memset(ret, 0, sizeof(*ret));
	ret->dirfd = dirfd;
	return file_aside(dirfd, FILE_NAME);
}

int book_save(const struct book *b, struct err *e)
{
	json_t *j = book_to_json(b);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL, *all = NULL, hex[65];
	size_t n = text != NULL ? strlen(text) : 0;
	uint8_t digest[32];
	int r = -ENOMEM;

	json_decref(j);
	if (text != NULL)
		all = malloc(HEAD_BYTES + n + 1);
	if (all == NULL) {
		err_set(e, r, "write %s", FILE_NAME);
	} else {
		sha256(text, n, digest);
		hex_text(digest, sizeof(digest), hex);
		snprintf(all, HEAD_BYTES + n + 1, "%s%s\n%s", HEAD, hex, text);
		r = atomic_write(b->dirfd, FILE_NAME, all, HEAD_BYTES + n, e);
		explicit_bzero(all, HEAD_BYTES + n);
	}
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
	free(all);
	return r;
}
