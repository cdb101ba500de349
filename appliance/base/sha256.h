/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and SHA-1 (FIPS 180-4), by nettle; and digests as text. */
#ifndef SEKISHO_BASE_SHA256_H
#define SEKISHO_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void sha256(const void *p, size_t n, uint8_t out[32]);
/* Two parts as one message; for chains. */
void sha256_pair(const void *a, size_t na, const void *b, size_t nb, uint8_t out[32]);
/* Only for published lists of SHA-1 values (wire/leaked.h): SHA-1 does not protect
 * against forgery. */
void sha1(const void *p, size_t n, uint8_t out[20]);
void hex_text(const uint8_t *p, size_t n, char *out); /* 2n + 1 bytes */
/* Reads 2n small digits, whatever follows them. */
bool hex_digits(const char *digits, uint8_t *out, size_t n);
/* As hex_digits, for a text that has nothing else; false for NULL. */
bool hex_read(const char *text, uint8_t *out, size_t n);

#endif
