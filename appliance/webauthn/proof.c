/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/webauthn/proof.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "appliance/base/bytes.h"
#include "appliance/base/json.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/webauthn.h"

/* ---- the message of a browser ---------------------------------------------------------------- */

/* A text of parts in base64url without padding (RFC 4648, 5), with '.' between them. */

#define PARTS_MOST 4u

struct parts {
	size_t n;
	struct bytes part[PARTS_MOST]; /* into `room` */
	uint8_t room[WEBAUTHN_TEXT];
};

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Decodes one part to *ret_n bytes, at most `room`. Unused bits must be 0. */
static bool base64url(struct bytes text, uint8_t *out, size_t room, size_t *ret_n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	uint8_t c;

	while (bytes_u8(&text, &c)) {
		int v = value_of(c);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		if (n == room)
			return false;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have & 0xffu);
	}
	*ret_n = n;
	return have < 6 && (bits & ((1u << have) - 1u)) == 0;
}

/* Takes the bytes up to the next '.' or to the end. The '.' is skipped. */
static struct bytes up_to_dot(struct bytes *text)
{
	struct bytes rest = *text, part;
	size_t n = 0;
	uint8_t c;

	while (bytes_u8(&rest, &c) && c != '.')
		n++;
	if (!bytes_take(text, n, &part))
		part = bytes_of(NULL, 0);
	bytes_skip(text, 1); /* has no effect at the end of the text */
	return part;
}

/* True when there are exactly `n` parts, none of them empty, each in canonical base64url. */
static bool parts_read(struct bytes text, size_t n, struct parts *ret)
{
	size_t used = 0, dots = 0, len;
	struct bytes look = text;
	uint8_t c;

	while (bytes_u8(&look, &c))
		dots += c == '.';
	if (n == 0 || n > PARTS_MOST || dots != n - 1)
		return false;
	for (ret->n = 0; ret->n < n; ret->n++) {
		uint8_t *at = ret->room + used;

		if (!base64url(up_to_dot(&text), at, sizeof(ret->room) - used, &len) || len == 0)
			return false;
		ret->part[ret->n] = bytes_of(at, len);
		used += len;
	}
	return true;
}

/* ---- the client data ------------------------------------------------------------------------- */

/* The client data of Web Authentication, in JSON. They come from the browser and not from the page,
 * and say for which site and purpose the key was used. */

#define CLIENT_MOST 1024u /* bytes */

static bool member_says(const json_t *j, const char *key, const char *text)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) && json_string_length(v) == strlen(text) && strcmp(json_string_value(v), text) == 0;
}

static bool read_challenge(const json_t *j, uint8_t challenge[WEBAUTHN_CHALLENGE])
{
	const json_t *v = json_object_get(j, "challenge");
	size_t n;

	return json_is_string(v) &&
	       base64url(bytes_of(json_string_value(v), json_string_length(v)), challenge, WEBAUTHN_CHALLENGE, &n) &&
	       n == WEBAUTHN_CHALLENGE;
}

/*
 * True when the client data are of this `type` ("webauthn.get", "webauthn.create"), from
 * WEBAUTHN_ORIGIN and not from a frame of another site. *ret_challenged: `challenge` holds a
 * challenge of the right size, whatever is returned. Unknown members are ignored, because browsers
 * may add some.
 */
static bool client_read(struct bytes json, const char *type, uint8_t challenge[WEBAUTHN_CHALLENGE],
			bool *ret_challenged)
{
	json_t *j = json.left <= CLIENT_MOST ? json_loadb((const char *)json.p, json.left, JSON_REJECT_DUPLICATES, NULL)
					     : NULL;
	const json_t *crossed = json_object_get(j, "crossOrigin");
	bool ok = json_is_object(j) && member_says(j, "type", type) && member_says(j, "origin", WEBAUTHN_ORIGIN) &&
		  (crossed == NULL || json_is_false(crossed)) && json_object_get(j, "topOrigin") == NULL;

	*ret_challenged = json_is_object(j) && read_challenge(j, challenge);
	json_decref(j);
	return ok && *ret_challenged;
}

#define DATA_HEAD 37u  /* bytes: hash of the site's name, flags, count */
#define PRESENT 0x01u  /* somebody touched the key */
#define VERIFIED 0x04u /* the key verified its owner by a PIN or a finger */

static const struct {
	int cose;
	size_t n_public;
} kinds[WEBAUTHN_KINDS] = {
	[WEBAUTHN_ES256] = { COSE_ES256, 64 },
	[WEBAUTHN_EDDSA] = { COSE_EDDSA, 32 },
};

/* ---- a new key ------------------------------------------------------------------------------- */

/*
 * Whether CBOR data have only numbers, complete strings and small maps, nested at most once. Valid
 * data have nothing else. Arrays are refused, because libfido2's reader allocates memory by the
 * number of members that an array states.
 */
static bool is_plain(struct bytes *b, unsigned depth)
{
	uint8_t head, kind, n;
	uint16_t two;

	if (!bytes_u8(b, &head))
		return false;
	kind = head >> 5;
	n = head & 0x1fu;
	if (kind == 7)
		return n == 20 || n == 21; /* false and true */
	if (n == 25)
		return bytes_be16(b, &two) && (kind <= 1 || (kind <= 3 && bytes_skip(b, two)));
	if (n == 26)
		return kind <= 1 && bytes_skip(b, 4);
	if (n > 26 || (n == 24 && !bytes_u8(b, &n)))
		return false;
	if (kind <= 1)
		return true;
	if (kind <= 3)
		return bytes_skip(b, n);
	for (unsigned i = 0; i < 2u * n; i++)
		if (n > 23 || depth == 0 || !is_plain(b, depth - 1))
			return false;
	return kind == 5;
}

/* Checks what follows the head: 16 bytes for the model, the id with its length, the public key, and
 * possibly extensions. */
static bool is_plain_data(struct bytes data)
{
	uint16_t n_id;

	if (!bytes_skip(&data, DATA_HEAD + 16) || !bytes_be16(&data, &n_id) || !bytes_skip(&data, n_id) ||
	    !is_plain(&data, 2))
		return false;
	return data.left == 0 || (is_plain(&data, 2) && data.left == 0);
}

/* Whether the coordinates are on the curve. With others the key could never verify a signature. */
static bool is_public_key(const struct webauthn_key *k)
{
	es256_pk_t *es = es256_pk_new();
	eddsa_pk_t *ed = eddsa_pk_new();
	EVP_PKEY *p = NULL;

	if (es != NULL && ed != NULL) {
		if (k->kind == WEBAUTHN_ES256 && es256_pk_from_ptr(es, k->public_key, 64) == FIDO_OK)
			p = es256_pk_to_EVP_PKEY(es);
		if (k->kind == WEBAUTHN_EDDSA && eddsa_pk_from_ptr(ed, k->public_key, 32) == FIDO_OK)
			p = eddsa_pk_to_EVP_PKEY(ed);
	}
	es256_pk_free(&es);
	eddsa_pk_free(&ed);
	EVP_PKEY_free(p);
	return p != NULL;
}

static bool of_our_site(const fido_cred_t *c)
{
	uint8_t want[32];

	sha256(WEBAUTHN_SITE, strlen(WEBAUTHN_SITE), want);
	return fido_cred_authdata_raw_len(c) >= DATA_HEAD &&
	       memcmp(fido_cred_authdata_raw_ptr(c), want, sizeof(want)) == 0;
}

/* The library has to be told the kind of key beforehand, so the kinds are tried one by one. */
static bool read_new_key(struct bytes data, enum webauthn_kind kind, struct webauthn_answer *ret)
{
	fido_cred_t *c = fido_cred_new();
	struct webauthn_key *k = &ret->key;
	bool ok = c != NULL && is_plain_data(data) && fido_cred_set_type(c, kinds[kind].cose) == FIDO_OK &&
		  fido_cred_set_authdata_raw(c, data.p, data.left) == FIDO_OK && of_our_site(c) &&
		  (fido_cred_flags(c) & (PRESENT | VERIFIED)) == (PRESENT | VERIFIED) && fido_cred_id_len(c) > 0 &&
		  fido_cred_id_len(c) <= WEBAUTHN_ID && fido_cred_pubkey_len(c) == kinds[kind].n_public;

	if (ok) {
		k->kind = (uint8_t)kind;
		k->n_id = (uint8_t)fido_cred_id_len(c);
		memcpy(k->id, fido_cred_id_ptr(c), k->n_id);
		memcpy(k->public_key, fido_cred_pubkey_ptr(c), kinds[kind].n_public);
		ret->count = fido_cred_sigcount(c);
		ok = is_public_key(k);
	}
	fido_cred_free(&c);
	return ok;
}

static bool enrol(const struct webauthn_question *q, struct webauthn_answer *ret)
{
	struct parts p;

	if (!parts_read(bytes_of(q->text, strnlen(q->text, WEBAUTHN_TEXT)), 2, &p) ||
	    !client_read(p.part[0], "webauthn.create", ret->challenge, &ret->challenged))
		return false;
	for (unsigned kind = 0; kind < WEBAUTHN_KINDS; kind++)
		if (read_new_key(p.part[1], (enum webauthn_kind)kind, ret))
			return true;
	memset(&ret->key, 0, sizeof(ret->key));
	return false;
}

/* ---- a login --------------------------------------------------------------------------------- */

static bool signed_by(const fido_assert_t *a, const struct webauthn_key *k)
{
	es256_pk_t *es = es256_pk_new();
	eddsa_pk_t *ed = eddsa_pk_new();
	bool ok = es != NULL && ed != NULL;

	if (k->kind == WEBAUTHN_ES256)
		ok = ok && es256_pk_from_ptr(es, k->public_key, 64) == FIDO_OK &&
		     fido_assert_verify(a, 0, COSE_ES256, es) == FIDO_OK;
	else
		ok = ok && k->kind == WEBAUTHN_EDDSA && eddsa_pk_from_ptr(ed, k->public_key, 32) == FIDO_OK &&
		     fido_assert_verify(a, 0, COSE_EDDSA, ed) == FIDO_OK;
	es256_pk_free(&es);
	eddsa_pk_free(&ed);
	return ok;
}

/* Verifies a signature. The authenticator data must consist of the head only: extensions would
 * follow it, and this program never asks for them. */
static bool proves(struct bytes client, struct bytes data, struct bytes signature, const struct webauthn_key *k,
		   uint32_t *ret_count)
{
	fido_assert_t *a = fido_assert_new();
	uint8_t hash[32];
	bool ok;

	sha256(client.p, client.left, hash);
	ok = a != NULL && data.left == DATA_HEAD && fido_assert_set_count(a, 1) == FIDO_OK &&
	     fido_assert_set_clientdata_hash(a, hash, sizeof(hash)) == FIDO_OK &&
	     fido_assert_set_rp(a, WEBAUTHN_SITE) == FIDO_OK && fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
	     fido_assert_set_uv(a, FIDO_OPT_TRUE) == FIDO_OK &&
	     fido_assert_set_authdata_raw(a, 0, data.p, data.left) == FIDO_OK &&
	     fido_assert_set_sig(a, 0, signature.p, signature.left) == FIDO_OK && signed_by(a, k);
	if (ok)
		*ret_count = fido_assert_sigcount(a, 0);
	fido_assert_free(&a);
	return ok;
}

static bool check_login(const struct webauthn_question *q, struct webauthn_answer *ret)
{
	struct parts p;

	if (!parts_read(bytes_of(q->text, strnlen(q->text, WEBAUTHN_TEXT)), 4, &p) ||
	    !client_read(p.part[1], "webauthn.get", ret->challenge, &ret->challenged))
		return false;
	for (uint8_t i = 0; i < q->n_keys && i < WEBAUTHN_KEYS; i++) {
		const struct webauthn_key *k = &q->keys[i];

		if (k->n_id != p.part[0].left || memcmp(k->id, p.part[0].p, k->n_id) != 0)
			continue;
		ret->which = i;
		return proves(p.part[1], p.part[2], p.part[3], k, &ret->count);
	}
	return false;
}

void proof_judge(const struct webauthn_question *q, struct webauthn_answer *ret)
{
	*ret = (struct webauthn_answer){ .id = q->id };
	ret->holds = q->enrol ? enrol(q, ret) : check_login(q, ret);
}

/* ---- the start ------------------------------------------------------------------------------- */

/*
 * Prepares the libraries for the sandbox. The first JSON table reads a random number from a file,
 * so one table is made before. Both kinds of keys are used once as well: the public key of RFC
 * 8032, 7.1 and the base point of P-256 are valid keys.
 */
bool proof_begin(void)
{
	static const struct webauthn_key known[] = {
		{ .kind = WEBAUTHN_EDDSA,
		  .public_key = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
				  0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
				  0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a } },
		{ .kind = WEBAUTHN_ES256,
		  .public_key = { 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63,
				  0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1,
				  0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f,
				  0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57,
				  0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5 } },
	};
	uint8_t challenge[WEBAUTHN_CHALLENGE];
	const uint8_t no_signature[64] = { 0 }, data[DATA_HEAD] = { 0 };
	uint32_t count;
	bool challenged, ok;

	fido_init(0);
	ok = !client_read(bytes_of("{}", 2), "", challenge, &challenged);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ok = ok && is_public_key(&known[i]) &&
		     !proves(bytes_of("", 0), bytes_of(data, sizeof(data)),
			     bytes_of(no_signature, sizeof(no_signature)), &known[i], &count);
	return ok;
}
