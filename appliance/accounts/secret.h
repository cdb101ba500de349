/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random secrets, and their forms in texts and files. Random secrets of 80 bits and more are stored
 * as their SHA-256, since they cannot be guessed. Passphrases, which people choose: passphrase.h.
 */
#ifndef SEKISHO_ACCOUNTS_SECRET_H
#define SEKISHO_ACCOUNTS_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/sha256.h"

#define SECRET_BYTES 32u /* of a session and of a token */
#define DIGEST_BYTES 32u
#define BASE32_TEXT(n) (((n)*8u + 4u) / 5u + 1u) /* with the NUL */

/* Random bytes from the kernel. False: there are none; `out` is then zero and must not be used. */
bool secret_make(uint8_t *out, size_t n);
/* Compares in a time that does not depend on where the two differ. */
bool secret_same(const uint8_t *a, const uint8_t *b, size_t n);

/* RFC 4648 without padding. Reading also accepts small letters, spaces and hyphens, because people
 * type it. */
void base32_text(const uint8_t *p, size_t n, char *out);
bool base32_read(const char *text, uint8_t *out, size_t n); /* exactly n bytes */

#endif
