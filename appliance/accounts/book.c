/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/book.h"
#include "appliance/accounts/account.h"
#include "appliance/accounts/book_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/wire/duty.h"

const char *const webauthn_kind_words[WEBAUTHN_KINDS] = {
	[WEBAUTHN_ES256] = "ES256",
	[WEBAUTHN_EDDSA] = "EdDSA",
};

void book_wipe(struct book *b)
{
	explicit_bzero(b, sizeof(*b));
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Takes an entry out of a list, keeps the order of the others, and wipes the place that is left. */
static void take_out(void *list, size_t *n, void *entry, size_t size)
{
	char *last = (char *)list + --*n * size;

	memmove(entry, (char *)entry + size, (size_t)(last - (char *)entry));
	explicit_bzero(last, size);
}

struct account *book_account(struct book *b, const char *name)
{
	for (size_t i = 0; i < b->n_accounts; i++)
		if (strcmp(b->accounts[i].name, name) == 0)
			return &b->accounts[i];
	return NULL;
}

struct token *book_token(struct book *b, const char *id)
{
	for (size_t i = 0; i < b->n_tokens; i++)
		if (strcmp(b->tokens[i].id, id) == 0)
			return &b->tokens[i];
	return NULL;
}

struct token *book_token_of(struct book *b, const uint8_t secret[SECRET_BYTES], uint64_t now)
{
	struct token *found = NULL;
	uint8_t digest[DIGEST_BYTES];

	sha256(secret, SECRET_BYTES, digest);
	for (size_t i = 0; i < b->n_tokens; i++)
		if (secret_same(b->tokens[i].digest, digest, DIGEST_BYTES) && now < b->tokens[i].until)
			found = &b->tokens[i];
	return found;
}

struct account *book_add(struct book *b)
{
	return b->n_accounts < ACCOUNTS_MOST ? &b->accounts[b->n_accounts++] : NULL;
}

struct token *book_add_token(struct book *b)
{
	return b->n_tokens < TOKENS_MOST ? &b->tokens[b->n_tokens++] : NULL;
}

void book_remove(struct book *b, struct account *a)
{
	take_out(b->accounts, &b->n_accounts, a, sizeof(*a));
}

void book_remove_token(struct book *b, struct token *t)
{
	take_out(b->tokens, &b->n_tokens, t, sizeof(*t));
}

bool account_unused(const struct account *a, uint64_t now)
{
	uint64_t last = a->used > a->since ? a->used : a->since;

	return !a->disabled && now > last && now - last >= UNUSED_S;
}

bool account_recovery(struct account *a, char out[RECOVERY_CODES][RECOVERY_TEXT])
{
	uint8_t raw[RECOVERY_CODES][RECOVERY_BYTES];
	char text[BASE32_TEXT(RECOVERY_BYTES)];

	if (!secret_make(&raw[0][0], sizeof(raw)))
		return false;
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		base32_text(raw[i], RECOVERY_BYTES, text);
		snprintf(out[i], RECOVERY_TEXT, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8, text + 12);
		sha256(raw[i], RECOVERY_BYTES, a->recovery[i]);
	}
	a->recovery_left = RECOVERY_CODES;
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	return true;
}

bool account_use_recovery(struct account *a, const char *code)
{
	uint8_t raw[RECOVERY_BYTES], digest[DIGEST_BYTES];
	uint32_t found = a->recovery_left;

	if (!base32_read(code, raw, sizeof(raw)))
		return false;
	sha256(raw, sizeof(raw), digest);
	for (uint32_t i = 0; i < a->recovery_left; i++)
		if (secret_same(a->recovery[i], digest, DIGEST_BYTES))
			found = i;
	if (found == a->recovery_left)
		return false;
	a->recovery_left--;
	memcpy(a->recovery[found], a->recovery[a->recovery_left], DIGEST_BYTES);
	memset(a->recovery[a->recovery_left], 0, DIGEST_BYTES);
	return true;
}

struct key *account_key(struct account *a, const char *label)
{
	for (size_t i = 0; i < a->n_keys; i++)
		if (strcmp(a->keys[i].label, label) == 0)
			return &a->keys[i];
	return NULL;
}

void account_remove_key(struct account *a, struct key *k)
{
	take_out(a->keys, &a->n_keys, k, sizeof(*k));
}

const struct account *book_key_owner(const struct book *b, const struct webauthn_key *k)
{
	for (size_t i = 0; i < b->n_accounts; i++)
		for (size_t n = 0; n < b->accounts[i].n_keys; n++) {
			const struct webauthn_key *other = &b->accounts[i].keys[n].public;

			if (other->n_id == k->n_id && memcmp(other->id, k->id, k->n_id) == 0)
				return &b->accounts[i];
		}
	return NULL;
}

struct pin *account_pin(struct account *a, const char *label)
{
	for (size_t i = 0; i < a->n_pins; i++)
		if (strcmp(a->pins[i].label, label) == 0)
			return &a->pins[i];
	return NULL;
}

struct pin *account_pin_of(struct account *a, const uint8_t digest[DIGEST_BYTES])
{
	for (size_t i = 0; i < a->n_pins; i++)
		if (memcmp(a->pins[i].digest, digest, DIGEST_BYTES) == 0)
			return &a->pins[i];
	return NULL;
}

void account_remove_pin(struct account *a, struct pin *p)
{
	take_out(a->pins, &a->n_pins, p, sizeof(*p));
}

const struct account *book_pin_owner(const struct book *b, const uint8_t public[DIGEST_BYTES])
{
	for (size_t i = 0; i < b->n_accounts; i++)
		for (size_t n = 0; n < b->accounts[i].n_pins; n++)
			if (memcmp(b->accounts[i].pins[n].public, public, DIGEST_BYTES) == 0)
				return &b->accounts[i];
	return NULL;
}

struct account *book_login_owner(struct book *b, const char *login, uint32_t uid)
{
	for (size_t i = 0; i < b->n_accounts; i++)
		if (b->accounts[i].login[0] != 0 &&
		    (strcmp(b->accounts[i].login, login) == 0 || b->accounts[i].login_uid == uid))
			return &b->accounts[i];
	return NULL;
}

bool pin_read(const char *text, uint8_t out[DIGEST_BYTES])
{
	return hex_read(text, out, DIGEST_BYTES) && strspn(text, "0") != (size_t)2 * DIGEST_BYTES;
}

/* ---- as people see it ------------------------------------------------------------------------ */

json_t *duties_json(uint32_t duties)
{
	json_t *list = json_array();

	for (unsigned d = 0; d < DUTY_COUNT; d++)
		if ((duties >> d & 1u) != 0)
			json_array_append_new(list, json_string(duty_word(d)));
	return json_list_whole(list, (size_t)__builtin_popcount(duties));
}

json_t *rights_json(uint32_t rights)
{
	json_t *list = json_array();

	for (unsigned r = 0; r < RIGHT_COUNT; r++)
		if ((rights >> r & 1u) != 0)
			json_array_append_new(list, json_string(right_word(r)));
	return list;
}

json_t *book_keys_json(const struct account *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_keys; i++) {
		const struct key *k = &a->keys[i];

		json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:o, s:o, s:I}", "label", json_text(k->label),
						      "kind", webauthn_kind_words[k->public.kind], "attestation",
						      "none", "since", json_seconds(k->since), "last_use",
						      json_seconds(k->used), "signatures", (json_int_t)k->count));
	}
	return json_list_whole(list, a->n_keys);
}

json_t *book_pins_json(const struct account *a, uint64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_pins; i++) {
		const struct pin *p = &a->pins[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "label", json_text(p->label),
						      "sha256", json_hex(p->digest, DIGEST_BYTES), "since",
						      json_seconds(p->since), "until", json_seconds(p->until),
						      "last_use", json_seconds(p->used), "expired", now >= p->until));
	}
	return json_list_whole(list, a->n_pins);
}

void account_seen(const struct account *a, char out[ACCOUNT_SEEN])
{
	uint8_t digest[DIGEST_BYTES];
	json_t *j =
		json_pack("{s:o, s:o, s:o, s:I, s:I, s:b, s:I, s:I, s:b, s:I, s:I}", "name", json_text(a->name), "full",
			  json_text(a->full), "reason", json_text(a->reason), "duties", (json_int_t)a->duties, "since",
			  (json_int_t)a->since, "disabled", a->disabled, "disabled_since",
			  (json_int_t)a->disabled_since, "phrase_since", (json_int_t)a->phrase_since, "totp",
			  !a->no_totp, "keys", (json_int_t)a->n_keys, "certificates", (json_int_t)a->n_pins);
	char *text = j != NULL ? json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT) : NULL;

	snprintf(out, ACCOUNT_SEEN, "%s", "");
	if (text != NULL) {
		sha256(text, strlen(text), digest);
		hex_text(digest, (ACCOUNT_SEEN - 1) / 2, out);
	}
	free(text);
	json_decref(j);
}

bool account_handed_over(const struct account *a, uint64_t now)
{
	/* After the clock was set back, phrase_since may lie in the future: then that distance
	 * counts. */
	return a->handed && (now > a->phrase_since ? now - a->phrase_since : a->phrase_since - now) > HANDED_S;
}

json_t *book_account_json(const struct account *a, uint64_t now)
{
	json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:I, s:b, s:o, s:o, s:o}", "name",
			      json_text(a->name), "full_name", json_text(a->full), "reason", json_text(a->reason), "by",
			      json_text(a->by), "roles", duties_json(a->duties), "since", json_seconds(a->since),
			      "last_use", json_seconds(a->used), "disabled", a->disabled, "unused",
			      account_unused(a, now), "passphrase_since", json_seconds(a->phrase_since),
			      "recovery_codes", (json_int_t)a->recovery_left, "totp", !a->no_totp, "keys",
			      book_keys_json(a), "certificates", book_pins_json(a, now), "handed_out_until",
			      json_seconds(a->handed ? a->phrase_since + HANDED_S : 0));

	if (j != NULL && a->login[0] != 0) {
		json_object_set_new(j, "login", json_text(a->login));
		json_object_set_new(j, "login_uid", json_integer((json_int_t)a->login_uid));
	}
	if (j != NULL && a->disabled) {
		json_object_set_new(j, "disabled_since", json_seconds(a->disabled_since));
		json_object_set_new(j, "disabled_by", json_text(a->disabled_by));
	}
	return j;
}

json_t *book_token_json(const struct token *t, uint64_t now)
{
	char from[ADDR_TEXT] = "";

	if (t->from.family != 0)
		addr_text(&t->from, from);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "id", json_text(t->id), "label",
			 json_text(t->label), "from", json_text_or_null(from), "by", json_text(t->by), "roles",
			 duties_json(t->duties), "since", json_seconds(t->since), "until", json_seconds(t->until),
			 "last_use", json_seconds(t->used), "expired", now >= t->until, "certificate",
			 t->pinned ? json_hex(t->pin, DIGEST_BYTES) : json_null());
}

json_t *book_approval_json(const struct book *b)
{
	const struct one_person *p = &b->one_person;

	if (!p->enough)
		return json_pack("{s:b}", "two_persons", true);
	return json_pack("{s:b, s:o, s:o, s:o}", "two_persons", false, "since", json_time(p->since * 1000000000u), "by",
			 json_text(p->by), "reason", json_text(p->reason));
}
