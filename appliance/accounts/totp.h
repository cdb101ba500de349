/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time codes by the clock (RFC 6238: SHA-1, 30 s, six digits, as every authenticator has it), by liboath. Pure: the time is given, and
 * so is what was used last; the caller keeps both.
 */
#ifndef SEKISHO_ACCOUNTS_TOTP_H
#define SEKISHO_ACCOUNTS_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#define TOTP_SECRET 20u /* bytes */
#define TOTP_DIGITS 6u
#define TOTP_STEP_S 30u
#define TOTP_SLACK 1u /* steps that a person's clock may be early or late */

/* The code of a step; `out` has TOTP_DIGITS + 1 bytes. False when the library would not. */
bool totp_code(const uint8_t secret[TOTP_SECRET], uint64_t step, char out[TOTP_DIGITS + 1]);
/*
 * Whether `code` is that of now or of a neighbouring step, and of a later one than `last`: so none is ever good twice, nor one that is
 * older than one that was used. *ret_step is then what the caller has to keep, before it lets anybody in.
 */
bool totp_fits(const uint8_t secret[TOTP_SECRET], const char *code, uint64_t wall_s, uint64_t last, uint64_t *ret_step);

#endif
