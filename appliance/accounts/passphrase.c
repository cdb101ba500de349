/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/passphrase.h"

#include <crypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/secret.h"
#include "appliance/base/utf8.h"

#define METHOD "$y$"
#define COST 5	     /* yescrypt: 16 MiB and about a tenth of a second */
#define OWN_LEAST 8u /* letters that must remain when all common words are taken away */
#define DIFFERENT_LEAST 6u

static const char *const denied[] = {
#define DENIED(text) text,
#include "appliance/accounts/denied.def"
};

/* Maps the sign of a letter to the letter: "P@ssw0rd" is no better than "password". */
static char plain_letter(char c)
{
	static const char from[] = "@$!|+0", to[] = "asilto";
	const char *at = c != 0 ? strchr(from, c) : NULL;

	if (at != NULL)
		return to[at - from];
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Keeps small letters, digits and whatever is not ASCII. With `letters`, signs and digits are read
 * as the letters that they stand for. */
static size_t reduce(const char *phrase, bool letters, char *out)
{
	size_t n = 0;

	for (; *phrase != 0; phrase++) {
		char c = letters			    ? plain_letter(*phrase)
			 : *phrase >= 'A' && *phrase <= 'Z' ? (char)(*phrase - 'A' + 'a')
							    : *phrase;
		bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((uint8_t)c & 0x80u) != 0;

		if (kept)
			out[n++] = c;
	}
	out[n] = 0;
	return n;
}

static void take_away(char *text, const char *part)
{
	size_t n = strlen(part);
	char *at = text;

	/* A word of one or two letters would match almost everywhere. */
	if (n < 3)
		return;
	while ((at = strstr(at, part)) != NULL)
		memmove(at, at + n, strlen(at + n) + 1);
}

/* The length of a part that repeats to the end: 3 for "abcabcabcabcabcabc". */
static size_t period(const char *text, size_t n)
{
	size_t p = 1;

	while (p < n && strncmp(text, text + p, n - p) != 0)
		p++;
	return p;
}

static size_t different(const char *text)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (; *text != 0; text++) {
		n += !seen[(uint8_t)*text];
		seen[(uint8_t)*text] = true;
	}
	return n;
}

/* The number of characters that are neither equal to the one before nor next to it in the alphabet:
 * 0 for "abcdefgh" or "11112222". */
static size_t turns(const char *text)
{
	size_t n = 0;

	for (size_t i = 1; text[i] != 0; i++)
		n += abs((int)(uint8_t)text[i] - (int)(uint8_t)text[i - 1]) > 1;
	return n;
}

static bool common(const char *phrase, const char *name, bool letters)
{
	char rest[PASSPHRASE_MOST + 1], bearer[PASSPHRASE_MOST + 1];
	size_t n = reduce(phrase, letters, rest);

	if (different(rest) < DIFFERENT_LEAST || period(rest, n) < OWN_LEAST || turns(rest) < OWN_LEAST)
		return true;
	/* The longest word first: a shorter one inside it would leave pieces of it. */
	for (size_t most = PASSPHRASE_MOST; most >= 3; most--)
		for (size_t i = 0; most < 40 && i < sizeof(denied) / sizeof(denied[0]); i++)
			if (strlen(denied[i]) == most)
				take_away(rest, denied[i]);
	if (strlen(name) <= PASSPHRASE_MOST) {
		reduce(name, letters, bearer);
		take_away(rest, bearer);
	}
	return text_characters(rest) < OWN_LEAST;
}

enum passphrase passphrase_judge(const char *phrase, const char *name)
{
	size_t n = strlen(phrase);

	if (n > PASSPHRASE_MOST)
		return PASSPHRASE_LONG;
	if (!text_is_plain(phrase, n))
		return PASSPHRASE_NO_TEXT;
	if (text_characters(phrase) < PASSPHRASE_LEAST)
		return PASSPHRASE_SHORT;
	return common(phrase, name, false) || common(phrase, name, true) ? PASSPHRASE_COMMON : PASSPHRASE_GOOD;
}

bool passphrase_setting(char out[PASSPHRASE_HASH])
{
	uint8_t salt[16];
	char text[CRYPT_GENSALT_OUTPUT_SIZE];
	bool ok = secret_make(salt, sizeof(salt)) &&
		  crypt_gensalt_rn(METHOD, COST, (const char *)salt, (int)sizeof(salt), text, (int)sizeof(text)) !=
			  NULL &&
		  strlen(text) < PASSPHRASE_HASH;

	out[0] = 0;
	if (ok)
		memcpy(out, text, strlen(text) + 1);
	return ok;
}

bool passphrase_hash(const char *phrase, const char *setting, char out[PASSPHRASE_HASH])
{
	void *data = NULL;
	int size = 0;
	const char *hash = crypt_ra(phrase, setting, &data, &size);
	bool ok = hash != NULL && passphrase_is_hash(hash) && strlen(hash) < PASSPHRASE_HASH;

	snprintf(out, PASSPHRASE_HASH, "%s", ok ? hash : "");
	if (data != NULL)
		explicit_bzero(data, (size_t)size);
	free(data);
	return ok;
}

bool passphrase_is_hash(const char *text)
{
	size_t n = strlen(text);

	if (n >= PASSPHRASE_HASH || n < 40 || strncmp(text, METHOD, strlen(METHOD)) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr(":;*!\\", text[i]) != NULL)
			return false;
	return true;
}

bool passphrase_make(char out[PASSPHRASE_MADE])
{
	uint8_t raw[15];
	char text[BASE32_TEXT(sizeof(raw))];
	bool ok = secret_make(raw, sizeof(raw));
	size_t n = 0;

	base32_text(raw, sizeof(raw), text);
	for (size_t i = 0; ok && text[i] != 0; i++) {
		if (i > 0 && i % 4 == 0)
			out[n++] = '-';
		out[n++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	}
	out[n] = 0;
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	return ok;
}

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
