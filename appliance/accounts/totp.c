/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/totp.h"

#include <liboath/oath.h>
#include <string.h>

#include "appliance/accounts/secret.h"

bool totp_code(const uint8_t secret[TOTP_SECRET], uint64_t step, char out[TOTP_DIGITS + 1])
{
	char raw[TOTP_SECRET];

	memcpy(raw, secret, sizeof(raw));
	if (oath_hotp_generate(raw, sizeof(raw), step, TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION, out) ==
	    OATH_OK)
		return true;
	memset(out, 0, TOTP_DIGITS + 1);
	return false;
}

bool totp_found(const uint8_t secret[TOTP_SECRET], const char *code, uint64_t wall_s, uint64_t slack, uint64_t last,
		uint64_t *ret_step)
{
	uint64_t now = wall_s / TOTP_STEP_S;
	bool found = false;
	char want[TOTP_DIGITS + 1];

	if (strlen(code) != TOTP_DIGITS || strspn(code, "0123456789") != TOTP_DIGITS)
		return false;
	for (uint64_t step = now < slack ? 0 : now - slack; step <= now + slack; step++)
		if (step > last && totp_code(secret, step, want) &&
		    secret_same((const uint8_t *)want, (const uint8_t *)code, TOTP_DIGITS)) {
			*ret_step = step;
			found = true;
		}
	return found;
}
