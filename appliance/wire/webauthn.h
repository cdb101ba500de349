/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security keys (W3C Web Authentication): messages between the role accounts and its child
 * sekisho-webauthn, over a socket of their own. Both programs are of the same release and run on
 * the same machine, so the messages are plain structures. Accounts sends the keys of an account;
 * the child, which has no rights, reads what a browser sent and reports what it found. Only
 * accounts decides.
 */
#ifndef SEKISHO_WIRE_WEBAUTHN_H
#define SEKISHO_WIRE_WEBAUTHN_H

#include <stdbool.h>
#include <stdint.h>

/* The name in the certificate of every box, and so the only site name for which its pages can use a
 * key: Web Authentication accepts no addresses. */
#define WEBAUTHN_SITE "sekisho"
#define WEBAUTHN_ORIGIN "https://" WEBAUTHN_SITE

#define WEBAUTHN_ID 255u	  /* bytes of a credential's id */
#define WEBAUTHN_PUBLIC 64u	  /* bytes of a public key: x and y; for Ed25519 32 bytes */
#define WEBAUTHN_CHALLENGE 32u	  /* bytes */
#define WEBAUTHN_CHALLENGE_S 120u /* seconds for which a challenge is valid */
/* bytes of the message of a browser: parts in base64url, with '.' between them */
#define WEBAUTHN_TEXT 3500u
#define WEBAUTHN_KEYS 4u /* keys of one account */

enum webauthn_kind { WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_KINDS };

struct webauthn_key {
	uint8_t kind; /* enum webauthn_kind */
	uint8_t n_id;
	uint8_t id[WEBAUTHN_ID];
	uint8_t public_key[WEBAUTHN_PUBLIC];
};

struct webauthn_question {
	uint32_t id;
	bool enrol; /* true: a new key is enrolled; false: one of `keys` must have signed */
	uint8_t n_keys;
	struct webauthn_key keys[WEBAUTHN_KEYS];
	char text[WEBAUTHN_TEXT + 1];
};

/*
 * The child's first answer (`id` 0) belongs to no question: it says that the child is ready, and
 * `count` is its sizeof(struct webauthn_question). Just after an update the two programs may be of
 * different releases with different sizes.
 */
struct webauthn_answer {
	uint32_t id;
	/* `challenge` is set to the challenge in the browser's message, even if the message is
	 * wrong otherwise */
	bool challenged;
	/* the message is right; accounts itself checks challenge and counter */
	bool holds;
	uint8_t which; /* index in `keys` */
	uint8_t challenge[WEBAUTHN_CHALLENGE];
	uint32_t count;		 /* the key's counter of signatures */
	struct webauthn_key key; /* with `enrol`: the new key */
};

#endif
