/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book of accounts as JSON, and its file. Only this program writes the file, so a file with
 * more, fewer or other fields than it would write counts as damaged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/book.h"
#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

#define FILE_NAME "accounts"
#define HEAD "sekisho-accounts 1 "
#define HEAD_BYTES (sizeof(HEAD) - 1 + 64 + 1)

/* ---- writing --------------------------------------------------------------------------------- */

static json_t *recovery_json(const struct account *a)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->recovery_left; i++)
		json_array_append_new(list, json_hex(a->recovery[i], DIGEST_BYTES));
	return json_list_whole(list, a->recovery_left);
}

static json_t *keys_json(const struct account *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_keys; i++) {
		const struct key *k = &a->keys[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:I}", "label", k->label, "kind",
						      webauthn_kind_words[k->public.kind], "id",
						      json_hex(k->public.id, k->public.n_id), "public",
						      json_hex(k->public.public_key, WEBAUTHN_PUBLIC), "count",
						      (json_int_t)k->count, "since", (json_int_t)k->since, "used",
						      (json_int_t)k->used));
	}
	return json_list_whole(list, a->n_keys);
}

static json_t *pins_json(const struct account *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_pins; i++) {
		const struct pin *p = &a->pins[i];

		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I, s:I, s:I}", "label", p->label, "digest",
						      json_hex(p->digest, DIGEST_BYTES), "public",
						      json_hex(p->public, DIGEST_BYTES), "since", (json_int_t)p->since,
						      "until", (json_int_t)p->until, "used", (json_int_t)p->used));
	}
	return json_list_whole(list, a->n_pins);
}

/* An empty field that an older release does not know (keys, certificates, logins, handed-out
 * passphrases) is left out: such a release can then still read the file. */
static json_t *account_to_json(const struct account *a)
{
	char totp[BASE32_TEXT(TOTP_SECRET)];
	json_t *j;

	base32_text(a->totp, a->no_totp ? 0 : TOTP_SECRET, totp);
	j = json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:b, s:I, s:s, s:I, s:s, s:s, s:I, s:o, s:o*, s:o*, s:o*, s:o*}",
		"name", a->name, "full", a->full, "reason", a->reason, "by", a->by, "roles", duties_json(a->duties),
		"since", (json_int_t)a->since, "used", (json_int_t)a->used, "disabled", a->disabled, "disabled_since",
		(json_int_t)a->disabled_since, "disabled_by", a->disabled_by, "phrase_since",
		(json_int_t)a->phrase_since, "hash", a->hash, "totp", totp, "totp_step", (json_int_t)a->totp_step,
		"recovery", recovery_json(a), "handle", a->n_keys > 0 ? json_hex(a->handle, ACCOUNT_HANDLE) : NULL,
		"keys", a->n_keys > 0 ? keys_json(a) : NULL, "certificates", a->n_pins > 0 ? pins_json(a) : NULL,
		"handed", a->handed ? json_true() : NULL);
	explicit_bzero(totp, sizeof(totp));
	/* The name and the number go together: a file with only one of them counts as damaged. */
	if (j != NULL && a->login[0] != 0 &&
	    (json_object_set_new(j, "login", json_string(a->login)) < 0 ||
	     json_object_set_new(j, "login_uid", json_integer((json_int_t)a->login_uid)) < 0)) {
		json_decref(j);
		return NULL;
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
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o*}", "id", t->id, "label", t->label, "by", t->by,
			 "roles", duties_json(t->duties), "since", (json_int_t)t->since, "until", (json_int_t)t->until,
			 "used", (json_int_t)t->used, "digest", json_hex(t->digest, DIGEST_BYTES), "certificate",
			 t->pinned ? json_hex(t->pin, DIGEST_BYTES) : NULL);
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

/* ---- reading --------------------------------------------------------------------------------- */

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

static bool read_key(const json_t *j, struct key *k)
{
	const char *kind = json_string_value(json_object_get(j, "kind"));
	const json_t *id = json_object_get(j, "id"), *public = json_object_get(j, "public");
	size_t n = json_is_string(id) ? json_string_length(id) / 2 : 0;
	uint64_t count;

	for (k->public.kind = 0; kind != NULL && k->public.kind < WEBAUTHN_KINDS; k->public.kind++)
		if (strcmp(kind, webauthn_kind_words[k->public.kind]) == 0)
			break;
	if (!json_is_object(j) || json_object_size(j) != 7 || kind == NULL || k->public.kind == WEBAUTHN_KINDS ||
	    n == 0 || n > WEBAUTHN_ID || json_string_length(id) % 2 != 0 || !json_is_string(public) ||
	    json_string_length(public) != (size_t)2 * WEBAUTHN_PUBLIC || !read_number(j, "count", &count) ||
	    count > UINT32_MAX)
		return false;
	k->public.n_id = (uint8_t)n;
	k->count = (uint32_t)count;
	return read_text(j, "label", k->label, KEY_LABEL) && k->label[0] != 0 &&
	       hex_read(json_string_value(id), k->public.id, n) &&
	       hex_read(json_string_value(public), k->public.public_key, WEBAUTHN_PUBLIC) &&
	       read_number(j, "since", &k->since) && read_number(j, "used", &k->used);
}

/* An account without keys has no such field in the file. */
static bool read_keys(const json_t *j, struct account *a)
{
	const json_t *list = json_object_get(j, "keys"), *handle = json_object_get(j, "handle"), *v;
	size_t i;

	if (list == NULL && handle == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > WEBAUTHN_KEYS ||
	    !json_is_string(handle) || json_string_length(handle) != (size_t)2 * ACCOUNT_HANDLE ||
	    !hex_read(json_string_value(handle), a->handle, ACCOUNT_HANDLE))
		return false;
	json_array_foreach(list, i, v)
	{
		struct key k = { 0 };

		if (!read_key(v, &k) || account_key(a, k.label) != NULL)
			return false;
		a->keys[a->n_keys++] = k;
	}
	return true;
}

/* An account without certificates has no such field in the file. */
static bool read_pins(const json_t *j, struct account *a)
{
	const json_t *list = json_object_get(j, "certificates"), *v;
	size_t i;

	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > PINS_EACH)
		return false;
	json_array_foreach(list, i, v)
	{
		struct pin p = { 0 };

		if (json_object_size(v) != 6 || !read_text(v, "label", p.label, KEY_LABEL) || p.label[0] == 0 ||
		    !pin_read(json_string_value(json_object_get(v, "digest")), p.digest) ||
		    !pin_read(json_string_value(json_object_get(v, "public")), p.public) ||
		    !read_number(v, "since", &p.since) || !read_number(v, "until", &p.until) ||
		    !read_number(v, "used", &p.used) || account_pin(a, p.label) != NULL ||
		    account_pin_of(a, p.digest) != NULL)
			return false;
		a->pins[a->n_pins++] = p;
	}
	return true;
}

/* An account without a login has no such field in the file. */
static bool read_login(const json_t *j, struct account *a)
{
	uint64_t uid = 0;

	if (json_object_get(j, "login") == NULL && json_object_get(j, "login_uid") == NULL)
		return true;
	if (!read_text(j, "login", a->login, LOGIN_MOST) || !login_is_name(a->login) ||
	    !read_number(j, "login_uid", &uid) || uid > UINT32_MAX)
		return false;
	a->login_uid = (uint32_t)uid;
	return login_is_persons(a->login_uid);
}

/* No field: the authenticator was removed. The account has a key or paper codes instead. */
static bool read_totp(const json_t *j, struct account *a)
{
	char totp[BASE32_TEXT(TOTP_SECRET)];
	bool ok = read_text(j, "totp", totp, sizeof(totp) - 1);

	a->no_totp = ok && totp[0] == 0;
	ok = ok && (a->no_totp || base32_read(totp, a->totp, TOTP_SECRET));
	explicit_bzero(totp, sizeof(totp));
	return ok;
}

static bool read_account(const json_t *j, struct account *a)
{
	const json_t *disabled = json_object_get(j, "disabled"), *handed = json_object_get(j, "handed");
	size_t parts = 15u + (json_object_get(j, "keys") != NULL ? 2u : 0u) +
		       (json_object_get(j, "certificates") != NULL ? 1u : 0u) +
		       (json_object_get(j, "login") != NULL ? 2u : 0u) + (handed != NULL ? 1u : 0u);
	bool ok = json_is_object(j) && json_object_size(j) == parts && json_is_boolean(disabled) &&
		  (handed == NULL || json_is_true(handed)) && read_text(j, "name", a->name, ACCOUNT_NAME) &&
		  text_is_name(a->name) && read_text(j, "full", a->full, ACCOUNT_FULL) &&
		  read_text(j, "reason", a->reason, ACCOUNT_REASON) && read_text(j, "by", a->by, ACCOUNT_BY) &&
		  read_text(j, "disabled_by", a->disabled_by, ACCOUNT_BY) && read_duties(j, &a->duties) &&
		  read_number(j, "since", &a->since) && read_number(j, "used", &a->used) &&
		  read_number(j, "disabled_since", &a->disabled_since) &&
		  read_number(j, "phrase_since", &a->phrase_since) && read_number(j, "totp_step", &a->totp_step) &&
		  read_text(j, "hash", a->hash, PASSPHRASE_HASH - 1) && passphrase_is_hash(a->hash) &&
		  read_totp(j, a) && read_recovery(j, a) && read_keys(j, a) && read_pins(j, a) && read_login(j, a);

	a->disabled = json_is_true(disabled);
	a->handed = json_is_true(handed);
	return ok;
}

static bool read_token(const json_t *j, struct token *t)
{
	const json_t *digest = json_object_get(j, "digest"), *pin = json_object_get(j, "certificate");

	t->pinned = pin != NULL;
	return json_is_object(j) && json_object_size(j) == (t->pinned ? 9u : 8u) &&
	       (!t->pinned || pin_read(json_string_value(pin), t->pin)) && read_text(j, "id", t->id, TOKEN_ID) &&
	       strspn(t->id, "0123456789abcdef") == TOKEN_ID && read_text(j, "label", t->label, ACCOUNT_REASON) &&
	       read_text(j, "by", t->by, ACCOUNT_BY) && read_duties(j, &t->duties) &&
	       read_number(j, "since", &t->since) && read_number(j, "until", &t->until) &&
	       read_number(j, "used", &t->used) && json_is_string(digest) &&
	       json_string_length(digest) == (size_t)2 * DIGEST_BYTES &&
	       hex_read(json_string_value(digest), t->digest, DIGEST_BYTES);
}

/* No field: a policy needs two persons. */
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

		if (!read_account(v, &a) || book_account(ret, a.name) != NULL ||
		    (a.login[0] != 0 && book_login_owner(ret, a.login, a.login_uid) != NULL))
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
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EINTR)
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
