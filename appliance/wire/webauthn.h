/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security keys (W3C Web Authentication): what the role accounts and its child sekisho-webauthn say to each other, over a socket of their own.
 * Both are of one release and one machine, so that these are plain structures. Accounts says which keys an account has; the child, which has
 * nothing, reads what a browser sent and says what it found. What follows from that is for accounts alone to decide.
 */
#ifndef SEKISHO_WIRE_WEBAUTHN_H
#define SEKISHO_WIRE_WEBAUTHN_H

#include <stdbool.h>
#include <stdint.h>

/* The name in the certificate of every box, and so the only one under which its pages may ask for a key: an address is no name. */
#define WEBAUTHN_SITE "sekisho"
#define WEBAUTHN_ORIGIN "https://" WEBAUTHN_SITE

#define WEBAUTHN_ID 255u	  /* bytes of a credential's id */
#define WEBAUTHN_PUBLIC 64u	  /* of a public key: x and y, or an Ed25519 one of 32 */
#define WEBAUTHN_CHALLENGE 32u	  /* bytes */
#define WEBAUTHN_CHALLENGE_S 120u /* how long one is good */
#define WEBAUTHN_TEXT 3500u	  /* bytes of what a browser sends: parts in base64url, with a '.' between them */
#define WEBAUTHN_KEYS 4u	  /* of an account */

enum webauthn_kind { WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_KINDS };

/* As people and the register's file have them. */
extern const char *const webauthn_kind_words[WEBAUTHN_KINDS];

struct webauthn_key {
	uint8_t kind; /* enum webauthn_kind */
	uint8_t n_id;
	uint8_t id[WEBAUTHN_ID];
	uint8_t public_key[WEBAUTHN_PUBLIC];
};

struct webauthn_question {
	uint32_t id;
	bool enrol; /* a new key; else one of `keys` is to have signed */
	uint8_t n_keys;
	struct webauthn_key keys[WEBAUTHN_KEYS];
	char text[WEBAUTHN_TEXT + 1];
};

/* The child's first is of no question (`id` 0): it stands, and `count` is the size of a question. A newer program beside an older one may take another for one. */
struct webauthn_answer {
	uint32_t id;
	bool challenged; /* `challenge` is what the browser says that it answers to, whether the rest holds or not */
	bool holds;	 /* all of it, but for the challenge and the count, which accounts knows */
	uint8_t which;	 /* of `keys` */
	uint8_t challenge[WEBAUTHN_CHALLENGE];
	uint32_t count;		 /* of signatures, as the key has counted */
	struct webauthn_key key; /* with `enrol` */
};

#endif
