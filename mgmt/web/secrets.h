/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of the management role: the key and certificate of the box's own authority, and the
 * token, made at the first start and read at every other one. They stand in a folder of their own
 * (files key.pem, certificate.pem, token; mode 0600) and are never printed.
 * Runs before the sandbox closes; after that nobody in the role can read the files.
 */
#ifndef SEKISHO_MGMT_WEB_SECRETS_H
#define SEKISHO_MGMT_WEB_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/err.h"
#include "appliance/wire/msg.h"

/*
 * The token that opens the API: 256 bits, written as 64 hexadecimal digits. Pure; never prints or
 * keeps anything.
 */

#define TOKEN_DIGITS 64

/* `text` is exactly a token, perhaps with one newline after it. */
bool token_valid(const char *text, size_t n);
/* The value of an Authorization header: "Bearer " (any case), one space, exactly the token. The
 * time it takes does not tell how much of the token was right. */
bool token_matches(const char *header, const char token[TOKEN_DIGITS + 1]);

struct secrets {
	char *key;		      /* PEM; owned */
	char *certificate;	      /* PEM; owned */
	char token[TOKEN_DIGITS + 1]; /* "" = TOKEN_NONE, which no client's is */
	enum mgmt_token is;
};

/*
 * 0 or negative errno: a damaged key or certificate is an error, never silently replaced. Of the
 * token, which opens reading alone, the role does not die: a damaged one is set aside as
 * `token.damaged` and another is made; `is` says so, and with a 0 *e says why. secrets_free in
 * both cases.
 */
int secrets_open(int dirfd, struct secrets *ret, struct err *e);
/* Wipes the key's text: GnuTLS has its own by then. */
void secrets_forget_key(struct secrets *s);
void secrets_free(struct secrets *s);

#endif
