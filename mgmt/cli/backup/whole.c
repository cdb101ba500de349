/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/backup.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/json.h"
#include "appliance/base/sha256.h"
#include "mgmt/cli/shut/shut.h"

#define REGISTER_HEAD "sekisho-accounts "

/* ---- encryption ------------------------------------------------------------------------------ */

struct sealing {
	struct bytes certificate, plain;
};

static bool encrypted(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const struct sealing *s = ctx;

	return cms_encrypt(s->certificate, s->plain, ret, ret_n) == CMS_NONE;
}

bool whole_seal(const struct whole *w, struct bytes certificate, uint8_t **ret, size_t *ret_n)
{
	struct sealing s = { .certificate = certificate, .plain = bytes_of(w->memory, w->n) };

	return cms_ready() && apart(encrypted, &s, 2 * WHOLE_MOST, ret, ret_n);
}

struct opening {
	struct cms_key *key;
	struct bytes message;
};

static bool decrypted(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const struct opening *o = ctx;

	return cms_decrypt(o->key, o->message, ret, ret_n);
}

bool whole_open(struct cms_key *key, struct bytes message, struct whole *ret, unsigned *ret_accounts)
{
	struct opening o = { .key = key, .message = message };

	*ret = (struct whole){ 0 };
	return cms_ready() && apart(decrypted, &o, WHOLE_MOST, &ret->memory, &ret->n) && whole_read(ret) &&
	       whole_look(ret, ret_accounts);
}

/* ---- checking the register ------------------------------------------------------------------- */

/* Counts the accounts of the register by its first line and its form. The role accounts checks it
 * exactly when it is put in place. */
static bool counted(struct bytes text, uint8_t *ret)
{
	const uint8_t *line = memchr(text.p, '\n', text.left);
	struct bytes head = bytes_of(text.p, line != NULL ? (size_t)(line - text.p) : 0), body;
	uint8_t digest[32];
	char hex[65];
	json_t *j;
	size_t n;

	if (line == NULL || head.left < 64 || !bytes_starts(&head, REGISTER_HEAD, sizeof(REGISTER_HEAD) - 1))
		return false;
	body = bytes_of(line + 1, text.left - head.left - 1);
	sha256(body.p, body.left, digest);
	hex_text(digest, sizeof(digest), hex);
	if (memcmp(line - 64, hex, 64) != 0)
		return false;
	j = json_loadb((const char *)body.p, body.left, JSON_REJECT_DUPLICATES, NULL);
	n = json_array_size(json_object_get(j, "accounts"));
	json_decref(j);
	*ret = n <= UINT8_MAX ? (uint8_t)n : 0;
	return *ret > 0;
}

static bool looked(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const struct whole *w = ctx;

	*ret = malloc(1);
	*ret_n = 1;
	return *ret != NULL && counted(w->parts[WHOLE_ACCOUNTS], *ret) &&
	       cms_pair(w->parts[WHOLE_CERTIFICATE], w->parts[WHOLE_KEY]);
}

bool whole_look(const struct whole *w, unsigned *ret_accounts)
{
	struct whole view = *w;
	uint8_t *p = NULL;
	size_t n = 0;

	if (!cms_ready() || !apart(looked, &view, 1, &p, &n))
		return false;
	*ret_accounts = n == 1 ? *p : 0;
	free(p);
	return *ret_accounts > 0;
}
