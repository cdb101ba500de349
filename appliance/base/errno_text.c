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

/* The longest of the table that stands at `at`, NULL = none. Each begins with a capital letter. */
static const struct words *words_at(const char *text, const char *at)
{
	const struct words *found = NULL;

	if (*at < 'A' || *at > 'Z' || (at > text && is_letter(at[-1])))
		return NULL;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].en);

		if (strncmp(at, table[i].en, n) == 0 && !is_letter(at[n]) && (found == NULL || strlen(found->en) < n))
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
