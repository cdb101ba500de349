/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of the management role: key and certificate of the box's own authority, and the
 * token. They are made at the first start and read at later ones. They are in a folder of their own
 * (files key.pem, certificate.pem, token; mode 0600) and are never printed. Runs before the sandbox
 * closes; after that nobody in the role can read the files.
 */
#ifndef SEKISHO_MGMT_WEB_SECRETS_H
#define SEKISHO_MGMT_WEB_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/err.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

/*
 * The token for the API: 256 bits, written as 64 hexadecimal digits. Pure; never prints or keeps
 * anything.
 */

#define TOKEN_DIGITS 64

/* Whether `text` is exactly a token, optionally followed by one newline. */
bool token_valid(const char *text, size_t n);
/* Checks the value of an Authorization header: "Bearer " (any case), one space, exactly the token.
 * The time it takes does not depend on how much of the token is right. */
bool token_matches(const char *header, const char token[TOKEN_DIGITS + 1]);

struct secrets {
	char *key;		      /* PEM; owned */
	char *certificate;	      /* PEM; owned */
	char token[TOKEN_DIGITS + 1]; /* "" = TOKEN_NONE, which matches no client */
	enum mgmt_token is;
};

/*
 * 0 or negative errno. A damaged key or certificate is an error and never replaced silently. The
 * token only opens reading, so the role goes on without it: a damaged token is renamed to
 * `token.damaged` and a new one is made; then `is` says so, the result is 0, and *e has the reason.
 * secrets_free has to be called in both cases.
 */
int secrets_open(int dirfd, struct secrets *ret, struct err *e);
/* Wipes the key's text once GnuTLS has a copy. */
void secrets_forget_key(struct secrets *s);
void secrets_free(struct secrets *s);

#endif
