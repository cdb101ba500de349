/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/journal.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/errno_text.h"
#include "appliance/wire/tls.h"

struct words {
	const char *en, *ja;
};

static const struct words said[] = {
#define LOST_WORDS(en, ja) { en, ja },
#include "appliance/wire/lost.def"
};
static const struct words why[] = {
#define LOST_WHY(en, ja) { en, ja },
#include "appliance/wire/lost.def"
};

#define PLACES 4u

/* The parts of a text that stand at the places (%) of a phrase. */
struct filled {
	const char *p[PLACES];
	size_t n[PLACES];
	unsigned places;
};

/* Whether `text` begins with the phrase `words`, with anything at its places (%). Returns the text
 * behind the phrase; NULL = no. */
static const char *match_phrase(const char *text, const char *words, struct filled *ret)
{
	for (ret->places = 0; *words != '\0'; words++) {
		unsigned k = ret->places;

		if (*words != '%') {
			if (*text++ != *words)
				return NULL;
			continue;
		}
		if (k == PLACES)
			return NULL;
		ret->p[k] = text;
		ret->n[k] = strcspn(text, ", :");
		if (ret->n[k] == 0)
			return NULL;
		text += ret->n[k];
		ret->places++;
	}
	return *text == '\0' || strncmp(text, ": ", 2) == 0 ? text : NULL;
}

static void fill_phrase(FILE *to, const char *words, const struct filled *with)
{
	for (unsigned k = 0; *words != '\0'; words++) {
		if (*words != '%') {
			fputc(*words, to);
		} else if (k < with->places) {
			fprintf(to, "%.*s", (int)with->n[k], with->p[k]);
			k++;
		}
	}
}

/* The journal's own texts for a reason, else those of an errno. */
static void say_reason(FILE *to, const char *text)
{
	char *japanese;

	for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++)
		if (strcmp(text, why[i].en) == 0) {
			fputs(why[i].ja, to);
			return;
		}
	japanese = errno_japanese(text);
	fputs(japanese != NULL ? japanese : text, to);
	free(japanese);
}

void lost_print(FILE *to, enum lang l, const char *object)
{
	for (size_t i = 0; l == LANG_JA && i < sizeof(said) / sizeof(said[0]); i++) {
		struct filled f;
		const char *behind = match_phrase(object, said[i].en, &f);

		if (behind == NULL)
			continue;
		fill_phrase(to, said[i].ja, &f);
		if (*behind != '\0') {
			fputs(": ", to);
			say_reason(to, behind + 2);
		}
		return;
	}
	if (l == LANG_JA)
		say_reason(to, object);
	else
		fputs(object, to);
}

char *lost_text(enum lang l, const char *object)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return NULL;
	lost_print(to, l, object);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

void weakness_text(const json_t *words, enum lang l, char out[WEAKNESS_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(words) && at < WEAKNESS_TEXT; i++) {
		const char *word = json_string_value(json_array_get(words, i)), *before = l == LANG_JA ? "、" : ", ";
		enum tls_weakness w = tls_weakness_by_word(word != NULL ? word : "");

		at += (size_t)snprintf(out + at, WEAKNESS_TEXT - at, "%s%s", i > 0 ? before : "",
				       w != TLS_WEAKNESS_COUNT ? tls_weakness_text(w, lang_name(l))
				       : word != NULL	       ? word
							       : "");
	}
}
