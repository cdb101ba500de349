/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/errno_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
	const char *en, *ja;
};

static const struct words table[] = {
#define ERRNO(code, en, ja) { en, ja },
#include "appliance/base/errno.def"
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The text of an errno stands behind a colon, a comma or a bracket, or at the beginning. Elsewhere
 * the same words may be part of somebody's sentence. */
static bool begins_there(const char *text, const char *at)
{
	if (at == text)
		return true;
	if (at[-1] == ' ')
		return at - text >= 2 && (at[-2] == ':' || at[-2] == ',');
	return at[-1] == '(' || at[-1] == '\n' || ((unsigned char)at[-1] & 0x80u) != 0;
}

/* A failure in the form of err_set: "write gen-3.sealed: ". */
static bool is_failure(const char *text, const char *at)
{
	return at - text >= 3 && at[-1] == ' ' && at[-2] == ':' && ((unsigned char)at[-3] & 0x80u) == 0;
}

/* Whether the text ends here, so that the words are not part of a longer sentence. */
static bool ends_there(const char *end)
{
	return !is_letter(*end) && !(*end == ' ' && (is_letter(end[1]) || (end[1] >= '0' && end[1] <= '9')));
}

/* The longest entry of the table that matches at `at`; NULL = none. Each entry begins with a
 * capital letter. */
static const struct words *words_at(const char *text, const char *at)
{
	const struct words *found = NULL;

	if (*at < 'A' || *at > 'Z' || !begins_there(text, at))
		return NULL;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].en);

		if (strncmp(at, table[i].en, n) == 0 &&
		    (is_failure(text, at) ? !is_letter(at[n]) : ends_there(at + n)) &&
		    (found == NULL || strlen(found->en) < n))
			found = &table[i];
	}
	return found;
}

char *errno_japanese(const char *text)
{
	char *out = NULL;
	bool any = false;
	size_t n;
	FILE *to = open_memstream(&out, &n);

	if (to == NULL)
		return NULL;
	for (const char *at = text; *at != '\0';) {
		const struct words *w = words_at(text, at);

		if (w != NULL)
			fputs(w->ja, to);
		else
			fputc(*at, to);
		at += w != NULL ? strlen(w->en) : 1;
		any |= w != NULL;
	}
	if (fclose(to) == 0 && any)
		return out;
	free(out);
	return NULL;
}
