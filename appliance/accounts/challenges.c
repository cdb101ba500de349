/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/challenges.h"

#include <string.h>

#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/base/sha256.h"

#define NONCE 8u
#define HEAD 16u /* the nonce, then the second in which it was made */
#define PROOF (WEBAUTHN_CHALLENGE - HEAD)
#define S_NS 1000000000u

bool challenge_begin(struct challenges *c)
{
	memset(c, 0, sizeof(*c));
	return secret_make(c->secret, sizeof(c->secret));
}

/* Hashes the secret and then a text of fixed length. So nobody can make a proof for a longer text
 * out of this one (length extension). */
static void prove(const struct challenges *c, const struct addr *from, const uint8_t head[HEAD], uint8_t proof[PROOF])
{
	uint8_t text[HEAD + 1 + sizeof(from->b)] = { 0 }, digest[32];

	memcpy(text, head, HEAD);
	text[HEAD] = from->family;
	memcpy(text + HEAD + 1, from->b, addr_len(from->family));
	sha256_pair(c->secret, sizeof(c->secret), text, sizeof(text), digest);
	memcpy(proof, digest, PROOF);
}

bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE])
{
	struct outbuf second = outbuf_of(ret + NONCE, HEAD - NONCE);

	if (!secret_make(ret, NONCE))
		return false;
	out_be64(&second, now_ns / S_NS);
	prove(c, from, ret, ret + HEAD);
	return true;
}

bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE])
{
	struct bytes second = bytes_of(challenge + NONCE, HEAD - NONCE);
	uint64_t made, now = now_ns / S_NS;
	size_t place = CHALLENGE_USED;
	uint8_t proof[PROOF];

	prove(c, from, challenge, proof);
	if (!secret_same(proof, challenge + HEAD, PROOF) || !bytes_be64(&second, &made) || now < made ||
	    now - made >= WEBAUTHN_CHALLENGE_S)
		return false;
	for (size_t i = 0; i < CHALLENGE_USED; i++) {
		if (c->used[i].until <= now)
			place = i;
		else if (memcmp(c->used[i].challenge, challenge, WEBAUTHN_CHALLENGE) == 0)
			return false;
	}
	if (place == CHALLENGE_USED)
		return false;
	memcpy(c->used[place].challenge, challenge, WEBAUTHN_CHALLENGE);
	c->used[place].until = made + WEBAUTHN_CHALLENGE_S;
	return true;
}
