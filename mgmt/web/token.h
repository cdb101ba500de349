/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token that opens the API: 256 bits, written as 64 hexadecimal digits. Pure; never prints or keeps anything.
 */
#ifndef SEKISHO_MGMT_WEB_TOKEN_H
#define SEKISHO_MGMT_WEB_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_DIGITS 64

/* `text` is exactly a token, perhaps with one newline after it. */
bool token_valid(const char *text, size_t n);
/* The value of an Authorization header: "Bearer " (any case), one space, exactly the token. The time it takes does not
 * tell how much of the token was right. */
bool token_matches(const char *header, const char token[TOKEN_DIGITS + 1]);

#endif
