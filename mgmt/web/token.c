/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/secrets.h"

#include <string.h>
#include <strings.h>

bool token_valid(const char *text, size_t n)
{
	if (n == TOKEN_DIGITS + 1 && text[TOKEN_DIGITS] == '\n')
		n--;
	if (n != TOKEN_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

bool token_matches(const char *header, const char token[TOKEN_DIGITS + 1])
{
	static const char scheme[] = "Bearer ";
	volatile unsigned char differ = 0;

	if (strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
		return false;
	header += sizeof(scheme) - 1;
	if (token[0] == '\0') /* there is no token */
		return false;
	if (strnlen(header, TOKEN_DIGITS + 1) != TOKEN_DIGITS) /* the length is no secret */
		return false;
	for (size_t i = 0; i < TOKEN_DIGITS; i++)
		differ = (unsigned char)(differ | ((unsigned char)header[i] ^ (unsigned char)token[i]));
	return differ == 0;
}
