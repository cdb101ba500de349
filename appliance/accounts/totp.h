/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time codes by the clock (RFC 6238: SHA-1, 30 s, six digits, as in every authenticator), by
 * liboath. Pure: the time and the step of the last used code are parameters, which the caller
 * stores.
 */
#ifndef SEKISHO_ACCOUNTS_TOTP_H
#define SEKISHO_ACCOUNTS_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#define TOTP_SECRET 20u /* bytes */
#define TOTP_DIGITS 6u
#define TOTP_STEP_S 30u
#define TOTP_SLACK 1u /* steps by which a person's clock may be wrong */
/* steps within which a code is recognised as one of a wrong clock: ten minutes */
#define TOTP_AWAY 20u

/* The code of a step; `out` has TOTP_DIGITS + 1 bytes. False when the library fails. */
bool totp_code(const uint8_t secret[TOTP_SECRET], uint64_t step, char out[TOTP_DIGITS + 1]);
/*
 * Whether `code` belongs to the present step or to one of `slack` steps before or after it, and to
 * a later step than `last`, so that no code can be used twice. With TOTP_SLACK a found code is
 * valid; the caller has to store *ret_step before it lets the person in. With TOTP_AWAY a found
 * code only shows that a clock is wrong, and is not valid.
 */
bool totp_found(const uint8_t secret[TOTP_SECRET], const char *code, uint64_t wall_s, uint64_t slack, uint64_t last,
		uint64_t *ret_step);

#endif
