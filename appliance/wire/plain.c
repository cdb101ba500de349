/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/plain.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS
#define LABEL_MAX 63u
#define NAME_MAX_BYTES 253u

bool plain_server_name(const char *s)
{
	size_t n;

	if (strlen(s) > NAME_MAX_BYTES)
		return false;
	for (;; s += n + 1) {
		n = strspn(s, LETTERS_DIGITS "-");
		if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
			return false;
		if (s[n] == '\0')
			break;
		if (s[n] != '.')
			return false;
	}
	/* The last label of an IPv4 address is a number; that of a name never is (RFC 3696, 2). */
	return strspn(s, DIGITS) != n;
}

bool plain_path(const char *s)
{
	size_t n = 0;

	if (strlen(s) > PLAIN_PATH_MAX)
		return false;
	for (; *s != '\0'; s += n) {
		if (*s++ != '/')
			return false;
		n = strspn(s, LETTERS_DIGITS "._-");
		if (n == 0 || s[0] == '.')
			return false;
	}
	return n > 0;
}

bool plain_word(const char *s)
{
	size_t n = strspn(s, LETTERS_DIGITS "._-");

	return n > 0 && n <= PLAIN_WORD_MAX && s[n] == '\0' && strchr("._-", s[0]) == NULL;
}

bool plain_security_name(const char *s)
{
	return plain_word(s) && strlen(s) <= PLAIN_SECURITY_NAME_MAX;
}

bool plain_mailbox(const char *s)
{
	size_t n = strspn(s, LETTERS_DIGITS "._+-");

	return n > 0 && n <= 64 && strlen(s) <= PLAIN_MAILBOX_MAX && strchr("._+-", s[0]) == NULL && s[n] == '@' &&
	       plain_server_name(s + n + 1);
}

bool plain_mailboxes(const char *s)
{
	char one[PLAIN_MAILBOX_MAX + 1];

	for (unsigned i = 0; i < PLAIN_MAILBOXES_MAX; i++) {
		size_t n = strcspn(s, " ");

		if (n >= sizeof(one))
			return false;
		memcpy(one, s, n);
		one[n] = '\0';
		if (!plain_mailbox(one))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
	return false;
}

bool plain_mailbox_next(const char **at, char ret[PLAIN_MAILBOX_MAX + 2])
{
	size_t n;

	for (; **at != '\0'; *at += n + ((*at)[n] != '\0')) {
		n = strspn(*at, LETTERS_DIGITS "._+-@");
		if (memchr(*at, '@', n) == NULL)
			continue;
		snprintf(ret, PLAIN_MAILBOX_MAX + 2, "%.*s", (int)n, *at);
		*at += n;
		return true;
	}
	return false;
}
