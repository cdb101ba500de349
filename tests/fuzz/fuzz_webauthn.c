/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of browsers about a security key, as sekisho-webauthn reads them. The first byte says
 * whether a key is new. For logins there is a key with the input's own id; no input can have a
 * signature of it. A new key that is accepted must be within its bounds, and the same bytes must
 * give the same answer again.
 *
 * LINK: appliance/webauthn/proof.c appliance/base/bytes.c
 * LINK: appliance/base/sha256.c
 * LIBS: libfido2 libcrypto jansson nettle
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/bytes.h"
#include "appliance/webauthn/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the input the parts are raw, each behind its length; here they become base64url. If they were
 * base64url in the input, most inputs would fail there already. */
static size_t put_part(char *out, size_t at, const uint8_t *p, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6 && at < WEBAUTHN_TEXT; have -= 6)
			out[at++] = letters[bits >> (have - 6) & 63u];
	}
	if (have % 6 > 0 && at < WEBAUTHN_TEXT)
		out[at++] = letters[bits << (6 - have % 6) & 63u];
	return at;
}

static void fill(struct webauthn_question *q, const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size), part;
	size_t at = 0;
	uint16_t n;

	while (bytes_be16(&b, &n) && at < WEBAUTHN_TEXT) {
		if (at > 0)
			q->text[at++] = '.';
		bytes_take(&b, n < b.left ? n : b.left, &part);
		if (q->n_keys == 0 && !q->enrol && part.left > 0 && part.left <= WEBAUTHN_ID) {
			q->keys[0].n_id = (uint8_t)part.left;
			memcpy(q->keys[0].id, part.p, part.left);
			q->n_keys = 1;
		}
		at = put_part(q->text, at, part.p, part.left);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	static struct webauthn_question q;
	struct webauthn_answer a, again;

	if (!begun)
		begun = proof_begin();
	assert(begun);
	if (size == 0)
		return 0;
	memset(&q, 0, sizeof(q));
	q.enrol = (data[0] & 1u) != 0;
	q.keys[0].kind = data[0] >> 1 & 1u;
	if ((data[0] & 4u) != 0)
		fill(&q, data + 1, size - 1);
	else
		memcpy(q.text, data + 1, size - 1 < WEBAUTHN_TEXT ? size - 1 : WEBAUTHN_TEXT);
	proof_judge(&q, &a);
	proof_judge(&q, &again);
	assert(a.holds == again.holds && a.challenged == again.challenged &&
	       memcmp(&a.key, &again.key, sizeof(a.key)) == 0);
	assert(!a.holds || (q.enrol && a.challenged && a.key.n_id > 0 && a.key.kind < WEBAUTHN_KINDS));
	return 0;
}
