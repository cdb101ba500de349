/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/plain_text.h"

#include <string.h>

#include "appliance/base/utf8.h"

size_t text_characters(const char *text)
{
	struct bytes b = bytes_of(text, strlen(text));
	struct utf8_char c;
	size_t n = 0;

	while (utf8_next(&b, &c))
		n++;
	return n;
}

bool text_is_name(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= ACCOUNT_NAME && text[0] >= 'a' && text[0] <= 'z' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}
