/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/checkpoint.h"

#include <inttypes.h>
#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"
#define PEM_BODY 60u /* length of the DER key in base64 */
#define DER 44u

/* SubjectPublicKeyInfo of an Ed25519 key (RFC 8410), up to the key itself. */
static const uint8_t der_front[DER - CHECKPOINT_KEY] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
							 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

size_t checkpoint_text(const struct checkpoint *c, char out[CHECKPOINT_TEXT])
{
	char key[2 * CHECKPOINT_KEY + 1], hash[65];
	int n;

	hex_text(c->key, sizeof(c->key), key);
	hex_text(c->hash, sizeof(c->hash), hash);
	n = snprintf(out, CHECKPOINT_TEXT, "sekisho-journal-checkpoint-1 key=%s record=%" PRIu64 " hash=%s time=%.24s",
		     key, c->record, hash, c->time);
	return n > 0 && n < (int)CHECKPOINT_TEXT ? (size_t)n : 0;
}

json_t *checkpoint_json(const struct checkpoint *c, const uint8_t signature[CHECKPOINT_SIGNATURE])
{
	char text[CHECKPOINT_TEXT];

	checkpoint_text(c, text);
	return json_pack("{s:s, s:o}", "text", text, "signature", json_hex(signature, CHECKPOINT_SIGNATURE));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Checks the form "2026-11-20T08:10:11.000Z": digits where digits belong. */
static bool time_read(const char *text, char out[CHECKPOINT_TIME + 1])
{
	static const char form[] = "0000-00-00T00:00:00.000Z";

	for (size_t i = 0; i < CHECKPOINT_TIME; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	memcpy(out, text, CHECKPOINT_TIME);
	out[CHECKPOINT_TIME] = '\0';
	return true;
}

static bool is_among(const struct checkpoint_keys *keys, const uint8_t key[CHECKPOINT_KEY])
{
	for (size_t i = 0; i < keys->n; i++)
		if (memcmp(keys->list[i], key, CHECKPOINT_KEY) == 0)
			return true;
	return false;
}

/* Reads the key that a text names. The text is valid only if its values give exactly the same text
 * again. */
static bool key_of(const char *text, uint8_t key[CHECKPOINT_KEY])
{
	static const char front[] = "sekisho-journal-checkpoint-1 key=";
	char hex[2 * CHECKPOINT_KEY + 1] = "";

	if (text == NULL || strncmp(text, front, sizeof(front) - 1) != 0)
		return false;
	snprintf(hex, sizeof(hex), "%s", text + sizeof(front) - 1);
	return hex_read(hex, key, CHECKPOINT_KEY);
}

/* Reads the record's number and hash. Other errors of form are found later, when the text is
 * compared with a newly made one. */
static bool read_record(const char *text, struct checkpoint *c)
{
	static const char number[] = " record=", hash[] = " hash=";
	const char *at = text != NULL ? strstr(text, number) : NULL;
	char hex[65];

	if (at == NULL)
		return false;
	c->record = strtoull(at + sizeof(number) - 1, NULL, 10);
	at = strstr(at, hash);
	if (at == NULL)
		return false;
	snprintf(hex, sizeof(hex), "%s", at + sizeof(hash) - 1);
	return hex_read(hex, c->hash, sizeof(c->hash));
}

static enum checkpoint_word judge_signature(const json_t *member, const struct checkpoint_keys *keys,
					    struct checkpoint *c)
{
	const char *said = json_string_value(json_object_get(member, "text"));
	uint8_t signature[CHECKPOINT_SIGNATURE];
	char text[CHECKPOINT_TEXT];
	size_t n;

	if (!key_of(said, c->key))
		return CHECKPOINT_FALSE;
	if (!is_among(keys, c->key))
		return CHECKPOINT_ANOTHER;
	n = strlen(said);
	if (n < CHECKPOINT_TIME || !time_read(said + n - CHECKPOINT_TIME, c->time) || checkpoint_text(c, text) != n ||
	    memcmp(text, said, n) != 0)
		return CHECKPOINT_FALSE;
	if (!hex_read(json_string_value(json_object_get(member, "signature")), signature, sizeof(signature)))
		return CHECKPOINT_FALSE;
	return ed25519_sha512_verify(c->key, n, (const uint8_t *)said, signature) == 1 ? CHECKPOINT_GOOD
										       : CHECKPOINT_FALSE;
}

enum checkpoint_word checkpoint_of_line(const char *line, size_t n, uint64_t seq, const struct checkpoint_keys *keys,
					struct checkpoint *ret)
{
	static const char mark[] = ",\"checkpoint\":{";
	enum checkpoint_word word = CHECKPOINT_NONE;
	const json_t *member;
	json_t *o;

	*ret = (struct checkpoint){ .record = seq - 1 };
	if (seq == 0 || memmem(line, n, mark, sizeof(mark) - 1) == NULL || !journal_line_prev(line, n, ret->hash))
		return CHECKPOINT_NONE;
	o = json_loadb(line, n, 0, NULL);
	member = json_object_get(o, "checkpoint");
	if (json_is_object(member))
		word = judge_signature(member, keys, ret);
	json_decref(o);
	return word;
}

enum checkpoint_word checkpoint_of_member(const json_t *member, const struct checkpoint_keys *keys,
					  struct checkpoint *ret)
{
	*ret = (struct checkpoint){ 0 };
	if (!json_is_object(member))
		return CHECKPOINT_NONE;
	return read_record(json_string_value(json_object_get(member, "text")), ret) ? judge_signature(member, keys, ret)
										    : CHECKPOINT_FALSE;
}

/* ---- keys as files --------------------------------------------------------------------------- */

void checkpoint_pem(const uint8_t key[CHECKPOINT_KEY], char out[CHECKPOINT_PEM])
{
	char body[PEM_BODY + 1] = "";
	uint8_t der[DER];

	memcpy(der, der_front, sizeof(der_front));
	memcpy(der + sizeof(der_front), key, CHECKPOINT_KEY);
	base64_encode_raw(body, sizeof(der), der);
	snprintf(out, CHECKPOINT_PEM, PEM_BEGIN "\n%.60s\n" PEM_END "\n", body);
}

/* Reads a PEM key that begins at `p`; returns what follows, or NULL. */
static const char *pem_read(const char *p, uint8_t key[CHECKPOINT_KEY])
{
	uint8_t der[BASE64_DECODE_LENGTH(PEM_BODY)];
	struct base64_decode_ctx c;
	size_t n = sizeof(der), len;

	p += strlen(PEM_BEGIN);
	p += strspn(p, "\r\n");
	len = strcspn(p, "\r\n");
	if (len != PEM_BODY)
		return NULL;
	base64_decode_init(&c);
	if (base64_decode_update(&c, &n, der, PEM_BODY, p) == 0 || base64_decode_final(&c) == 0 || n != DER ||
	    memcmp(der, der_front, sizeof(der_front)) != 0)
		return NULL;
	memcpy(key, der + sizeof(der_front), CHECKPOINT_KEY);
	p += len;
	p += strspn(p, "\r\n");
	return strncmp(p, PEM_END, strlen(PEM_END)) == 0 ? p + strlen(PEM_END) : NULL;
}

bool checkpoint_keys_read(const char *text, size_t n, struct checkpoint_keys *ret)
{
	const char *p = text;

	ret->n = 0;
	if (strlen(text) != n) /* the text holds a NUL */
		return false;
	while ((p = strstr(p, PEM_BEGIN)) != NULL) {
		if (ret->n == CHECKPOINT_KEYS)
			return false;
		p = pem_read(p, ret->list[ret->n]);
		if (p == NULL)
			return false;
		ret->n++;
	}
	return ret->n > 0;
}
