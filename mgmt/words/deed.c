/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/deed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *en, *ja;
} deeds[] = {
#define DEED(type, en, ja) { en, ja },
#include "appliance/wire/deed.def"
};

static const enum message differences[] = { M_DIFF_EXTRA, M_DIFF_MISSING, M_DIFF_CHANGED, M_DIFF_FOREIGN };

/* Whether `text` begins with that phrase and the phrase ends there. */
static bool begins(const char *text, const char *phrase)
{
	size_t n = strlen(phrase);

	return strncmp(text, phrase, n) == 0 && strchr(":, ", text[n]) != NULL;
}

/* The phrase at the beginning of `text` in that language and its length there; NULL if none is known. */
static const char *phrase(const char *text, enum lang l, size_t *ret_n)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (begins(text, deeds[i].en)) {
			*ret_n = strlen(deeds[i].en);
			return l == LANG_JA ? deeds[i].ja : deeds[i].en;
		}
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (begins(text, message_format(differences[i], LANG_EN))) {
			*ret_n = strlen(message_format(differences[i], LANG_EN));
			return message_format(differences[i], l);
		}
	return NULL;
}

/* " and 3 more": how many things of one kind were left out. Returns what stands behind that, NULL when it is something else. */
static const char *left_out(const char *text, unsigned long *ret)
{
	static const char before[] = " and ", after[] = " more";
	char *end;

	if (strncmp(text, before, sizeof(before) - 1) != 0)
		return NULL;
	*ret = strtoul(text + sizeof(before) - 1, &end, 10);
	return strncmp(end, after, sizeof(after) - 1) == 0 ? end + sizeof(after) - 1 : NULL;
}

void deed_print(FILE *to, enum lang l, const char *object)
{
	static const char found[] = " (" DEED_FOUND ")";
	const char *at = object, *said, *behind;
	unsigned long more;
	size_t n = 0;

	while (*at != '\0') {
		behind = left_out(at, &more);
		if (behind != NULL) {
			message_print(to, l, M_DEEDS_MORE, more);
			at = behind;
		} else if (strcmp(at, found) == 0) {
			message_print(to, l, M_DEED_FOUND);
			break;
		} else if ((*at == ':' || *at == ',') && at[1] == ' ' && (said = phrase(at + 2, l, &n)) != NULL) {
			/* after a name, or after another phrase */
			message_print(to, l, *at == ':' ? M_DEEDS_OF : M_DEEDS_NEXT);
			fputs(said, to);
			at += 2 + n;
		} else {
			fputc(*at++, to);
		}
	}
}
